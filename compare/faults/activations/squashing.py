"""Faults of sigmoid, tanh and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.methods import around, dx_of, instead
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.support.special import absolute, sigmoid


def _precedence(self: Any, params: Params, x: Array) -> Any:
    y = 1 / 1 + np.exp(-x)
    return y, y


SQUASHING = faults(
    "Sigmoid", Right("dx = dy · y (1 − y), with y what forward returned"),
    Row("y (1 − y) taken at x", "the formula for y is used with the pre-activation, x (1 − x)",
        "dx", dx_of(lambda self, x, y, dy: dy * (x * (1 - x)))),
    Right("dx = dy · y (1 − y)"),
    Row("slope y (1 + y)", "a sign is wrong in y (1 − y)", "dx",
        dx_of(lambda self, x, y, dy: dy * (y * (1 + y)))),
    Row("slope 1 − y", "the factor y is left out of y (1 − y)", "dx",
        dx_of(lambda self, x, y, dy: dy * (1 - y))),
    Right("y = 1/(1 + e⁻ˣ)"),
    Row("sign of the exponent", "y = 1/(1 + eˣ), which falls where it should rise", "output",
        around("forward", lambda right, self, params, x: right(self, params, -x))),
    Row("precedence of 1/1 + e⁻ˣ", "the parentheses are missing: 1/1 + e⁻ˣ is 1 + e⁻ˣ", "output",
        instead("forward", _precedence)),
    "Tanh", Right("dx = dy (1 − y²), with y what forward returned"),
    Row("1 − y² taken at x", "the formula for y is used with the pre-activation, 1 − x²", "dx",
        dx_of(lambda self, x, y, dy: dy * (1 - x * x))),
    Right("dx = dy (1 − y²)"),
    Row("square missing", "the slope is 1 − y", "dx", dx_of(lambda self, x, y, dy: dy * (1 - y))),
    Row("slope 1 + y²", "a sign is wrong: the tangent's formula, 1 + y²", "dx",
        dx_of(lambda self, x, y, dy: dy * (1 + y * y))),
    Right("tanh x = 2 σ(2x) − 1"),
    Row("2 of the exponent missing", "y = 2 σ(x) − 1, which is tanh(x/2)", "output",
        instead("forward", lambda self, params, x: (2 * sigmoid(x) - 1, 2 * sigmoid(x) - 1))),
    "Softsign", Right("dx = dy/(1 + |x|)²"),
    Row("square missing", "the slope is 1/(1 + |x|)", "dx",
        dx_of(lambda self, x, y, dy: dy / (1 + absolute(x)))),
    Row("absolute value missing in the derivative", "the slope is 1/(1 + x)²", "dx",
        dx_of(lambda self, x, y, dy: dy / (1 + x) / (1 + x)), needs="negative inputs"),
    "LogSigmoid", Right("dx = dy σ(−x)"),
    Row("slope σ(x)", "the sign within the sigmoid is lost", "dx",
        dx_of(lambda self, x, y, dy: dy * sigmoid(x))),
    Right("y = min(x, 0) − log(1 + e^−|x|)"),
    Row("logarithm of a rounded sigmoid", "log(σ(x)) is −∞ where σ(x) is rounded to 0", "output",
        instead("forward", lambda self, params, x: (np.log(1 / (1 + np.exp(-x))), x)),
        needs="inputs far below 0"),
)  # fmt: skip
