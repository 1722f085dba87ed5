"""Faults of smooth relatives of the rectifier: GELU, SiLU, Mish and Softplus."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from compare.faults.changes import around, dx_of, instead, options
from compare.faults.changes_layers import cache_of, fault, when
from reference import Array
from reference.special import erf, sigmoid, softplus


def _density(x: Array) -> Array:
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _distribution(x: Array) -> Array:
    return 0.5 * (1 + erf(x / math.sqrt(2)))


def _by_erf(self: Any) -> bool:
    return bool(self.approximate == "none")


def _by_tanh(self: Any) -> bool:
    return bool(self.approximate == "tanh")


def _tanh_without_3(self: Any, x: Array, y: Array, dy: Array) -> Array:
    c, k = math.sqrt(2 / math.pi), 0.044715
    t = np.tanh(c * (x + k * x * x * x))
    return dy * (0.5 * (1 + t) + x * (0.5 * (1 - t * t)) * (c * (1 + k * x * x)))


def _wide(x: Array) -> Any:
    gate = 0.5 * (1 + erf(x))
    return x * gate, (x, gate, _density(x))


_GELU = (
    fault(
        "GELU",
        "tanh form for erf form",
        "the approximation by a tanh stands for the function itself",
        when(_by_erf, options("forward", approximate="tanh")),
        "output",
        "y = x · ½ (1 + erf(x/√2))",
    ),
    fault(
        "GELU",
        "erf form for tanh form",
        "the function itself stands for its approximation by a tanh",
        when(_by_tanh, options("forward", approximate="none")),
        "output",
        "y = x · ½ (1 + tanh(√(2/π) (x + 0.044715 x³)))",
        "approximate='tanh'",
    ),
    fault(
        "GELU",
        "derivative of the tanh form",
        "forward uses erf, backward the derivative of the approximation by a tanh",
        when(_by_erf, cache_of(lambda self: {"approximate": "tanh"})),
        "dx",
        "dx = dy (Φ(x) + x φ(x))",
    ),
    fault(
        "GELU",
        "derivative of the erf form",
        "forward uses the approximation by a tanh, backward the derivative of the erf form",
        when(_by_tanh, cache_of(lambda self: {"approximate": "none"})),
        "dx",
        "differentiate the tanh form itself",
        "approximate='tanh'",
    ),
    fault(
        "GELU",
        "product rule's second term dropped",
        "the slope is the gate Φ(x) alone",
        dx_of(lambda self, x, y, dy: dy * _distribution(x)),
        "dx",
        "dx = dy (Φ(x) + x φ(x))",
    ),
    fault(
        "GELU",
        "x missing before the density",
        "the slope is Φ(x) + φ(x)",
        dx_of(lambda self, x, y, dy: dy * (_distribution(x) + _density(x))),
        "dx",
        "dx = dy (Φ(x) + x φ(x))",
    ),
    fault(
        "GELU",
        "√2 missing in erf",
        "y = x · ½ (1 + erf(x))",
        when(_by_erf, instead("forward", lambda self, params, x: _wide(x))),
        "output",
        "y = x · ½ (1 + erf(x/√2))",
    ),
    fault(
        "GELU",
        "√(2π) missing in the density",
        "the slope of Φ is e^(−x²/2)",
        when(
            _by_erf,
            dx_of(lambda self, x, y, dy: dy * (_distribution(x) + x * np.exp(-0.5 * x * x))),
        ),
        "dx",
        "φ(x) = e^(−x²/2)/√(2π)",
    ),
    fault(
        "GELU",
        "3 of the cube missing",
        "the inner derivative of the tanh form is 1 + 0.044715 x²",
        when(_by_tanh, dx_of(_tanh_without_3)),
        "dx",
        "the derivative of x + k x³ is 1 + 3 k x²",
        "approximate='tanh'",
    ),
)

_GATED = (
    fault(
        "SiLU",
        "product rule's second term dropped",
        "the slope is the gate σ(x) alone",
        dx_of(lambda self, x, y, dy: dy * sigmoid(x)),
        "dx",
        "dx = dy σ (1 + x (1 − σ))",
    ),
    fault(
        "SiLU",
        "product rule's first term dropped",
        "the slope is x σ (1 − σ)",
        dx_of(lambda self, x, y, dy: dy * (x * sigmoid(x) * (1 - sigmoid(x)))),
        "dx",
        "dx = dy σ (1 + x (1 − σ))",
    ),
    fault(
        "SiLU",
        "parentheses lost",
        "the slope is σ + x (1 − σ): σ multiplies the first term only",
        dx_of(lambda self, x, y, dy: dy * (sigmoid(x) + x * (1 - sigmoid(x)))),
        "dx",
        "dx = dy σ (1 + x (1 − σ))",
    ),
    fault(
        "SiLU",
        "y taken for σ",
        "the slope is y + σ (1 − y) with σ and y exchanged",
        dx_of(lambda self, x, y, dy: dy * (sigmoid(x) + y * (1 - y))),
        "dx",
        "dx = dy (y + σ (1 − y)), with σ = σ(x) and y = x σ",
    ),
    fault(
        "Mish",
        "product rule's second term dropped",
        "the slope is the gate tanh(softplus(x)) alone",
        dx_of(lambda self, x, y, dy: dy * np.tanh(softplus(x))),
        "dx",
        "dx = dy (t + x (1 − t²) σ(x))",
    ),
    fault(
        "Mish",
        "slope of the softplus missing",
        "the slope is t + x (1 − t²): the inner derivative σ(x) is forgotten",
        dx_of(
            lambda self, x, y, dy: (
                dy * (np.tanh(softplus(x)) + x * (1 - np.tanh(softplus(x)) * np.tanh(softplus(x))))
            )
        ),
        "dx",
        "dx = dy (t + x (1 − t²) σ(x))",
    ),
    fault(
        "Softplus",
        "β not cancelled in the derivative",
        "the slope is β σ(βx): the 1/β before the logarithm is forgotten",
        dx_of(
            lambda self, x, y, dy: np.where(
                self.beta * x > self.threshold, dy, dy * (self.beta * sigmoid(self.beta * x))
            )
        ),
        "dx",
        "dx = dy σ(βx)",
        "β ≠ 1",
    ),
    fault(
        "Softplus",
        "β missing in the derivative",
        "the slope is σ(x)",
        when(
            lambda self: self.beta != 1,
            dx_of(
                lambda self, x, y, dy: np.where(self.beta * x > self.threshold, dy, dy * sigmoid(x))
            ),
        ),
        "dx",
        "dx = dy σ(βx)",
        "β ≠ 1",
    ),
    fault(
        "Softplus",
        "not divided by β",
        "y = log(1 + e^(βx))",
        when(
            lambda self: self.beta != 1,
            instead(
                "forward",
                lambda self, params, x: (
                    softplus(self.beta * x),
                    (self.beta * x, self.beta * x > self.threshold),
                ),
            ),
        ),
        "output",
        "y = log(1 + e^(βx))/β",
        "β ≠ 1",
    ),
    fault(
        "Softplus",
        "derivative knows no threshold",
        "the slope is σ(βx) also where y = x",
        dx_of(lambda self, x, y, dy: dy * sigmoid(self.beta * x)),
        "dx",
        "dx = dy where βx exceeds the threshold",
        "inputs above a low threshold",
    ),
    fault(
        "Softplus",
        "overflow",
        "log(1 + eˣ) as it stands overflows for large x, and no threshold catches it",
        around(
            "forward",
            lambda right, self, params, x: (
                np.log(1 + np.exp(self.beta * x)) / self.beta,
                right(self, params, x)[1],
            ),
        ),
        "output",
        "y = max(x, 0) + log(1 + e^−|x|), or y = x beyond a threshold",
        "inputs large enough to overflow",
    ),
)

SMOOTH = (*_GELU, *_GATED)
