"""Gradients that were clipped: each entry, or by their norm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence.finding import Finding, merged
from compare.diagnosis.evidence.gradient import ENOUGH, Gradient, digits, remaining, wrong_names
from compare.diagnosis.evidence.words import number
from compare.results.cause import Cause, listed

_REMEDY = "compare gradients before they are clipped, or clip in torch_loss's update as well"

#: What is added to a norm before it is divided by, as in PyTorch, TensorFlow and nothing.
_EPSILONS = (0.0, 1e-6, 1e-8, 1e-12)

#: How well a limit is known that is read off a norm, and from where on two factors are two.
_EXACT, _VARIED = 1e-12, 1e-6


def clipped_by_value(every: Sequence[Sequence[Gradient]]) -> list[Cause]:
    """Whether entries are PyTorch's, but none beyond some limit, the same at all weights.

    Args:
        every: the gradients at several weights.
    """
    found: list[Finding] = []
    for name in dict.fromkeys(g.name for one in every for g in one if g.wrong):
        several = [g for one in every for g in one if g.name == name]
        usable = all(g.finite and g.same_shape for g in several)
        if usable and any(g.actual.any() for g in several):
            one = Gradient(name, *_joined(several))
            low, high = float(one.actual.min(initial=0)), float(one.actual.max(initial=0))
            if abs(low + high) <= 2 * float(one.allowed.max()):  # one limit, read twice
                low, high = -max(-low, high), max(-low, high)
            found += _between(one, low, high)
    return merged(found)


def _between(gradient: Gradient, low: float, high: float) -> Iterator[Finding]:
    """Whether these two are limits; each pays with the entry that says most."""
    expected, allowed = gradient.expected, gradient.allowed
    below, above = expected < low - allowed, expected > high + allowed
    bites = [limit for limit, beyond in ((low, below), (high, above)) if beyond.any()]
    sizes = list(dict.fromkeys(map(abs, bites)))
    match = remaining(gradient.actual, np.clip(expected, low, high), allowed)
    worth = np.sort(digits(gradient.unexplained, allowed)[(below | above).ravel()])
    if match > 1 or low > 0 or high < 0 or worth[: len(worth) - len(sizes)].sum() < ENOUGH:
        return
    at = " and ".join(map(number, sizes if len(sizes) == 1 else bites))
    told = f"PyTorch's gradient, with each entry clipped at {at}"
    yield Finding(gradient.name, f"clipped at {at}", told, _REMEDY, match)


def clipped_by_norm(every: Sequence[Sequence[Gradient]]) -> list[Cause]:
    """Whether all gradients, or each, are as long as some limit wherever they would be longer.

    That is a factor of its own at each weights, and the same length: so it takes several.

    Args:
        every: the gradients at several weights.
    """
    wrong = {name for one in every for name in wrong_names(one)}
    usable = all(g.finite and g.same_shape for one in every for g in one)
    if len(every) < 2 or not wrong or not usable:
        return []
    names = tuple(g.name for g in every[0] if g.name in wrong)
    everything = _limit(every, [g.name for g in every[0]])
    if everything is not None:
        return [_by_norm(everything, names, "all gradients together, PyTorch's, are")]
    each = [_limit(every, [name]) for name in names]
    limits = [limit for limit in each if limit is not None]
    if len(limits) < len(names) or np.ptp(limits) > _EXACT * max(limits):
        return []
    return [_by_norm(limits[0], names, f"{listed(names)}: PyTorch's, each by itself")]


def _by_norm(limit: float, names: tuple[str, ...], what: str) -> Cause:
    told = f"{what} made shorter to a norm of {number(limit)} wherever theirs is larger"
    return Cause(f"clipped by norm at {number(limit)}", told, _REMEDY, 1.0, names)


def _limit(every: Sequence[Sequence[Gradient]], part: Sequence[str]) -> float | None:
    """The norm at which these gradients are cut at all weights; None if they are not."""
    sides = [_joined([g for g in one if g.name in part]) for one in every]
    norms = np.array([np.linalg.norm(expected) for _, expected, _ in sides])
    cut = [bool((np.abs(a - e) > allowed).any()) for a, e, allowed in sides]
    for epsilon in _EPSILONS if any(cut) and norms.all() else ():
        read = [
            float(np.linalg.norm(side[0]) * (norm + epsilon) / norm)
            for side, norm, shorter in zip(sides, norms, cut, strict=True)
            if shorter
        ]
        factors = np.minimum(1.0, max(read) / (norms + epsilon))
        if np.ptp(factors) > _VARIED and all(map(_is_times, sides, factors)):
            return max(read)
    return None


def _joined(several: Sequence[Gradient]) -> tuple[Array, Array, Array]:
    parts = [(g.actual.ravel(), g.expected.ravel(), g.allowed.ravel()) for g in several]
    actual, expected, allowed = map(np.concatenate, zip(*parts, strict=True))
    return actual, expected, allowed


def _is_times(side: tuple[Array, Array, Array], factor: float) -> bool:
    actual, expected, allowed = side
    predicted = factor * expected
    return bool((np.abs(actual - predicted) <= 2 * allowed + _EXACT * np.abs(predicted)).all())
