"""Arrays that carry their own rounding error through unchanged NumPy code.

``Rounded(x, STATISTICAL)`` computes exactly the numbers that ``x`` would, and beside each of them
how far rounding may have moved it. See docs/tolerances.md for where the formulas come from.
"""

from compare.measure.rounding import orders, zeros_to_fill
from compare.measure.rounding.array import SPECIAL, Rounded
from compare.measure.rounding.error_models import (
    Model,
    Rigorous,
    Statistical,
    smallest_normal,
    unit_roundoff,
)
from compare.measure.rounding.zeros_to_fill import Room

SPECIAL.update(orders.SPECIAL | zeros_to_fill.SPECIAL)

__all__ = [
    "Model",
    "Rigorous",
    "Room",
    "Rounded",
    "Statistical",
    "smallest_normal",
    "unit_roundoff",
]
