"""What explains a difference between a user's gradients and PyTorch's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compare.diagnosis import Cause, Facts, Other, best, read
from compare.observation import Array
from compare.own.against_torch import Look
from compare.own.autograd import Autograd
from compare.own.gradients import SLOWER
from compare.own.tampering import Suspect, slipped


def causes_of(looks: Sequence[Look], autograd: Autograd, multiple: float) -> list[Cause]:
    """The causes that explain the gradients wherever they were found wrong.

    Args:
        looks: both sides, at all weights and learning rates.
        autograd: PyTorch's side.
        multiple: how many units of the tolerance are allowed.
    """
    groups = [group for group in _by_weights(looks) if group[0].wrong]
    found = [_causes(group, autograd, multiple) for group in groups]
    if not found:
        return []
    everywhere = set.intersection(*({cause.name for cause in causes} for causes in found))
    shared = [cause for cause in found[0] if cause.name in everywhere]
    return shared or found[0]


def _by_weights(looks: Sequence[Look]) -> list[list[Look]]:
    groups: list[list[Look]] = []
    for one in looks:
        if groups and groups[-1][0].weights is one.weights:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _causes(group: Sequence[Look], autograd: Autograd, multiple: float) -> list[Cause]:
    first, second = group[0], group[1] if len(group) > 1 else None
    allowed = _allowed(first, multiple)
    other = None
    if second is not None:
        other = Other(
            second.seen.gradients,
            second.expected.gradients,
            _allowed(second, multiple),
            second.seen.lr,
        )
    facts = Facts(
        first.expected.samples, first.expected.outputs, first.seen.lr, None, first.weights, other
    )
    causes = read(first.seen.gradients, first.expected.gradients, allowed, facts)
    if second is not None and not _explained(causes, first.wrong):
        causes += _fading(first, second)
    causes += _signs(first)
    if not _explained(causes, first.wrong):
        suspect = Suspect(
            first.weights,
            first.seen.gradients,
            first.expected.gradients,
            allowed,
            first.seen.lr,
            first.wrong,
        )
        causes += slipped(autograd, suspect)
    return best(causes)


def _explained(causes: Sequence[Cause], wrong: Sequence[str]) -> bool:
    """Whether some cause explains everything by itself."""
    return any(set(cause.tensors) >= set(wrong) for cause in causes)


def _allowed(look: Look, multiple: float) -> dict[str, Array]:
    shapes = {name: value.shape for name, value in look.expected.gradients.items()}
    return {
        name: np.broadcast_to(multiple * unit, shapes[name]) for name, unit in look.units.items()
    }


def _fading(first: Look, second: Look) -> list[Cause]:
    """A difference that shrinks with the learning rate, though not in exact proportion."""
    if not first.wrong or any(_misshapen(first, name) for name in first.wrong):
        return []
    before, after = (
        {name: _distance(look, name) for name in first.wrong} for look in (first, second)
    )
    if not all(SLOWER / 2 <= before[n] / max(after[n], 1e-300) <= SLOWER * 2 for n in before):
        return []
    part = len(first.wrong) < len(first.weights)
    name = (
        "weights updated before the error is propagated through them"
        if part
        else "weights updated more than once in a step"
    )
    what = (
        "some weights are updated before the error is propagated through them"
        if part
        else "weights are updated after each sample, or batch, of several"
    )
    remedy = "compute all gradients first, then update all parameters, once"
    told = (
        f"with a learning rate of {second.seen.lr:g} instead of {first.seen.lr:g} all differences "
        f"shrink by a factor of about {min(before[n] / after[n] for n in before):.2g}: {what}"
    )
    return [Cause(name, told, remedy, 1.0, first.wrong)]


def _misshapen(look: Look, name: str) -> bool:
    return look.seen.gradients[name].shape != look.expected.gradients[name].shape


def _distance(look: Look, name: str) -> float:
    return float(np.abs(look.seen.gradients[name] - look.expected.gradients[name]).max())


def _signs(look: Look) -> list[Cause]:
    """A step of the same length in each entry, whatever the gradient: an adaptive rule."""
    if look.seen.lr is None or any(_misshapen(look, name) for name in look.wrong):
        return []
    actual, expected = (
        np.concatenate([one[name].ravel() for name in look.weights])
        for one in (look.seen.gradients, look.expected.gradients)
    )
    moved = expected != 0
    size = np.abs(actual[moved])
    if moved.sum() < 4 or size.min() < 0.5 * size.max() or size.max() == 0:
        return []
    spread = np.abs(expected[moved])
    same_sign = np.mean(np.sign(actual[moved]) == np.sign(expected[moved]))
    if spread.min() > 0.4 * spread.max() or same_sign < 0.95:
        return []
    told = (
        f"each entry moves by about the same, {np.median(size):.3g} times the learning rate, "
        f"however large its gradient: the step is not plain gradient descent, but a rule such as "
        f"Adam or RMSprop, from which the gradient cannot be read"
    )
    remedy = "check the gradients with grads=, or a step of plain descent"
    return [Cause("adaptive update rule", told, remedy, 1.0, look.wrong)]
