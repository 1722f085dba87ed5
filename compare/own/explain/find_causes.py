"""What explains a difference between a user's gradients and PyTorch's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from compare.diagnosis.signatures.adaptive import adaptive
from compare.own.comparison.against_torch import Look
from compare.own.explain.gradients_compared import Known, known
from compare.own.explain.search_slips import slipped
from compare.own.explain.slips import EARLY
from compare.own.explain.steps import from_second_step
from compare.own.oracle.autograd import Autograd
from compare.own.user.gradients import SLOWER, Stepped
from compare.own.user.network import Subject
from compare.results.cause import Cause, best


def causes_of(
    plain: Sequence[Cause],
    looks: Sequence[Look],
    subject: Subject,
    autograd: Autograd | None,
    multiple: float,
) -> list[Cause]:
    """All causes; what the numbers tell does not have to be looked for in the backward pass.

    Args:
        plain: those that the numbers tell.
        looks: both sides, at all weights and learning rates.
        subject: the user's side.
        autograd: PyTorch's side, if there is one.
        multiple: how many units of the tolerance are allowed.
    """
    causes, groups = list(plain), _by_weights(looks)
    wrong = max((look.wrong for look in looks), key=len)
    if not wrong:
        return []
    every = [known(look, multiple) for look in looks]
    usable = all(one.usable for one in every)
    if isinstance(subject.source, Stepped) and usable:
        rules = [] if autograd is None else from_second_step(looks[0], subject, autograd)
        if rules or (rules := [] if _settled(causes, wrong) else _rules(every)):
            return rules
    if autograd is not None and usable and not _settled(causes, wrong):
        # two numbers of the forward pass may give any factor
        pairs = not _explained([one for one in causes if one.factor is not None], wrong)
        found = slipped(groups, subject, autograd, multiple, pairs)
        causes = [*found, *(cause for cause in causes if not (found and cause.general))]
    if usable and not _explained(causes, wrong):
        causes += _fading([[one for one in every if one.look in group] for group in groups])
    return best(causes)


def of_own_loss(cause: Cause) -> Cause:
    """A cause told of the derivative of the user's own loss, where there is no PyTorch."""
    told = re.sub(r"PyTorch's gradient\b|PyTorch's(?! (numbers|\d))", "the derivative", cause.told)
    told = told.replace("PyTorch's", "the derivative's").replace("PyTorch does", "the loss does")
    return replace(cause, told=told)


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


def _rules(every: Sequence[Known]) -> list[Cause]:
    """An adaptive update rule, if that is what every step is."""
    found = [adaptive(one.gradients) for one in every]
    return [one for one in found[:1] if one is not None and all(found)]


def _fading(groups: Sequence[Sequence[Known]]) -> list[Cause]:
    """A difference that shrinks with the learning rate, though not in exact proportion."""
    found = [_fades(*group[:2]) for group in groups if len(group) > 1 and group[0].look.wrong]
    return [] if None in found else [one for one in found[:1] if one is not None]


def _fades(first: Known, second: Known) -> Cause | None:
    wrong = first.look.wrong
    before, after = (_distances(one, wrong) for one in (first, second))
    if not all(SLOWER / 2 <= before[n] / max(after[n], 1e-300) <= SLOWER * 2 for n in wrong):
        return None
    part = len(wrong) < len(first.weights)
    name = EARLY if part else "weights updated more than once in a step"
    what = (
        "some weights are updated before the error is propagated through them"
        if part
        else "weights are updated after each sample, or batch, of several"
    )
    remedy = "compute all gradients first, then update all parameters, once"
    told = (
        f"with a learning rate of {second.look.seen.lr:g} instead of {first.look.seen.lr:g} all "
        f"differences shrink by a factor of about "
        f"{min(before[n] / after[n] for n in wrong):.2g}: {what}"
    )
    return Cause(name, told, remedy, 1.0, wrong)


def _distances(one: Known, names: Sequence[str]) -> dict[str, float]:
    return {n: float(np.abs(one.actual[n] - one.expected[n]).max(initial=0)) for n in names}
