"""A cause that explains a disagreement, and which of several to tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """What would make correct gradients into the ones that were found.

    Attributes:
        name: in a few words.
        told: one sentence for the reader, with the numbers.
        remedy: what to change.
        match: the largest difference that remains once the cause is accounted for, over what is
            allowed there; at most 1 explains the numbers of ``tensors``.
        tensors: the parameters whose gradients it explains.
        convention: whether it is another convention rather than a fault: every gradient has
            PyTorch's direction and another length, as with a sum for a mean.
        factor: the constant, the same wherever it was looked at, that makes PyTorch's gradients
            into these, if that is what it is.
        general: whether it is a pattern that several mistakes have, so that one of those that
            explains as much is to be told instead.
    """

    name: str
    told: str
    remedy: str
    match: float
    tensors: tuple[str, ...]
    convention: bool = False
    factor: float | None = None
    general: bool = False

    @property
    def kind(self) -> str:
        """The name without the place, and without a number that stands for none that is known."""
        if self.general and self.factor is not None:
            return "one factor"
        return self.name.partition(", ")[0]


def best(causes: Iterable[Cause]) -> list[Cause]:
    """The causes that explain most, first those that explain more.

    One that explains a part of what another explains by itself is left out. Causes that explain the
    same tensors are all kept, in the order given: how well they match below 1 is rounding.
    """
    kept = [cause for cause in causes if cause.match <= 1]
    return sorted(
        (cause for cause in kept if not any(set(cause.tensors) < set(c.tensors) for c in kept)),
        key=lambda cause: -len(cause.tensors),
    )


def unexplained(causes: Iterable[Cause], wrong: Sequence[str]) -> list[str]:
    """Those of the wrong tensors that no cause is about."""
    explained = {name for cause in causes for name in cause.tensors}
    return [name for name in wrong if name not in explained]


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names for a sentence: ``a, b and c``, or the first of them and how many more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
