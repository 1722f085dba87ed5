"""How accurately the elementary functions are computed, by NumPy and by PyTorch.

In units in the last place (ulp): the largest error of either, over its whole range, rounded up.
Addition, subtraction, multiplication, division and square root are rounded correctly (IEEE 754),
which is half a unit. tests/compare/test_accuracy.py measures all of them against mpmath.
"""

from __future__ import annotations

#: Largest error in ulp, by function and then by dtype.
ULPS: dict[str, dict[str, float]] = {
    "exp": {"float32": 3.0, "float64": 2.0},
    "expm1": {"float32": 3.0, "float64": 2.0},
    "log": {"float32": 4.0, "float64": 2.0},
    "log1p": {"float32": 3.0, "float64": 2.0},
    "tanh": {"float32": 3.0, "float64": 4.0},
    "erf": {"float32": 4.0, "float64": 4.0},
    "sin": {"float32": 3.0, "float64": 2.0},
    "cos": {"float32": 3.0, "float64": 2.0},
    "power": {"float32": 4.0, "float64": 2.0},
}
