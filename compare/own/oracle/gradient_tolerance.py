"""How far a user's gradients may be from what they are compared with (docs/tolerances.md)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compare.base.errors import UsageError
from compare.base.quantities import Array
from compare.measure.rounding import smallest_normal, unit_roundoff
from compare.measure.tolerances import Fixed, Tolerance, largest_finite, make

#: The standard deviation of a rounding error, in units of the largest possible one.
ROUNDING = 1 / np.sqrt(3)


class Allowance:
    """Units of the tolerance for each quantity.

    Args:
        tolerance: ``statistical`` or ``fixed``.
        rtol: relative part of the fixed one.
        atol: absolute part of the fixed one.

    Raises:
        UsageError: another tolerance, or one that makes no sense.
    """

    def __init__(self, tolerance: str | None, rtol: float | None, atol: float | None) -> None:
        if tolerance == "rigorous":
            raise UsageError(
                "tolerance is 'rigorous', which needs to see every operation of both sides; a "
                "network of your own can be checked with 'statistical' or 'fixed'"
            )
        self._tolerance: Tolerance = make(tolerance, rtol, atol)
        self.name, self.multiple = self._tolerance.name, self._tolerance.multiple

    def units(
        self,
        expected: Mapping[str, Array],
        spread: Mapping[str, Array],
        slack: Mapping[str, Array],
        dtype: str,
    ) -> dict[str, Array]:
        """The unit of each entry.

        Args:
            expected: the right numbers.
            spread: standard deviation of rounding, for operations with a relative error of 1.
            slack: what else each may be off by, at most.
            dtype: the coarsest of both sides.
        """
        return {
            name: self._unit(value, spread[name], slack.get(name, np.zeros(())), dtype)
            for name, value in expected.items()
        }

    def _unit(self, expected: Array, spread: Array, slack: Array, dtype: str) -> Array:
        if isinstance(self._tolerance, Fixed):
            return self._tolerance.split(expected, expected)[1]
        u = unit_roundoff(np.dtype(dtype))
        floor = largest_finite(expected) * u + smallest_normal(np.dtype(dtype))
        unit = np.hypot(spread * u * ROUNDING, floor) + slack / self.multiple
        return np.where(np.isnan(unit), np.inf, unit)  # it cannot be told


def coarsest(*dtypes: str) -> str:
    """The less precise of some dtypes."""
    return "float32" if "float32" in dtypes else "float64"
