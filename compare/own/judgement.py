"""Which side is wrong: each side's gradient against the derivative of that side's own loss.

As in :mod:`compare.referee`, the loss itself is asked in the direction in which the two gradients
differ most, along their difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from compare.claim import Claim, judge_claim
from compare.derivative import Derivative, stride
from compare.differences import central
from compare.errors import CannotCompare
from compare.observation import Array
from compare.opinion import Finding
from compare.own.against_torch import Look
from compare.own.autograd import Autograd
from compare.own.numeric import LEAST, Differentiator
from compare.own.subject import Subject
from compare.rounding import unit_roundoff


class Wrong(Enum):
    """What was found, in words."""

    BACKWARD = "your backward is wrong: it is not the derivative of your own loss"
    FORWARDS = (
        "your backward is the derivative of your own loss, and autograd's is that of torch_loss: "
        "the two losses, or the networks before them, are not the same function"
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
    """

    wrong: Wrong
    own: Derivative | None
    own_claim: float
    torch: Derivative | None
    torch_claim: float

    def __str__(self) -> str:
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
            return self.wrong.value
        return f"{self.wrong.value}. Where the two differ most, {'; '.join(told)}"


def judge(subject: Subject, autograd: Autograd, looks: Sequence[Look]) -> Judgement | None:
    """Say which side is wrong; where there is a corner, at the next weights on which they disagree.

    Args:
        subject: the user's side.
        autograd: PyTorch's.
        looks: both sides, at all weights.

    Returns:
        The judgement; None if nothing differs.
    """
    first = None
    for look in looks:
        if look.failed:
            found = _judge(subject, autograd, look)
            if found.wrong is not Wrong.CORNER:
                return found
            first = first or found
    return first


def _judge(subject: Subject, autograd: Autograd, look: Look) -> Judgement:
    weights, actual, expected = look.weights, look.seen.gradients, look.expected
    wrong = [name for name in look.wrong if actual[name].shape == weights[name].shape]
    if look.wrong and not wrong:
        return Judgement(Wrong.SHAPES, None, math.nan, None, math.nan)
    names = wrong or list(weights)
    theirs = expected.gradients
    difference = {n: (actual[n].astype(float) if wrong else 0.0) - theirs[n] for n in names}
    distance = _length(difference, names)
    if distance == 0 or not math.isfinite(distance):
        return Judgement(Wrong.UNCLEAR, None, math.nan, None, math.nan)
    direction = {name: d / distance for name, d in difference.items()}
    claims = [_along(direction, one) for one in (actual, theirs)]
    own = _own(subject, weights, direction)
    torch = _torch(autograd, weights, direction, expected.dtype)
    noise = 64 * unit_roundoff(np.dtype(expected.dtype)) * _length(theirs, names)
    off_by = _length(expected.off_by, [name for name in names if name in expected.off_by])
    claimed = tuple(
        None if one is None else judge_claim(one, claim, distance, noise + known)
        for one, claim, known in ((own, claims[0], 0.0), (torch, claims[1], off_by))
    )
    return Judgement(_found(subject.has_loss, *claimed), own, claims[0], torch, claims[1])


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
