"""The derivative of a user's loss at some weights: entry by entry, and along directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from compare.base.quantities import Array
from compare.own.user.own_loss import Differentiator, Loss, entries, sampled
from compare.referee.derivative import Derivative

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Samples:
    """Derivatives by some parameters.

    Attributes:
        places: which entries of each parameter were looked at.
        entries: the derivatives by those.
        along: a direction of each parameter that has more than one entry, and the derivative along
            it.
        total: how many entries there are to look at, of all parameters.
    """

    places: Mapping[str, list[tuple[int, ...]]]
    entries: dict[str, list[Derivative]] = field(default_factory=dict)
    along: dict[str, tuple[Array, Derivative]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(map(len, self.places.values()))

    @property
    def methods(self) -> tuple[str, ...]:
        """How they were found."""
        single = (one.method for several in self.entries.values() for one in several)
        return tuple(dict.fromkeys((*single, *(one.method for _, one in self.along.values()))))

    def known(self, name: str, shape: tuple[int, ...]) -> Array:
        """The gradient of a parameter, with nan wherever it was not found."""
        found = np.full(shape, np.nan)
        for place, one in zip(self.places[name], self.entries.get(name, ()), strict=False):
            found[place] = one.value if is_derivative(one) else np.nan
        return found

    def errors(self, name: str, shape: tuple[int, ...]) -> Array:
        """How far each entry of that may be off."""
        found = np.zeros(shape)
        for place, one in zip(self.places[name], self.entries.get(name, ()), strict=False):
            found[place] = one.error
        return found


def is_derivative(found: Derivative) -> bool:
    """Whether there is one, to compare something with."""
    return found.jump == 0 and bool(np.isfinite(found.value) and np.isfinite(found.error))


def sample(
    loss: Loss, weights: Mapping[str, Array], names: Sequence[str], progress: Progress
) -> Samples:
    """Differentiate a loss.

    Args:
        loss: of given weights.
        weights: where.
        names: by which parameters.
        progress: called with how many entries are done, and of how many.
    """
    differentiator = Differentiator(loss, weights)
    found = Samples({name: entries(name, value) for name, value in weights.items()})
    done = 0
    for name in names:
        value = weights[name]
        found.entries[name] = several = []
        for one in sampled(differentiator, name, found.places[name]):
            several.append(one)
            done += 1
            progress(done, found.total)
        if value.size > 1:
            v = np.random.default_rng(len(name)).standard_normal(value.shape)
            found.along[name] = v, differentiator.along({name: v})
    return found
