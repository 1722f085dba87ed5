"""Faults of smooth relatives of the rectifier: GELU, SiLU, Mish and Softplus."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from compare.faults.changes.layers import as_if, cache_of, having, when
from compare.faults.changes.methods import dx_of, instead, options, y_of
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.support.special import erf, sigmoid, softplus


def _density(x: Array) -> Array:
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _distribution(x: Array) -> Array:
    return 0.5 * (1 + erf(x / math.sqrt(2)))


_ERF, _TANH = having(approximate="none"), having(approximate="tanh")


def _gate(x: Array) -> Any:
    return np.tanh(softplus(x))


def _unguarded(self: Any, x: Array) -> Any:
    return np.log(1 + np.exp(self.beta * x)) / self.beta


def _scaled(self: Any) -> bool:
    return bool(self.beta != 1)


def _tanh_without_3(self: Any, x: Array, y: Array, dy: Array) -> Array:
    c, k = math.sqrt(2 / math.pi), 0.044715
    t = np.tanh(c * (x + k * x * x * x))
    return dy * (0.5 * (1 + t) + x * (0.5 * (1 - t * t)) * (c * (1 + k * x * x)))


def _wide(x: Array) -> Any:
    gate = 0.5 * (1 + erf(x))
    return x * gate, (x, gate, _density(x))


def _wide_density(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return dy * (_distribution(x) + x * np.exp(-0.5 * x * x))


_GELU = faults("GELU", Right("y = x · ½ (1 + erf(x/√2))"),
    Row("tanh form for erf form", "the approximation by a tanh stands for the function itself",
        "output", when(_ERF, options("forward", approximate="tanh"))),
    Right("y = x · ½ (1 + tanh(√(2/π) (x + 0.044715 x³)))"),
    Row("erf form for tanh form", "the function itself stands for its approximation by a tanh",
        "output", when(_TANH, options("forward", approximate="none")), needs="approximate='tanh'"),
    Right("dx = dy (Φ(x) + x φ(x))"),
    Row("derivative of the tanh form",
        "forward uses erf, backward the derivative of the approximation by a tanh", "dx",
        when(_ERF, cache_of(as_if(approximate="tanh")))),
    Right("differentiate the tanh form itself"),
    Row("derivative of the erf form",
        "forward uses the approximation by a tanh, backward the derivative of the erf form", "dx",
        when(_TANH, cache_of(as_if(approximate="none"))), needs="approximate='tanh'"),
    Right("dx = dy (Φ(x) + x φ(x))"),
    Row("product rule's second term dropped", "the slope is the gate Φ(x) alone", "dx",
        dx_of(lambda self, x, y, dy: dy * _distribution(x))),
    Row("x missing before the density", "the slope is Φ(x) + φ(x)", "dx",
        dx_of(lambda self, x, y, dy: dy * (_distribution(x) + _density(x)))),
    Right("y = x · ½ (1 + erf(x/√2))"),
    Row("√2 missing in erf", "y = x · ½ (1 + erf(x))", "output",
        when(_ERF, instead("forward", lambda self, params, x: _wide(x)))),
    Right("φ(x) = e^(−x²/2)/√(2π)"),
    Row("√(2π) missing in the density", "the slope of Φ is e^(−x²/2)", "dx",
        when(_ERF, dx_of(_wide_density))),
    Right("the derivative of x + k x³ is 1 + 3 k x²"),
    Row("3 of the cube missing", "the inner derivative of the tanh form is 1 + 0.044715 x²", "dx",
        when(_TANH, dx_of(_tanh_without_3)), needs="approximate='tanh'"),
)  # fmt: skip


def _beta_not_cancelled(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return np.where(self.beta * x > self.threshold, dy, dy * (self.beta * sigmoid(self.beta * x)))


def _beta_missing(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return np.where(self.beta * x > self.threshold, dy, dy * sigmoid(x))


def _not_divided(self: Any, params: Params, x: Array) -> Any:
    return softplus(self.beta * x), (self.beta * x, self.beta * x > self.threshold)


_GATED = faults(
    "SiLU", Right("dx = dy σ (1 + x (1 − σ))"),
    Row("product rule's second term dropped", "the slope is the gate σ(x) alone", "dx",
        dx_of(lambda self, x, y, dy: dy * sigmoid(x))),
    Row("product rule's first term dropped", "the slope is x σ (1 − σ)", "dx",
        dx_of(lambda self, x, y, dy: dy * (x * sigmoid(x) * (1 - sigmoid(x))))),
    Row("parentheses lost", "the slope is σ + x (1 − σ): σ multiplies the first term only", "dx",
        dx_of(lambda self, x, y, dy: dy * (sigmoid(x) + x * (1 - sigmoid(x))))),
    Right("dx = dy (y + σ (1 − y)), with σ = σ(x) and y = x σ"),
    Row("y taken for σ", "the slope is y + σ (1 − y) with σ and y exchanged", "dx",
        dx_of(lambda self, x, y, dy: dy * (sigmoid(x) + y * (1 - y)))),
    "Mish", Right("dx = dy (t + x (1 − t²) σ(x))"),
    Row("product rule's second term dropped", "the slope is the gate tanh(softplus(x)) alone", "dx",
        dx_of(lambda self, x, y, dy: dy * _gate(x))),
    Row("slope of the softplus missing",
        "the slope is t + x (1 − t²): the inner derivative σ(x) is forgotten", "dx",
        dx_of(lambda self, x, y, dy: dy * (_gate(x) + x * (1 - _gate(x) * _gate(x))))),
    "Softplus", Right("dx = dy σ(βx)"),
    Row("β not cancelled in the derivative",
        "the slope is β σ(βx): the 1/β before the logarithm is forgotten", "dx",
        dx_of(_beta_not_cancelled), needs="β ≠ 1"),
    Row("β missing in the derivative", "the slope is σ(x)", "dx",
        when(_scaled, dx_of(_beta_missing)), needs="β ≠ 1"),
    Right("y = log(1 + e^(βx))/β"),
    Row("not divided by β", "y = log(1 + e^(βx))", "output",
        when(_scaled, instead("forward", _not_divided)), needs="β ≠ 1"),
    Right("dx = dy where βx exceeds the threshold"),
    Row("derivative knows no threshold", "the slope is σ(βx) also where y = x", "dx",
        dx_of(lambda self, x, y, dy: dy * sigmoid(self.beta * x)),
        needs="inputs above a low threshold"),
    Right("y = max(x, 0) + log(1 + e^−|x|), or y = x beyond a threshold"),
    Row("overflow", "log(1 + eˣ) as it stands overflows for large x, and no threshold catches it",
        "output", y_of(_unguarded), needs="inputs large enough to overflow"),
)  # fmt: skip

SMOOTH = (*_GELU, *_GATED)
