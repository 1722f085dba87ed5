"""What every process of this program does before and after it loads NumPy and PyTorch."""

from __future__ import annotations

import gc
import os

#: What tells NumPy's and PyTorch's libraries how many threads to use. The networks here are so
#: small that two of them wait for each other longer than they compute, and far longer where other
#: processes want the same cores.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start() -> None:
    """Use one thread, and collect no garbage until ``settle``: as PyTorch loads, there is none."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    gc.disable()


def settle() -> None:
    """What has been loaded stays to the end; the garbage collector need not walk through it.

    It would do so several times, the last one at exit, and that takes a fifth of the time of
    importing PyTorch.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
