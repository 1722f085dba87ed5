"""What a second observation tells: whether the difference depends on lr, or on the step."""

from __future__ import annotations

from collections.abc import Sequence

from compare.diagnosis.evidence import fit
from compare.diagnosis.evidence.facts import Facts, Other
from compare.diagnosis.evidence.fit import Fit
from compare.diagnosis.evidence.gradient import Gradient, gradients, remaining, wrong_names
from compare.diagnosis.signatures.additions import differences
from compare.results.cause import Cause, listed


def carried(every: Sequence[Gradient], facts: Facts) -> list[Cause]:
    """A difference that is what the step before left, or a constant times what was right there."""
    other = facts.other
    if other is None or not _before(facts, other):
        return []
    lines = list(differences(every, other.expected, other.allowed))
    once = fit.at(1.0, list(differences(every, other.actual, other.allowed)), price=0.0)
    causes = [_accumulated(once)] if once else []
    parts = fit.free(lines)
    if once:
        parts = [part for part in parts if not set(part.names) <= set(once.names)]
    return causes + [_carried(part, facts, other) for part in parts]


def lr_dependent(every: Sequence[Gradient], facts: Facts) -> list[Cause]:
    """A difference that is proportional to the learning rate, from the same weights."""
    other = facts.other
    if other is None or not facts.lr or not other.lr or facts.lr == other.lr:
        return []
    if facts.step != other.step:
        return []
    second = gradients(other.actual, other.expected, other.allowed)
    basis = {g.name: g.actual - g.expected for g in second if g.same_shape and g.finite}
    lines = list(differences(every, basis, {g.name: g.allowed for g in second}))
    one = fit.at(facts.lr / other.lr, lines, price=0.0)
    if one is None:
        return []
    more = "shrinks" if facts.lr > other.lr else "grows"
    return [
        Cause(
            "weights updated before the error is propagated through them",
            f"{listed(one.names)}: the difference is proportional to the learning rate, and "
            f"{more} from lr {facts.lr:g} to {other.lr:g} as they do: weights are updated before "
            f"the error is propagated through them",
            "compute all gradients first, then update all parameters",
            one.match,
            one.names,
        )
    ]


def only_later(every: Sequence[Gradient], facts: Facts) -> list[Cause]:
    """Right at the step before, wrong now: what differs between the two is what matters."""
    other = facts.other
    wrong = wrong_names(every)
    if other is None or not wrong or not _before(facts, other):
        return []
    second = gradients(other.actual, other.expected, other.allowed)
    same = {gradient.name for gradient in second} >= set(wrong)
    if not same or wrong_names(second):
        return []
    match = max(remaining(g.actual, g.expected, g.allowed) for g in second)
    changed = bool(facts.lr and other.lr and facts.lr != other.lr)
    first = other.step == 1
    causes = [_later(wrong, match, facts, other)] if first or not changed else []
    return causes + ([_lr_changed(wrong, match, facts, other)] if changed else [])


def _before(facts: Facts, other: Other) -> bool:
    return facts.step is not None and other.step is not None and other.step < facts.step


def _accumulated(one: Fit) -> Cause:
    return Cause(
        "gradients accumulated",
        f"{listed(one.names)}: too much by exactly the step before: accumulated, never reset",
        "set the gradients to zero before each backward pass",
        one.match,
        one.names,
    )


def _carried(one: Fit, facts: Facts, other: Other) -> Cause:
    """A part of the step before, too much or missing."""
    if facts.lr and other.lr and facts.lr != other.lr:
        momentum = one.constant / (1 - facts.lr / other.lr)
        if 0 < momentum < 1:
            return _inside_buffer(one, facts, other, momentum)
    extra = one.constant > 0
    return Cause(
        "state kept too long" if extra else "state lost",
        f"{listed(one.names)}: off by {one.constant:.6g} times the step before: "
        + ("more of it is remembered than should be" if extra else "it is not remembered"),
        "keep momentum and moments from step to step, one set for each parameter, and nothing else",
        one.match,
        one.names,
    )


def _inside_buffer(one: Fit, facts: Facts, other: Other, momentum: float) -> Cause:
    return Cause(
        "learning rate inside the momentum buffer",
        f"{listed(one.names)}: off by {one.constant:.6g} times the step before, as lr went from "
        f"{other.lr:g} to {facts.lr:g}: the buffer, with momentum {momentum:.6g}, has the old lr",
        "keep lr out of the buffer: buffer = momentum · buffer + gradient, step = lr · buffer",
        one.match,
        one.names,
    )


def _later(wrong: tuple[str, ...], match: float, facts: Facts, other: Other) -> Cause:
    return Cause(
        f"only from step {facts.step}",
        f"{listed(wrong)}: wrong at step {facts.step}, but all were right at step {other.step}: "
        f"something is carried from step to step, as gradients never reset, or state",
        "look at what survives a step: gradients, momentum, moments, the count of steps",
        match,
        wrong,
    )


def _lr_changed(wrong: tuple[str, ...], match: float, facts: Facts, other: Other) -> Cause:
    return Cause(
        "only once lr changes",
        f"{listed(wrong)}: all were right with lr {other.lr:g}, and wrong with lr {facts.lr:g}: "
        f"the old learning rate is still in what is remembered",
        "keep lr out of the momentum buffer, and read the schedule before the update",
        match,
        wrong,
    )
