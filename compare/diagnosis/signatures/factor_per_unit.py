"""Gradients that are PyTorch's with a factor of its own for each unit, or for each input.

The gradient of a fully connected layer's weight is a sum of outer products of the error at its
output and its input. With one sample (or an error that is wrong alike in all samples), a wrong
error gives each row a factor of its own, and a wrong input each column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence.finding import Finding
from compare.diagnosis.evidence.fit import ends
from compare.diagnosis.evidence.gradient import ENOUGH, Gradient, digits, remaining, rounding
from compare.diagnosis.signatures.missing_parts import is_outer

_MEANINGS = (
    (
        "one factor for each unit",
        "PyTorch's gradient with each {} times a factor of its own",
        "look at the error that reaches this layer: the activation's derivative, or a scale after "
        "the layer; its input is right",
    ),
    (
        "one factor for each input",
        "PyTorch's gradient with each {} times a factor of its own",
        "look at the input that the layer keeps for its backward pass; the error that reaches it "
        "is right",
    ),
)


def unit_factors(every: Sequence[Gradient], units: Mapping[str, int]) -> Iterator[Finding]:
    """Of each wrong gradient of a matrix: whether units or inputs have factors of their own.

    Where the right gradient is an outer product, as with one sample, any wrong error is that.

    Args:
        every: the gradients.
        units: along which axis of each matrix its units lie, if it is not the first.
    """
    for gradient in every:
        usable = gradient.wrong and gradient.finite and gradient.same_shape
        if usable and gradient.actual.ndim == 2 and not is_outer(gradient):
            first = units.get(gradient.name, 0)
            for axis, (name, told, remedy) in zip((first, 1 - first), _MEANINGS, strict=True):
                match = _match(gradient, 1 - axis)
                if match <= 1:
                    told = told.format(("row", "column")[axis])
                    yield Finding(gradient.name, name, told, remedy, match)


def _match(gradient: Gradient, along: int) -> float:
    """How well factors that are constant along an axis explain the gradient."""
    factors = _factors(gradient, along)
    predicted = factors * gradient.expected
    allowed = gradient.allowed * np.maximum(np.abs(factors), 1) + rounding(predicted)
    if not np.isfinite(factors).all() or _worth(gradient, allowed, along) < ENOUGH:
        return np.inf
    return remaining(gradient.actual, predicted, allowed)


def _factors(gradient: Gradient, along: int) -> Array:
    """The middle of all factors that explain a slice; NaN if there are none."""
    x, y = gradient.expected, gradient.actual
    weight = 1 / np.maximum(gradient.allowed, 1e-70) ** 2
    xx = (weight * x * x).sum(axis=along, keepdims=True)
    guess = np.divide((weight * x * y).sum(axis=along, keepdims=True), xx, where=xx > 0, out=0 * xx)
    allowed = gradient.allowed * np.maximum(np.abs(guess), 1) + rounding(guess * x)
    low, high = ends(x, y, allowed)
    low, high = low.max(axis=along, keepdims=True), high.min(axis=along, keepdims=True)
    return np.where(low <= high, np.clip(guess, low, np.maximum(low, high)), np.nan)


def _worth(gradient: Gradient, allowed: Array, along: int) -> float:
    """Digits of agreement; each factor pays with the entry of its slice that says most."""
    told = digits(gradient.unexplained, allowed).reshape(gradient.actual.shape)
    return float(told.sum() - told.max(axis=along, initial=0).sum())
