"""Which side is wrong: each side's gradient against the derivative of that side's own loss.

As in :mod:`compare.training.which_side`, the loss itself is asked in the direction in which the two
gradients differ most, along their difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import Array
from compare.measure.rounding import unit_roundoff
from compare.own.comparison.against_torch import Look
from compare.own.explain.loss_difference import relation
from compare.own.oracle.autograd import Autograd
from compare.own.oracle.gradient_tolerance import coarsest
from compare.own.user.network import Subject
from compare.own.user.own_loss import LEAST, Differentiator
from compare.referee.claim import Claim, judge_claim
from compare.referee.derivative import Derivative, stride
from compare.referee.differences import central
from compare.referee.opinion import Finding, Opinion, Slope

#: What the claims of the user's gradient, None without a loss, and of autograd's say together.
_FINDINGS = {
    (Claim.RIGHT, Claim.RIGHT): Finding.LOSSES,
    (Claim.WRONG, Claim.RIGHT): Finding.BACKWARD,
    (Claim.RIGHT, Claim.WRONG): Finding.TORCH,
    (Claim.WRONG, Claim.WRONG): Finding.BOTH,
    (None, Claim.RIGHT): Finding.NO_LOSS,
    (None, Claim.WRONG): Finding.TORCH,
}


def judge(subject: Subject, autograd: Autograd, looks: Sequence[Look]) -> Opinion | None:
    """Say which side is wrong; where there is a corner, at the next weights on which they disagree.

    Where gradients differ that is asked of them, elsewhere of the losses.

    Args:
        subject: the user's side.
        autograd: PyTorch's.
        looks: both sides, at all weights.

    Returns:
        The opinion; None if nothing differs.
    """
    first = None
    for look in [one for one in looks if one.wrong]:
        found = _judge(subject, autograd, look)
        if found.finding is not Finding.CORNER:
            return found
        first = first or found
    other = next((one for one in looks if one.failed), None)
    if first is not None or other is None:
        return first
    return Opinion(Finding.OTHER_LOSS, relation=_relation(subject, autograd, other))


def _relation(subject: Subject, autograd: Autograd, look: Look) -> str:
    dtype = coarsest(look.expected.dtype, *(value.dtype.name for value in look.weights.values()))
    return relation(subject, autograd, look.weights, dtype)


def _judge(subject: Subject, autograd: Autograd, look: Look) -> Opinion:
    weights, actual, expected = look.weights, look.seen.gradients, look.expected
    wrong = [name for name in look.wrong if actual[name].shape == weights[name].shape]
    if not wrong:
        return Opinion(Finding.SHAPES)
    theirs = expected.gradients
    if look.put_back:
        subject.start(weights)
    difference = {name: actual[name].astype(float) - theirs[name] for name in wrong}
    distance = _length(difference, wrong)
    if distance == 0 or not math.isfinite(distance):
        return Opinion(Finding.UNCLEAR)
    direction = {name: d / distance for name, d in difference.items()}
    claims = [_along(direction, one) for one in (actual, theirs)]
    own = _own(subject, weights, direction)
    torch = _torch(autograd, weights, direction, expected.dtype)
    noise = 64 * unit_roundoff(np.dtype(expected.dtype)) * _length(theirs, wrong)
    off_by = _length(expected.off_by, [name for name in wrong if name in expected.off_by])
    claimed = tuple(
        None if one is None else judge_claim(one, claim, distance, noise + known)
        for one, claim, known in ((own, claims[0], 0.0), (torch, claims[1], off_by))
    )
    found = _found(subject.has_loss, *claimed)
    told = _relation(subject, autograd, look) if _differ(found, look) else ""
    return Opinion(
        found,
        None if own is None else Slope("your loss", own, claims[0]),
        None if torch is None else Slope("torch_loss", torch, claims[1]),
        relation=told,
    )


def _differ(found: Finding, look: Look) -> bool:
    """Whether the losses are different functions, as is seen by their values."""
    if found is not Finding.LOSSES or look.own_loss is None:
        return False
    return abs(look.own_loss - look.expected.loss) > 1e-12 * abs(look.expected.loss)


def _found(has_loss: bool, own: Claim | None, torch: Claim | None) -> Finding:
    if torch is None or (has_loss and own is None):
        return Finding.NEARBY
    if Claim.CORNER in (own, torch):
        return Finding.CORNER
    return _FINDINGS.get((own, torch), Finding.UNCLEAR)


def _length(tensors: Mapping[str, Array], names: Sequence[str]) -> float:
    return math.sqrt(sum(float((tensors[name] ** 2).sum()) for name in names))


def _along(direction: Mapping[str, Array], gradients: Mapping[str, Array]) -> float:
    return sum(float((gradients[name] * d).sum()) for name, d in direction.items())


def _own(
    subject: Subject, weights: Mapping[str, Array], direction: Mapping[str, Array]
) -> Derivative | None:
    if not subject.has_loss:
        return None
    try:
        return Differentiator(subject.loss, weights).along(direction)
    except CannotCompare:
        return None


def _torch(
    autograd: Autograd, weights: Mapping[str, Array], direction: Mapping[str, Array], dtype: str
) -> Derivative | None:
    def loss(t: float) -> float:
        return autograd.loss({n: v + t * direction.get(n, 0.0) for n, v in weights.items()})

    length = stride(weights, direction, LEAST)
    try:
        found = central(loss, length, unit_roundoff(np.dtype(dtype)))
    except CannotCompare:
        return None
    return found if math.isfinite(found.value) else None
