"""How far two correct implementations may differ.

A tolerance turns a quantity into a *unit* for each of its entries; a difference is allowed as
long as it is at most ``multiple`` units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from compare.errors import UsageError
from compare.observation import Array

#: rtol and atol of the fixed tolerance, by dtype.
FIXED = {"float32": (1e-4, 1e-6), "float64": (1e-9, 1e-12)}


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


def fixed(dtype: str, rtol: float | None = None, atol: float | None = None) -> Fixed:
    """The fixed tolerance of a dtype, or the one given.

    Raises:
        UsageError: only one of the two is given, or one is negative or not finite.
    """
    if (rtol is None) != (atol is None):
        raise UsageError("rtol and atol are given together or not at all")
    if rtol is None or atol is None:
        return Fixed(*FIXED[dtype])
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{name} is {value}, but should be a finite number of at least 0")
    return Fixed(rtol, atol)
