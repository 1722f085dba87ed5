"""Faults of the binary cross-entropies."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.layers import as_if, cache_of, loss_slope, loss_terms, output_of, when
from compare.faults.changes.methods import around, options
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
from reference import Array
from reference.support.special import sigmoid, softplus


def _weight(self: Any, name: str = "weight") -> Any:
    weight = getattr(self, name)
    return 1.0 if weight is None else weight


def _weighted(self: Any) -> bool:
    return self.pos_weight is not None


def _log_with(eps: float) -> Any:
    """The loss with ε added within the logarithms."""

    def terms(self: Any, y: Array, t: Array) -> Any:
        return -_weight(self) * (t * np.log(y + eps) + (1 - t) * np.log(1 - y + eps))

    return terms


def _clipped(self: Any, y: Array, t: Array) -> Any:
    inner = np.where(y < 1e-7, 1e-7, np.where(y > 1 - 1e-7, 1 - 1e-7, y))
    return -_weight(self) * (t * np.log(inner) + (1 - t) * np.log(1 - inner))


def _plain(self: Any, y: Array, t: Array) -> Any:
    """The logit's loss as it stands, without care for overflow."""
    yes = _weight(self, "pos_weight") * t
    p = 1 / (1 + np.exp(-y))
    return -_weight(self) * (yes * np.log(p) + (1 - t) * np.log(1 - p))


def _sigmoid_again(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    p = sigmoid(cache[0])
    return right(self, cache, dloss) * (p * (1 - p))


def _first(right: Method, self: Any, y: Array, target: Array) -> Any:
    return right(self, sigmoid(y), target)


def _remembered(right: Method, self: Any, y: Array, target: Array) -> Any:
    loss, cache = right(self, y, target)
    return loss, (cache, y)


def _none_at_the_ends(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    inner, y = cache
    return np.where((y > 0) & (y < 1), right(self, inner, dloss), 0)


_CERTAIN = {**around("forward", _remembered), **around("backward", _none_at_the_ends)}
_REMEDY = "∂l/∂y = w (y − t)/(y (1 − y))"
_LOGITS = "∂l/∂x = w [(1 − t) σ(x) − q t σ(−x)], which is σ(x) − t without weights"


def _pos_weight_on_both_terms(self: Any, x: Array, t: Array) -> Any:
    return _weight(self) * _weight(self, "pos_weight") * (t * softplus(-x) + (1 - t) * softplus(x))


def _pos_weight_on_the_target(self: Any, x: Array, t: Array) -> Any:
    return _weight(self) * (sigmoid(x) - _weight(self, "pos_weight") * t)


BINARY = faults(
    "BCELoss", Right("keep logarithms above −100 instead, as PyTorch does"),
    Row("ε in the loss, not in the gradient", "the loss is −log(p + ε), the gradient −1/p",
        "output", loss_terms(_log_with(1e-7)), needs="probabilities near 0 or 1"),
    Row("probabilities clipped", "probabilities are kept 1e-7 away from 0 and 1, as in Keras",
        "output", loss_terms(_clipped), needs="probabilities near 0 or 1"),
    Right("divide by y (1 − y), but by 1e-12 at least"),
    Row("no gradient where a prediction is certain",
        "where y is 0 or 1 the gradient is 0, as if the guard had no slope", "dx",
        _CERTAIN, needs="predictions of exactly 0 and 1 that are wrong"),
    Right(f"{_REMEDY}, with y (1 − y) at least 1e-12"),
    Row("ε added to the divisor", "the gradient is (y − t)/(y (1 − y) + ε)", "dx",
        loss_slope(lambda self, y, t: _weight(self) * (y - t) / (y * (1 - y) + 1e-7)),
        needs="probabilities near 0 or 1"),
    Right(_REMEDY),
    Row("fused with the sigmoid",
        "the gradient is y − t, that of the logits, though the sigmoid comes before it", "dx",
        loss_slope(lambda self, y, t: _weight(self) * (y - t))),
    Row("second term missing in the gradient",
        "the gradient is −t/y: that of (1 − t) log(1 − y) is forgotten", "dx",
        loss_slope(lambda self, y, t: -_weight(self) * t / y)),
    Row("sign of the second term",
        "the gradient is −t/y − (1 − t)/(1 − y): the inner derivative −1 is forgotten", "dx",
        loss_slope(lambda self, y, t: -_weight(self) * (t / y + (1 - t) / (1 - y)))),
    Right("l = −[t log y + (1 − t) log(1 − y)]"),
    Row("second term missing", "the loss is −t log y: what is not so does not count", "output",
        loss_terms(lambda self, y, t: -_weight(self) * (t * np.log(y)))),
    ("BCELoss", "BCEWithLogitsLoss"), Right("multiply the gradient by w, too"),
    Row("weight in the loss, not in the gradient",
        "the gradient is that of the loss without weights", "dx",
        cache_of(as_if(weight=None)), needs="a weight"),
    ("BCELoss", "BCEWithLogitsLoss"), Right("multiply the loss by w, too"),
    Row("weight in the gradient, not in the loss", "the loss is the one without weights", "output",
        output_of(as_if(weight=None)), needs="a weight"),
    "BCEWithLogitsLoss", Right("give the loss logits, what comes before the sigmoid"),
    Row("sigmoid applied twice", "the network ends in a sigmoid, and the loss applies another",
        "output", around("forward", _first)),
    Right(_LOGITS),
    Row("sigmoid's backward again",
        "the fused gradient σ(x) − t is multiplied by σ (1 − σ) as well", "dx",
        around("backward", _sigmoid_again)),
    Row("sigmoid missing in the gradient", "the gradient is x − t", "dx",
        loss_slope(lambda self, x, t: _weight(self) * (x - t))),
    Right("−log σ(x) = max(−x, 0) + log(1 + e^−|x|)"),
    Row("overflow", "log σ(x) as it stands is −∞ where σ(x) is rounded to 0", "output",
        loss_terms(_plain), needs="large logits"),
    Right(_LOGITS),
    Row("pos_weight in the loss, not in the gradient",
        "the gradient is that of the loss without pos_weight", "dx",
        cache_of(as_if(pos_weight=None)), needs="a pos_weight"),
    Right("multiply t log σ(x) by q"),
    Row("pos_weight ignored", "loss and gradient are those without pos_weight", "output",
        options("forward", pos_weight=None), needs="a pos_weight"),
    Right("multiply t log σ(x) alone by q"),
    Row("pos_weight on both terms", "both outcomes are weighted by q", "output",
        loss_terms(_pos_weight_on_both_terms), needs="a pos_weight"),
    Right(_LOGITS),
    Row("pos_weight on the target in the gradient",
        "the gradient is σ(x) − q t: q is missing before σ(x)", "dx",
        when(_weighted, loss_slope(_pos_weight_on_the_target)), needs="a pos_weight"),
)  # fmt: skip
