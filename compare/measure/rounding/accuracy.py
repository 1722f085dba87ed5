"""How accurately the elementary functions are computed, by NumPy and by PyTorch.

In units in the last place (ulp): the largest error of either, rounded up to the next half.
Addition, subtraction, multiplication, division and square root are rounded correctly (IEEE 754),
which is half a unit.

``python -m tests.support.ulps`` measured them against mpmath: 100,000 points of each function over
its whole range, on long arrays, on strided ones and on arrays of one to three entries, with all
vector instructions of an AVX-512 machine, with AVX2 alone and with none (NumPy 2.4, PyTorch 2.13,
SciPy 1.17). tests/compare/test_accuracy.py measures 2,000 points again.
"""

from __future__ import annotations

#: Largest error in ulp, by function and then by dtype; what was measured stands beside it.
ULPS: dict[str, dict[str, float]] = {
    "exp": {"float32": 2.5, "float64": 1.0},  # 2.115, 0.654
    "expm1": {"float32": 2.5, "float64": 1.0},  # 2.445, 0.987
    "log": {"float32": 3.0, "float64": 1.0},  # 2.892, 0.721
    "log1p": {"float32": 2.0, "float64": 1.0},  # 1.613, 0.669
    "tanh": {"float32": 2.0, "float64": 2.0},  # 1.859, 1.916
    "erf": {"float32": 1.0, "float64": 2.5},  # 0.658, 2.431
    "sin": {"float32": 1.5, "float64": 1.0},  # 1.371, 0.512
    "cos": {"float32": 1.5, "float64": 1.0},  # 1.324, 0.513
    "power": {"float32": 2.0, "float64": 1.5},  # 1.625, 1.472
}
