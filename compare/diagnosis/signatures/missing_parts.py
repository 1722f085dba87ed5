"""Gradients of which a part is lost: zero, one number for all, one sample for the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import log10

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence.finding import Finding, explains
from compare.diagnosis.evidence.gradient import ENOUGH, Gradient, digits, remaining

_SUMMARIES: dict[str, Callable[[Array], Array]] = {
    "the sum": np.sum,
    "the mean": np.mean,
    "the first": lambda array: array.flat[0],
    "the last": lambda array: array.flat[-1],
}

#: How often the two vectors of an outer product are fitted.
_ROUNDS = 3


def lost(every: Sequence[Gradient]) -> list[Finding]:
    """What each wrong gradient has lost, the simplest that explains it."""
    found: list[Finding] = []
    for gradient in every:
        if gradient.wrong:
            for kind in (_not_finite, _zero, _one_number, _rank_one):
                some = list(kind(gradient))
                found += some
                if some:
                    break
    return found


def _not_finite(gradient: Gradient) -> Iterator[Finding]:
    """Nothing else can be said of numbers that are none, nor of those computed beside them."""
    for side, array in (("this side", gradient.actual), ("PyTorch", gradient.expected)):
        bad = int(np.count_nonzero(~np.isfinite(array)))
        if bad:
            yield Finding(
                gradient.name,
                "not finite",
                f"{bad} of {array.size} entries are NaN or infinite on {side}",
                "look for an overflow, a logarithm of 0 or a division by 0 on the way; the rest "
                "can be judged once these are numbers",
                0.0,
            )


def _zero(gradient: Gradient) -> Iterator[Finding]:
    """Exactly zero, all of it or where it is wrong: no other fault gives just that."""
    actual, expected = gradient.actual, gradient.expected
    if not gradient.same_shape:
        return
    if (np.abs(actual) <= gradient.allowed).all():
        exactly = "" if not actual.any() else ", but for rounding,"
        yield Finding(
            gradient.name,
            "never trained",
            f"zero{exactly} in all {actual.size} entries, and PyTorch's is not",
            "compute this gradient, and hand it to the update",
            0.0,
        )
        return
    zero = actual == 0
    match = remaining(actual, np.where(zero, 0, expected), gradient.allowed)
    missed = int((np.abs(expected) > gradient.allowed)[zero].sum())
    if match <= 1 and digits(expected[zero], gradient.allowed[zero]).sum() >= ENOUGH:
        yield Finding(
            gradient.name,
            "trained in part",
            f"right, but for {missed} of {actual.size} entries that are zero and should not be",
            "look for what masks these entries, or never reaches them",
            match,
        )


def _one_number(gradient: Gradient) -> Iterator[Finding]:
    """The same number everywhere, or one scalar, where PyTorch has one for each unit."""
    actual, expected = gradient.actual, gradient.expected
    if expected.size < 2 or actual.size == 0 or not _alike(gradient):
        return
    total = gradient.allowed.sum()
    for what, summary in _SUMMARIES.items():
        predicted = np.broadcast_to(np.asarray(summary(expected)), actual.shape)
        allowed = np.broadcast_to(
            total if what == "the sum" else total / expected.size, actual.shape
        )
        if what not in ("the sum", "the mean"):
            allowed = np.broadcast_to(summary(gradient.allowed), actual.shape)
        match = explains(gradient, predicted, allowed, log10(len(_SUMMARIES)))
        if match <= 1:
            yield _same(gradient, f"{what} of PyTorch's {expected.size}", match)
            return
    worth = digits(gradient.unexplained, gradient.allowed.max())
    if gradient.same_shape and worth.sum() - worth.max() >= ENOUGH:
        middle = np.full(actual.shape, (actual.max() + actual.min()) / 2)
        yield _same(gradient, f"{middle.flat[0]:.6g}", explains(gradient, middle, gradient.allowed))


def _alike(gradient: Gradient) -> bool:
    spread = gradient.actual.max() - gradient.actual.min()
    return bool(spread <= 2 * gradient.allowed.min())


def _same(gradient: Gradient, number: str, match: float) -> Finding:
    return Finding(
        gradient.name,
        "one number for all units",
        f"the same number in each entry, {number}, where PyTorch's differ",
        "sum over the batch only, and keep one number for each unit",
        match,
    )


def _rank_one(gradient: Gradient) -> Iterator[Finding]:
    """An outer product of two vectors, where PyTorch's is a sum of several.

    One pays for the two vectors with the entries that say most.
    """
    actual = gradient.actual
    if not gradient.same_shape or actual.ndim != 2 or min(actual.shape) < 2:
        return
    predicted = _outer(actual, gradient.allowed)
    match = remaining(actual, predicted, gradient.allowed)
    worth = np.sort(digits(actual, gradient.allowed))[: 1 - sum(actual.shape)]
    if match > 1 or worth.sum() < ENOUGH:
        return
    if not is_outer(gradient):
        yield Finding(
            gradient.name,
            "rank one",
            "an outer product of two vectors, where PyTorch's is a sum of several",
            "sum the outer products of all samples (or steps): this is that of one of them, or of "
            "sums over the batch; or the activation's derivative is missing from the error",
            match,
        )


def is_outer(gradient: Gradient) -> bool:
    """Whether PyTorch's gradient is an outer product of two vectors itself."""
    expected, allowed = gradient.expected, gradient.allowed
    return remaining(expected, _outer(expected, allowed), allowed) <= 1


def _outer(array: Array, allowed: Array) -> Array:
    """The outer product nearest to the array, its entries weighed by what is allowed of them.

    From its largest row, each of the two vectors is fitted to the other in turn. If the array is an
    outer product, the first round finds it, and the others even out the errors.
    """
    weight = 1 / np.maximum(allowed / allowed.max(), 1e-8) ** 2 if allowed.max() else allowed + 1
    v = array[np.abs(array).max(axis=1).argmax()]
    u = np.zeros(len(array))
    for _ in range(_ROUNDS):
        u = _ratio(weight * array @ v, weight @ v**2)
        v = _ratio((weight * array).T @ u, weight.T @ u**2)
    return np.asarray(np.outer(u, v))


def _ratio(numerator: Array, denominator: Array) -> Array:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
