"""Keeps NumPy and PyTorch on one thread each; to be imported before either of them.

Both read the number of threads once, when they are loaded.
"""

from __future__ import annotations

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
