"""Which side is wrong: each side's gradient against the derivative of that side's own loss.

As in :mod:`compare.training.which_side`, the loss itself is asked in the direction in which the two
gradients differ most, along their difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import Array
from compare.measure.rounding import unit_roundoff
from compare.own.comparison.against_torch import Look
from compare.own.explain.loss_difference import relation
from compare.own.oracle.autograd import Autograd
from compare.own.oracle.tolerance import coarsest
from compare.own.user.network import Subject
from compare.own.user.own_loss import LEAST, Differentiator
from compare.referee.claim import Claim, judge_claim
from compare.referee.derivative import Derivative, stride
from compare.referee.differences import central
from compare.referee.opinion import Finding


class Wrong(Enum):
    """What was found, in words."""

    BACKWARD = "your backward is wrong: it is not the derivative of your own loss"
    FORWARDS = (
        "your backward is the derivative of your own loss, and autograd's is that of torch_loss: "
        "the two losses, or the networks before them, are not the same function"
    )
    LOSS = (
        "your gradients are right: they are those of torch_loss; the loss that you gave, loss=, is "
        "another function"
    )
    AUTOGRAD = (
        "PyTorch's side is wrong: autograd's gradient is not the derivative of torch_loss (a "
        "detached tensor, a custom backward, or a bug of PyTorch)"
    )
    BOTH = "neither gradient is the derivative of its own loss"
    OWN_SIDE = (
        "autograd's gradient is the derivative of torch_loss, so either your backward is wrong or "
        "torch_loss is not the loss that it descends; give your own loss as well, loss=, to tell "
        "which"
    )
    CORNER = Finding.CORNER.value
    NEARBY = (
        "which side is wrong could not be told: at weights a little off, a loss raises an error or "
        "is not finite, so there is no derivative to hold the gradients against"
    )
    SHAPES = "your gradients have not the shapes of their parameters, so your backward is wrong"
    UNCLEAR = Finding.UNCLEAR.value


#: What the claims of the user's gradient, None without a loss, and of autograd's say together.
_FOUND = {
    (Claim.RIGHT, Claim.RIGHT): Wrong.FORWARDS,
    (Claim.WRONG, Claim.RIGHT): Wrong.BACKWARD,
    (Claim.RIGHT, Claim.WRONG): Wrong.AUTOGRAD,
    (Claim.WRONG, Claim.WRONG): Wrong.BOTH,
    (None, Claim.RIGHT): Wrong.OWN_SIDE,
    (None, Claim.WRONG): Wrong.AUTOGRAD,
}


@dataclass(frozen=True)
class Judgement:
    """Which side is wrong, and the numbers behind it.

    Attributes:
        wrong: what was found.
        own: the derivative of the user's loss along the difference, if there is a loss.
        own_claim: what the user's gradient says it is.
        torch: the derivative of PyTorch's.
        torch_claim: what autograd says it is.
        relation: what the user's loss is of torch_loss, in words, if it is another function.
    """

    wrong: Wrong
    own: Derivative | None = None
    own_claim: float = math.nan
    torch: Derivative | None = None
    torch_claim: float = math.nan
    relation: str = ""

    def __str__(self) -> str:
        found = f"{self.wrong.value}: your loss is {self.relation}"
        return self._with_numbers(found if self.relation else self.wrong.value)

    def _with_numbers(self, found: str) -> str:
        told = [
            f"{which} changes by {found.value:.9g} ({found.method}), and its gradient is off "
            f"by {abs(claim - found.value):.2g}"
            for which, found, claim in (
                ("your loss", self.own, self.own_claim),
                ("torch_loss", self.torch, self.torch_claim),
            )
            if found is not None
        ]
        if not told:
            return found
        return f"{found}. Where the two differ most, {'; '.join(told)}"


def judge(subject: Subject, autograd: Autograd, looks: Sequence[Look]) -> Judgement | None:
    """Say which side is wrong; where there is a corner, at the next weights on which they disagree.

    Where gradients differ that is asked of them, elsewhere of the losses.

    Args:
        subject: the user's side.
        autograd: PyTorch's.
        looks: both sides, at all weights.

    Returns:
        The judgement; None if nothing differs.
    """
    first = None
    for look in [one for one in looks if one.wrong]:
        found = _judge(subject, autograd, look)
        if found.wrong is not Wrong.CORNER:
            return found
        first = first or found
    other = next((one for one in looks if one.failed), None)
    if first is not None or other is None:
        return first
    return Judgement(Wrong.LOSS, relation=_relation(subject, autograd, other))


def _relation(subject: Subject, autograd: Autograd, look: Look) -> str:
    dtype = coarsest(look.expected.dtype, *(value.dtype.name for value in look.weights.values()))
    return relation(subject, autograd, look.weights, dtype)


def _judge(subject: Subject, autograd: Autograd, look: Look) -> Judgement:
    weights, actual, expected = look.weights, look.seen.gradients, look.expected
    wrong = [name for name in look.wrong if actual[name].shape == weights[name].shape]
    if not wrong:
        return Judgement(Wrong.SHAPES)
    theirs = expected.gradients
    if look.put_back:
        subject.start(weights)
    difference = {name: actual[name].astype(float) - theirs[name] for name in wrong}
    distance = _length(difference, wrong)
    if distance == 0 or not math.isfinite(distance):
        return Judgement(Wrong.UNCLEAR)
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
    return Judgement(found, own, claims[0], torch, claims[1], told)


def _differ(found: Wrong, look: Look) -> bool:
    """Whether the losses are different functions, as is seen by their values."""
    if found is not Wrong.FORWARDS or look.own_loss is None:
        return False
    return abs(look.own_loss - look.expected.loss) > 1e-12 * abs(look.expected.loss)


def _found(has_loss: bool, own: Claim | None, torch: Claim | None) -> Wrong:
    if torch is None or (has_loss and own is None):
        return Wrong.NEARBY
    if Claim.CORNER in (own, torch):
        return Wrong.CORNER
    return _FOUND.get((own, torch), Wrong.UNCLEAR)


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
