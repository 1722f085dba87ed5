"""Faults of sigmoid, tanh and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import around, dx_of, instead
from compare.faults.changes_layers import fault
from compare.faults.fault import Method
from reference import Array, Params
from reference.special import absolute, sigmoid


def _reflected(right: Method, self: Any, params: Params, x: Array) -> Any:
    return right(self, params, -x)


def _precedence(self: Any, params: Params, x: Array) -> Any:
    y = 1 / 1 + np.exp(-x)
    return y, y


SQUASHING = (
    fault(
        "Sigmoid",
        "y (1 − y) taken at x",
        "the formula for y is used with the pre-activation, x (1 − x)",
        dx_of(lambda self, x, y, dy: dy * (x * (1 - x))),
        "dx",
        "dx = dy · y (1 − y), with y what forward returned",
    ),
    fault(
        "Sigmoid",
        "slope y (1 + y)",
        "a sign is wrong in y (1 − y)",
        dx_of(lambda self, x, y, dy: dy * (y * (1 + y))),
        "dx",
        "dx = dy · y (1 − y)",
    ),
    fault(
        "Sigmoid",
        "slope 1 − y",
        "the factor y is left out of y (1 − y)",
        dx_of(lambda self, x, y, dy: dy * (1 - y)),
        "dx",
        "dx = dy · y (1 − y)",
    ),
    fault(
        "Sigmoid",
        "sign of the exponent",
        "y = 1/(1 + eˣ), which falls where it should rise",
        around("forward", _reflected),
        "output",
        "y = 1/(1 + e⁻ˣ)",
    ),
    fault(
        "Sigmoid",
        "precedence of 1/1 + e⁻ˣ",
        "the parentheses are missing: 1/1 + e⁻ˣ is 1 + e⁻ˣ",
        instead("forward", _precedence),
        "output",
        "y = 1/(1 + e⁻ˣ)",
    ),
    fault(
        "Tanh",
        "1 − y² taken at x",
        "the formula for y is used with the pre-activation, 1 − x²",
        dx_of(lambda self, x, y, dy: dy * (1 - x * x)),
        "dx",
        "dx = dy (1 − y²), with y what forward returned",
    ),
    fault(
        "Tanh",
        "square missing",
        "the slope is 1 − y",
        dx_of(lambda self, x, y, dy: dy * (1 - y)),
        "dx",
        "dx = dy (1 − y²)",
    ),
    fault(
        "Tanh",
        "slope 1 + y²",
        "a sign is wrong: the tangent's formula, 1 + y²",
        dx_of(lambda self, x, y, dy: dy * (1 + y * y)),
        "dx",
        "dx = dy (1 − y²)",
    ),
    fault(
        "Tanh",
        "2 of the exponent missing",
        "y = 2 σ(x) − 1, which is tanh(x/2)",
        instead("forward", lambda self, params, x: (2 * sigmoid(x) - 1, 2 * sigmoid(x) - 1)),
        "output",
        "tanh x = 2 σ(2x) − 1",
    ),
    fault(
        "Softsign",
        "square missing",
        "the slope is 1/(1 + |x|)",
        dx_of(lambda self, x, y, dy: dy / (1 + absolute(x))),
        "dx",
        "dx = dy/(1 + |x|)²",
    ),
    fault(
        "Softsign",
        "absolute value missing in the derivative",
        "the slope is 1/(1 + x)²",
        dx_of(lambda self, x, y, dy: dy / (1 + x) / (1 + x)),
        "dx",
        "dx = dy/(1 + |x|)²",
        "negative inputs",
    ),
    fault(
        "LogSigmoid",
        "slope σ(x)",
        "the sign within the sigmoid is lost",
        dx_of(lambda self, x, y, dy: dy * sigmoid(x)),
        "dx",
        "dx = dy σ(−x)",
    ),
    fault(
        "LogSigmoid",
        "logarithm of a rounded sigmoid",
        "log(σ(x)) is −∞ where σ(x) is rounded to 0",
        instead("forward", lambda self, params, x: (np.log(1 / (1 + np.exp(-x))), x)),
        "output",
        "y = min(x, 0) − log(1 + e^−|x|)",
        "inputs far below 0",
    ),
)
