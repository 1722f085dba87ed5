"""How far two correct implementations may differ.

A tolerance turns a quantity into a *unit* for each of its entries; a difference is allowed as
long as it is at most ``multiple`` units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from compare.base.errors import UsageError
from compare.base.quantities import Array
from compare.measure.rounding import (
    Model,
    Rigorous,
    Room,
    Rounded,
    Statistical,
    smallest_normal,
    unit_roundoff,
)

TOLERANCES = ("statistical", "rigorous", "fixed")

#: How many units a quantity may be off. The largest of a million and a half that the calibration
#: found (benchmarks/calibrate.py, docs/tolerances.md) was about 750; 1 in 10,000 is over 30.
MULTIPLE = 1024.0


def largest_finite(array: Array) -> float:
    """The size of the largest entry, but for infinite ones and those that are not a number."""
    largest = float(np.abs(array).max(initial=0))
    if not largest < math.inf:
        largest = float(np.abs(array[np.isfinite(array)]).max(initial=0))
    return largest


class Tolerance(Protocol):
    """What a comparison needs to know of a tolerance."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    @property
    def multiple(self) -> float:
        """How many units are allowed."""

    def lift(self, array: Array) -> Array:
        """Turn an array into the kind of number that the reference is to compute with."""

    def split(self, computed: Array, expected: Array) -> tuple[Array, Array]:
        """Give the plain numbers that were computed, and the unit of each."""


@dataclass(frozen=True)
class Computed:
    """The rounding error of the reference's own arithmetic, carried along with each number.

    The unit is the standard deviation of that error (statistical) or twice its largest possible
    value, once for each side (rigorous). To it comes one rounding of the tensor's largest entry, as
    errors that many entries share may not average out, and the smallest normal number, below which
    relative accuracy is lost. It is infinite where the error overflows or cannot be told.
    """

    model: Model
    multiple: float
    sides: float = 1.0

    @property
    def name(self) -> str:
        return self.model.name

    def lift(self, array: Array) -> Array:
        return cast(Array, Rounded(array, self.model) if array.dtype.kind == "f" else array)

    def split(self, computed: Array, expected: Array) -> tuple[Array, Array]:
        if isinstance(computed, Room) and not computed.written[0]:
            computed = computed.value
        if not isinstance(computed, Rounded):
            return computed, np.zeros(np.shape(expected))
        carried = 0.0 if computed.error is None else computed.error
        largest = largest_finite(computed.value)
        floor = largest * unit_roundoff(computed.dtype) + smallest_normal(computed.dtype)
        unit = self.model.combine(self.sides * carried, np.full(computed.shape, floor))
        known = np.isfinite(computed.value) & ~np.isnan(unit)
        return computed.value, np.where(known, unit, np.inf)


@dataclass(frozen=True)
class Fixed:
    """``|actual − expected| ≤ atol + rtol |expected|``."""

    rtol: float
    atol: float
    name: str = "fixed"
    multiple: float = 1.0

    def lift(self, array: Array) -> Array:
        return array

    def split(self, computed: Array, expected: Array) -> tuple[Array, Array]:
        return computed, self.atol + self.rtol * np.abs(expected)


def make(name: str | None, rtol: float | None = None, atol: float | None = None) -> Tolerance:
    """The tolerance of that name.

    Args:
        name: ``statistical``, ``rigorous`` or ``fixed``; None is statistical, or fixed where rtol
            and atol are given.
        rtol: relative part of the fixed tolerance.
        atol: absolute part of the fixed tolerance.

    Raises:
        UsageError: the name is unknown, or rtol and atol do not go with it or with each other.
    """
    given = rtol is not None or atol is not None
    name = name or ("fixed" if given else "statistical")
    if name not in TOLERANCES:
        raise UsageError(f"tolerance is {name!r}, but should be one of {', '.join(TOLERANCES)}")
    if given != (name == "fixed") or (rtol is None) != (atol is None):
        raise UsageError("a fixed tolerance takes both rtol and atol, any other neither")
    if rtol is not None and atol is not None:
        return _fixed(rtol, atol)
    if name == "rigorous":
        return Computed(Rigorous(reach=2.0), multiple=1.0, sides=2.0)
    return Computed(Statistical(reach=MULTIPLE), MULTIPLE)


def _fixed(rtol: float, atol: float) -> Fixed:
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not (isinstance(value, int | float | np.number) and 0 <= value < math.inf):
            raise UsageError(f"{name} is {value!r}, but should be a finite number of at least 0")
    return Fixed(rtol, atol)
