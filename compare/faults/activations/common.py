"""Faults that many activations share: the derivative missing, of another, twice, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.activations.clipped import CLIPPED
from compare.faults.activations.rectifiers import RECTIFIERS
from compare.faults.activations.smooth import SMOOTH
from compare.faults.activations.softmax import SOFTMAX
from compare.faults.activations.squashing import SQUASHING
from compare.faults.changes.methods import around, dx_of
from compare.faults.fault import Changes, Fault, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.support.special import sigmoid

Slope = Callable[[Any, Array, Array], Array]


def _twice(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    dx, found = right(self, params, cache, dy)
    return right(self, params, cache, dx)[0], found


def _remembers_y(right: Method, self: Any, params: Params, x: Array) -> Any:
    y, _ = right(self, params, x)
    return y, right(self, params, y)[1]


def slope(function: Slope) -> Changes:
    """A backward whose dx is dy times ``function(self, x, y)``."""
    return dx_of(lambda self, x, y, dy: dy * function(self, x, y))


def _step(self: Any, x: Array, y: Array) -> Array:
    return np.where(x > 0, 1.0, 0.0 * x)


def _normal_cdf_like(self: Any, x: Array, y: Array) -> Any:
    s = sigmoid(1.702 * x)
    return s + 1.702 * x * s * (1 - s)


def _silu(self: Any, x: Array, y: Array) -> Any:
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


def _elu(self: Any, x: Array, y: Array) -> Array:
    return np.where(x > 0, 1.0, np.exp(np.where(x > 0, 0, x)))


#: Whose derivative, and where it is found in place of the right one.
BORROWED: tuple[tuple[str, Slope, tuple[str, ...]], ...] = (
    ("y (1 − y) of the sigmoid", lambda self, x, y: y * (1 - y), ("Tanh", "SiLU", "Softsign")),
    ("1 − y² of the tanh", lambda self, x, y: 1 - y * y, ("Sigmoid", "Softsign", "Hardtanh")),
    (
        "the step of ReLU",
        _step,
        ("LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Softplus", "ReLU6"),
    ),
    ("that of SiLU", _silu, ("GELU", "Mish", "Hardswish")),
    ("that of x σ(1.702 x)", _normal_cdf_like, ("GELU",)),
    ("that of ELU with α = 1", _elu, ("CELU", "SELU", "LeakyReLU")),
    (
        "σ (1 − σ)",
        lambda self, x, y: sigmoid(x) * (1 - sigmoid(x)),
        ("Softplus", "LogSigmoid", "Hardsigmoid"),
    ),
)

MISSING = (
    "Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Softplus", "ReLU6", "Threshold",
    "SELU", "CELU", "Mish", "Softsign", "LogSigmoid", "Hardsigmoid", "Hardtanh", "Hardswish",
    "Tanhshrink", "Softshrink", "Hardshrink", "PReLU",
)  # fmt: skip

#: Whose slopes are not all 0 and 1, so that they differ from their squares.
TWICE = (
    "Sigmoid", "Tanh", "LeakyReLU", "ELU", "GELU", "SiLU", "Softplus", "SELU", "CELU", "Mish",
    "Softsign", "LogSigmoid", "Hardsigmoid", "Hardswish", "Tanhshrink", "PReLU",
)  # fmt: skip

#: Whose slope at y differs from that at x.
AT_Y = (
    "Sigmoid", "Tanh", "ELU", "GELU", "SiLU", "Softplus", "SELU", "CELU", "Mish", "Softsign",
    "LogSigmoid", "Hardsigmoid", "Hardswish", "Tanhshrink", "Softshrink",
)  # fmt: skip


def _missing(owner: str) -> tuple[Fault, ...]:
    return faults(owner, Right(f"multiply dy by the derivative of {owner}"),
        Row("derivative missing", f"the error passes {owner} as if it were not there", "dx",
            dx_of(lambda self, x, y, dy: dy)),
    )  # fmt: skip


def _applied_twice(owner: str) -> tuple[Fault, ...]:
    return faults(owner, Right(f"multiply dy by the derivative of {owner} once"),
        Row("derivative applied twice",
            "dy is multiplied by the derivative in two places, as in the layer and in the loop",
            "dx", around("backward", _twice)),
    )  # fmt: skip


_AT_THE_ACTIVATION = faults(AT_Y,
    Right("dx = dy · f'(x), x being what forward was given: keep a copy of it"),
    Row("derivative taken at the activation",
        "f'(y) in place of f'(x), as when an activation in place overwrote the x it remembered",
        "dx", around("forward", _remembers_y)),
)  # fmt: skip


def _borrowed(owner: str, whose: str, function: Slope) -> tuple[Fault, ...]:
    return faults(owner, Right(f"multiply dy by the derivative of {owner} itself"),
        Row(f"derivative is {whose}", f"the derivative is {whose}, another activation's", "dx",
            slope(function)),
    )  # fmt: skip


_SHARED = (
    *(fault for owner in MISSING for fault in _missing(owner)),
    *(fault for owner in TWICE for fault in _applied_twice(owner)),
    *_AT_THE_ACTIVATION,
    *(
        f
        for whose, slope_of, owners in BORROWED
        for o in owners
        for f in _borrowed(o, whose, slope_of)
    ),
)

ACTIVATIONS = (*_SHARED, *RECTIFIERS, *CLIPPED, *SQUASHING, *SMOOTH, *SOFTMAX)
