"""What the loss that a user gave is of torch_loss, where the two are not the same function."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import Array
from compare.own.explain.epsilon import EPSILONS, Epsilon
from compare.own.oracle.autograd import Autograd
from compare.own.oracle.drawn_weights import draw
from compare.own.user.network import Subject
from compare.own.user.own_loss import as_loss

#: At so many more weights both losses are looked at, drawn with seeds from here on.
MORE, SEED = 3, 1_000_000

#: Two losses are the same to within this share, in float64 and in float32.
SAME = {"float64": 1e-9, "float32": 1e-4}

#: What explains a difference leaves at most this share of it.
CLEARLY = 0.01

OPPOSITE = "with the opposite sign"

#: A difference below this share of the loss is small.
SMALL = 1e-3


def relation(subject: Subject, autograd: Autograd, weights: Mapping[str, Array], dtype: str) -> str:
    """What the user's loss is, in words: twice torch_loss, or how far it is off.

    Args:
        subject: the user's side.
        autograd: PyTorch's.
        weights: at which they differ.
        dtype: the coarsest that took part.

    Returns:
        The end of a sentence that begins with *it is*; empty if neither could be computed.
    """
    points = [weights, *(draw(weights, SEED + number) for number in range(MORE))]
    pairs = list(_pairs(subject, autograd, points))
    if not pairs:
        return ""
    at, own, theirs = [one[0] for one in pairs], *(np.array([p[i] for p in pairs]) for i in (1, 2))
    same = SAME[dtype]
    return (
        _simple(own, theirs, same)
        or _with_epsilon(autograd, at, own, theirs, same)
        or _apart(own, theirs)
    )


def _pairs(
    subject: Subject, autograd: Autograd, points: Sequence[Mapping[str, Array]]
) -> Iterator[tuple[Mapping[str, Array], float, float]]:
    """Both losses wherever they are numbers."""
    for at in points:
        try:
            own = as_loss(subject.loss(at))
            theirs = autograd.loss(at)
        except CannotCompare:
            continue
        if math.isfinite(theirs):
            yield at, own, theirs


def _simple(own: Array, theirs: Array, same: float) -> str:
    """A constant factor or offset, if one explains all of them."""
    if len(own) < 2:
        return ""
    square = float(theirs @ theirs)
    factor = float(own @ theirs) / square if square > 0 else 0.0
    if factor and _explains(factor * theirs, own, theirs, same):
        opposite = abs(factor + 1) <= same
        return f"torch_loss {OPPOSITE}" if opposite else f"{_number(factor)} times torch_loss"
    offset = float(np.median(own - theirs))
    if _explains(theirs + offset, own, theirs, same):
        return f"torch_loss {'plus' if offset > 0 else 'minus'} {_number(abs(offset))}"
    return ""


def _explains(guess: Array, own: Array, theirs: Array, same: float) -> bool:
    """Whether a guess is what the user's loss is, and far nearer to it than torch_loss."""
    left, size = np.abs(own - guess).max(), np.abs(own).max() + np.abs(theirs).max()
    return bool(left <= same * size and left <= CLEARLY * np.abs(own - theirs).max())


def _with_epsilon(
    autograd: Autograd, at: Sequence[Mapping[str, Array]], own: Array, theirs: Array, same: float
) -> str:
    """A small number that is added within logarithms, if that explains all of them."""
    for epsilon in EPSILONS:
        mode = Epsilon(epsilon)
        with mode:
            moved = np.array([autograd.loss(one) for one in at])
        if not mode.used:
            return ""
        if _explains(moved, own, theirs, same):
            return f"torch_loss with {epsilon:g} added inside its logarithms"
    return ""


def _apart(own: Array, theirs: Array) -> str:
    """How far they are apart."""
    shares = np.abs(own - theirs) / np.maximum(np.abs(theirs), 1e-300)
    least, most = float(shares.min()), float(shares.max())
    told = f"off from torch_loss by {least:.2g} to {most:.2g} of that, by no one factor or offset"
    if most > SMALL:
        return told
    return (
        f"{told}; so little is what a small number adds that is put inside a logarithm, a root or "
        f"a quotient, or at which something is clipped"
    )


def _number(value: float) -> str:
    """A number to as many digits as it seems to have, or as one over a whole one."""
    if abs(value) < 1 and abs(1 / value - round(1 / value)) <= 1e-9 * abs(1 / value):
        return f"{'-' if value < 0 else ''}1/{abs(round(1 / value))}"
    for digits in range(1, 10):
        if abs(float(f"{value:.{digits}g}") - value) <= 1e-9 * abs(value):
            return f"{value:.{digits}g}"
    return f"{value:.9g}"
