"""What explains a difference between a user's gradients and PyTorch's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compare.diagnosis import Cause, Facts, Other, best, read
from compare.diagnosis.adaptive import adaptive
from compare.diagnosis.clipping import clipped_by_norm
from compare.diagnosis.gradient import Gradient, gradients
from compare.observation import Array
from compare.own.against_torch import Look
from compare.own.autograd import Autograd
from compare.own.gradients import SLOWER, Stepped
from compare.own.search import slipped
from compare.own.steps import from_second_step
from compare.own.subject import Subject


def from_numbers(looks: Sequence[Look], multiple: float) -> list[Cause]:
    """What the numbers alone tell, at all weights and learning rates alike.

    Args:
        looks: both sides.
        multiple: how many units of the tolerance are allowed.
    """
    found = [
        read(
            look.seen.gradients,
            look.expected.gradients,
            _allowed(look, multiple),
            _facts(look, group, multiple),
        )
        for group in _by_weights(looks)
        for look in group
        if look.wrong
    ]
    if not found:
        return []
    everywhere = set.intersection(*({cause.kind for cause in causes} for causes in found))
    shared = []
    for name in dict.fromkeys(cause.kind for cause in found[0] if cause.kind in everywhere):
        alike = ([cause for cause in causes if cause.kind == name] for causes in found)
        hold = ([one for one in several if _holds(one, looks, multiple)] for several in alike)
        shared += next(filter(None, hold), [])
    return best([*shared, *clipped_by_norm([_gradients(look, multiple) for look in looks])])


def causes_of(
    plain: Sequence[Cause],
    looks: Sequence[Look],
    subject: Subject,
    autograd: Autograd,
    multiple: float,
) -> list[Cause]:
    """All causes; what the numbers tell does not have to be looked for in the backward pass.

    Args:
        plain: those that the numbers tell.
        looks: both sides, at all weights and learning rates.
        subject: the user's side.
        autograd: PyTorch's side.
        multiple: how many units of the tolerance are allowed.
    """
    causes, groups = list(plain), _by_weights(looks)
    wrong = max((look.wrong for look in looks), key=len)
    if not wrong:
        return []
    if isinstance(subject.source, Stepped):
        rules = from_second_step(looks[0], subject, autograd)
        if rules or (rules := [] if _settled(causes, wrong) else _rules(looks, multiple)):
            return rules
    if not _settled(causes, wrong) and _comparable(looks):
        # two numbers of the forward pass may give any factor
        pairs = not _explained([one for one in causes if one.factor is not None], wrong)
        found = slipped(groups, subject, autograd, multiple, pairs)
        causes = [*found, *(cause for cause in causes if not (found and cause.general))]
    return best(causes if _explained(causes, wrong) else [*causes, *_fading(groups)])


def _gradients(look: Look, multiple: float) -> list[Gradient]:
    return gradients(look.seen.gradients, look.expected.gradients, _allowed(look, multiple))


def _holds(cause: Cause, looks: Sequence[Look], multiple: float) -> bool:
    """Whether a constant factor also holds where the tensors are right."""
    if cause.factor is None:
        return True
    every = (
        one for look in looks for one in _gradients(look, multiple) if one.name in cause.tensors
    )
    return all(one.is_times(cause.factor) for one in every)


def _facts(look: Look, group: Sequence[Look], multiple: float) -> Facts:
    second = next((one for one in group if one is not look), None)
    other = None
    if second is not None:
        allowed = _allowed(second, multiple)
        other = Other(second.seen.gradients, second.expected.gradients, allowed, second.seen.lr)
    expected = look.expected
    return Facts(
        batch_size=expected.samples,
        outputs=expected.outputs,
        lr=look.seen.lr,
        weights=look.weights,
        other=other,
        units=expected.units,
    )


def _by_weights(looks: Sequence[Look]) -> list[list[Look]]:
    groups: list[list[Look]] = []
    for one in looks:
        if groups and groups[-1][0].weights is one.weights:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _explained(causes: Sequence[Cause], wrong: Sequence[str]) -> bool:
    """Whether some cause explains everything by itself."""
    return any(set(cause.tensors) >= set(wrong) for cause in causes)


def _settled(causes: Sequence[Cause], wrong: Sequence[str]) -> bool:
    """Whether one does that is no pattern that many mistakes have."""
    return _explained([cause for cause in causes if not cause.general], wrong)


def _allowed(look: Look, multiple: float) -> dict[str, Array]:
    shapes = {name: value.shape for name, value in look.expected.gradients.items()}
    return {
        name: np.broadcast_to(multiple * unit, shapes[name]) for name, unit in look.units.items()
    }


def _comparable(looks: Sequence[Look]) -> bool:
    return not any(_misshapen(look, name) for look in looks for name in look.weights)


def _misshapen(look: Look, name: str) -> bool:
    return look.seen.gradients[name].shape != look.expected.gradients[name].shape


def _rules(looks: Sequence[Look], multiple: float) -> list[Cause]:
    """An adaptive update rule, if that is what every step is."""
    if not _comparable(looks):
        return []
    found = [adaptive(_gradients(look, multiple)) for look in looks]
    return [one for one in found[:1] if one is not None and all(found)]


def _fading(groups: Sequence[Sequence[Look]]) -> list[Cause]:
    """A difference that shrinks with the learning rate, though not in exact proportion."""
    found = [_fades(group[0], group[1]) for group in groups if len(group) > 1 and group[0].wrong]
    return [] if None in found else [one for one in found[:1] if one is not None]


def _fades(first: Look, second: Look) -> Cause | None:
    if any(_misshapen(first, name) for name in first.wrong):
        return None
    before, after = (
        {name: _distance(look, name) for name in first.wrong} for look in (first, second)
    )
    if not all(SLOWER / 2 <= before[n] / max(after[n], 1e-300) <= SLOWER * 2 for n in before):
        return None
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
    return Cause(name, told, remedy, 1.0, first.wrong)


def _distance(look: Look, name: str) -> float:
    return float(np.abs(look.seen.gradients[name] - look.expected.gradients[name]).max())
