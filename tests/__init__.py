"""The tests, laid out as the packages are; ``meta`` tests that the checks themselves can fail."""

import os

# Before NumPy is loaded, as the command line does: networks are so small that threads wait for each
# other longer than they compute.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
