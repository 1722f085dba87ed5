"""The numbers of a comparison from which causes are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence.facts import Facts, Other
from compare.diagnosis.evidence.gradient import Gradient, gradients
from compare.diagnosis.signatures.clipping import clipped_by_norm, clipped_by_value
from compare.diagnosis.signatures.read import read
from compare.own.comparison.against_torch import Look
from compare.results.cause import Cause, best


@dataclass(frozen=True)
class Known:
    """Both sides at some weights, as far as the right one is known.

    A tensor of which only some entries are known is a vector of those.

    Attributes:
        look: what was seen.
        actual: the user's gradients.
        expected: the right ones.
        allowed: the largest allowed difference of each entry.
        weights: the parameters.
    """

    look: Look
    actual: dict[str, Array]
    expected: dict[str, Array]
    allowed: dict[str, Array]
    weights: dict[str, Array]

    @property
    def gradients(self) -> list[Gradient]:
        return gradients(self.actual, self.expected, self.allowed)

    @property
    def usable(self) -> bool:
        """Whether all gradients have the shapes of their parameters."""
        return all(one.same_shape for one in self.gradients)


def known(look: Look, multiple: float) -> Known:
    """What is known at some weights.

    Args:
        look: both sides.
        multiple: how many units of the tolerance are allowed.
    """
    found = Known(look, {}, {}, {}, {})
    for name, expected in look.expected.gradients.items():
        actual, weight = look.seen.gradients[name], look.weights[name]
        there = ~np.isnan(expected)
        allowed = np.broadcast_to(multiple * look.units[name] + look.doubt(name), expected.shape)
        if actual.shape == expected.shape and not there.all():
            actual, expected, allowed = actual[there], expected[there], allowed[there]
            weight = weight[there]
        found.actual[name], found.expected[name] = actual, expected
        found.allowed[name], found.weights[name] = allowed, weight
    return found


def from_numbers(looks: Sequence[Look], multiple: float) -> list[Cause]:
    """What the numbers alone tell, at all weights and learning rates alike.

    Args:
        looks: both sides.
        multiple: how many units of the tolerance are allowed.
    """
    every = [known(look, multiple) for look in looks]
    found = [_read(one, every) for one in every if one.look.wrong]
    if not found:
        return []
    everywhere = set.intersection(*({cause.kind for cause in causes} for causes in found))
    shared = []
    for name in dict.fromkeys(cause.kind for cause in found[0] if cause.kind in everywhere):
        alike = ([cause for cause in causes if cause.kind == name] for causes in found)
        hold = ([cause for cause in several if _holds(cause, every)] for several in alike)
        shared += next(filter(None, hold), [])
    both = [one.gradients for one in every]
    return best([*shared, *clipped_by_value(both), *clipped_by_norm(both)])


def _read(one: Known, every: Sequence[Known]) -> list[Cause]:
    look = one.look
    beside = (two for two in every if two is not one and two.look.weights is look.weights)
    second = next(beside, None)
    other = None
    if second is not None:
        other = Other(second.actual, second.expected, second.allowed, second.look.seen.lr)
    facts = Facts(
        batch_size=look.expected.samples,
        outputs=look.expected.outputs,
        lr=look.seen.lr,
        weights=one.weights,
        other=other,
        units=look.expected.units,
    )
    return read(one.actual, one.expected, one.allowed, facts)


def _holds(cause: Cause, every: Sequence[Known]) -> bool:
    """Whether a constant factor also holds where the tensors are right."""
    factor = cause.factor
    if factor is None:
        return True
    about = (gradient for one in every for gradient in one.gradients)
    return all(one.is_times(factor) for one in about if one.name in cause.tensors)
