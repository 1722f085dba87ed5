"""Whether the same start gives the same numbers, to within what the comparison allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import LOSS, Array
from compare.measure.rounding import unit_roundoff
from compare.own.user.gradients import Seen

#: Numbers that differ by more than u to this power, relative to the largest, are not to be
#: explained by rounding, whatever the tolerance: 1e-4 in float64.
FAR = 0.25

#: A loss alone, for which there is no tolerance, may differ by u to this power of itself.
APART = 0.5


@dataclass(frozen=True)
class Repeats:
    """Two runs from the same start.

    Attributes:
        first: the first one.
        second: the second one.
        losses: the loss of both, if there is one.
        drew: generators of random numbers that were drawn from.
    """

    first: Seen
    second: Seen
    losses: tuple[float, float] | None
    drew: tuple[str, ...]

    def require_near(self) -> None:
        """Make sure that the runs are no more apart than any comparison would allow.

        Raises:
            CannotCompare: they are.
        """
        size = max(float(np.abs(g).max(initial=0)) for g in self.first.gradients.values())
        for name, before in self.first.gradients.items():
            after = self.second.gradients[name]
            if after.shape != before.shape:
                told = f"of shape {before.shape} at first, then {after.shape}"
                raise _not_repeatable(f"gradient of {name}", told)
            far = unit_roundoff(before.dtype) ** FAR * size
            self._require(name, far + np.max(self.first.slack[name], initial=0.0))

    def require_allowed(
        self, units: Mapping[str, Array], multiple: float, loss_unit: float | None = None
    ) -> list[str]:
        """Make sure that the runs are no more apart than what the comparison allows.

        Args:
            units: of the tolerance, by parameter.
            multiple: how many of them are allowed.
            loss_unit: that of the loss, if it is compared.

        Returns:
            Remarks on smaller differences, and on random numbers.

        Raises:
            CannotCompare: they are more apart.
        """
        differ = [
            name
            for name in self.first.gradients
            if self._require(name, multiple * np.asarray(units[name]))
        ]
        if self.losses is not None:
            allowed = self._of_loss() if loss_unit is None else multiple * loss_unit
            differ += [LOSS] if self._loss_differs(allowed) else []
        return [*_slightly(differ), *_random(self.first, self.drew)]

    def _require(self, name: str, allowed: Array | float) -> bool:
        """Whether a gradient differs at all."""
        before, after = (one.gradients[name].astype(float) for one in (self.first, self.second))
        if np.shape(allowed) not in ((), before.shape):
            return False  # it has not the shape of its parameter, which is told
        error = np.abs(after - before)
        beyond = error - allowed
        if np.any(beyond > 0):
            index = np.unravel_index(int(np.argmax(beyond)), error.shape)
            place = list(map(int, index)) or ""
            raise _not_repeatable(
                f"gradient of {name}{place}", _both(float(before[index]), float(after[index]))
            )
        return bool(error.any())

    def _of_loss(self) -> float:
        """How far the loss may be apart where there is no tolerance for it."""
        dtypes = [value.dtype for value in self.first.gradients.values()]
        size = 0.0 if self.losses is None else abs(self.losses[0])
        return float(max(map(unit_roundoff, dtypes)) ** APART * size)

    def _loss_differs(self, allowed: float) -> bool:
        """Whether the loss differs at all."""
        before, after = self.losses or (0.0, 0.0)
        if abs(after - before) > allowed:
            raise _not_repeatable(LOSS, _both(before, after))
        return before != after


def _slightly(names: list[str]) -> list[str]:
    if not names:
        return []
    told = ", ".join(name if name == LOSS else f"the gradient of {name}" for name in names)
    return [
        f"two runs from the same start differ in {told}, by less than is allowed: sums in another "
        f"order, as of a set, or in several threads"
    ]


def _random(seen: Seen, drew: tuple[str, ...]) -> list[str]:
    if not drew:
        return []
    what = "grads" if seen.lr is None else "step"
    return [
        f"{what} draws random numbers of {' and '.join(drew)}: each run starts where the first did"
    ]


def _both(before: float, after: float) -> str:
    return f"{before!r} at first, then {after!r}"


def _not_repeatable(what: str, told: str) -> CannotCompare:
    return CannotCompare(
        f"not deterministic: from the same start, the {what} was {told}; random numbers or state "
        f"are in play that the check cannot reach: set them in reset, a function that is called "
        f"before each run"
    )
