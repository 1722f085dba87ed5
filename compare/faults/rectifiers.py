"""Faults of rectifiers: of the corner, of the branches, and of α."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import dx_of, instead, options
from compare.faults.changes_layers import fault, grad_of, when
from reference import Array, Params


def _elu_forward(self: Any, params: Params, x: Array) -> Any:
    positive = x.real > 0
    negative = np.where(positive, 0, x)
    return np.where(positive, x, self.alpha * np.exp(negative) - 1), (positive, negative)


def _elu_for_celu(self: Any, params: Params, x: Array) -> Any:
    positive = x.real > 0
    negative = np.where(positive, 0, x)
    return np.where(positive, x, self.alpha * np.expm1(negative)), (positive, negative)


def _negative(x: Array) -> Array:
    return np.where(x > 0, 0, x)


def _per_weight(params: Params, cache: Any, each: Array) -> Any:
    """Sum over all that shares a weight."""
    leading = params["weight"].ndim - 1
    shared = tuple(axis for axis in range(leading, each.ndim) if cache[2].shape[axis] == 1)
    return each.sum(axis=shared).reshape(params["weight"].shape)


_LEAKY = (
    fault(
        "LeakyReLU",
        "branches exchanged in the derivative",
        "the slope s is applied where x > 0, and 1 elsewhere",
        dx_of(lambda self, x, y, dy: np.where(x > 0, self.negative_slope * dy, dy)),
        "dx",
        "dx = dy where x > 0, s dy elsewhere",
    ),
    fault(
        "LeakyReLU",
        "slope 0.01 in the derivative whatever is set",
        "forward uses the slope that is set, backward 0.01",
        options("backward", negative_slope=0.01),
        "dx",
        "dx = s dy where x ≤ 0, with the s of forward",
        "a slope other than 0.01",
    ),
    fault(
        "LeakyReLU",
        "sign of the slope lost",
        "the derivative of the negative side is −s",
        dx_of(lambda self, x, y, dy: np.where(x > 0, dy, -self.negative_slope * dy)),
        "dx",
        "dx = s dy where x ≤ 0: there y = s x, not s |x|",
        "negative inputs",
    ),
    fault(
        "LeakyReLU",
        "slope at 0 is 1",
        "x ≥ 0 in place of x > 0 in the derivative",
        dx_of(lambda self, x, y, dy: np.where(x >= 0, dy, self.negative_slope * dy)),
        "dx",
        "dx = s dy where x ≤ 0, at 0 too: that is PyTorch's convention",
        "inputs that are exactly 0",
    ),
    fault(
        "LeakyReLU",
        "negative side returns the slope",
        "forward gives s where x ≤ 0, in place of s x",
        instead(
            "forward",
            lambda self, params, x: (np.where(x > 0, x, self.negative_slope + 0 * x), x > 0),
        ),
        "output",
        "y = s x where x ≤ 0",
        "negative inputs",
    ),
)

_RELU = (
    fault(
        "ReLU",
        "derivative 1 at 0",
        "x ≥ 0 in place of x > 0 in the derivative",
        dx_of(lambda self, x, y, dy: np.where(x >= 0, dy, 0)),
        "dx",
        "dx = dy where x > 0, else 0: at 0 the slope is 0 by convention",
        "inputs that are exactly 0",
    ),
    fault(
        "ReLU",
        "mask taken from the gradient",
        "the gradient is rectified: dx = max(0, dy)",
        dx_of(lambda self, x, y, dy: np.where(dy > 0, dy, 0)),
        "dx",
        "dx = dy where x > 0, else 0",
    ),
    fault(
        "ReLU",
        "masked by the gradient, too",
        "dx = dy only where both x > 0 and dy > 0, as in guided backpropagation",
        dx_of(lambda self, x, y, dy: np.where((x > 0) & (dy > 0), dy, 0)),
        "dx",
        "dx = dy where x > 0, else 0, whatever the sign of dy",
    ),
    fault(
        "ReLU",
        "mask inverted",
        "the gradient passes where x ≤ 0",
        dx_of(lambda self, x, y, dy: np.where(x > 0, 0, dy)),
        "dx",
        "dx = dy where x > 0, else 0",
    ),
    fault(
        "ReLU",
        "slope is x",
        "dx = dy · max(0, x): y was used for its derivative",
        dx_of(lambda self, x, y, dy: dy * y),
        "dx",
        "dx = dy where x > 0, else 0",
    ),
    fault(
        "ReLU",
        "absolute value",
        "y = |x|, which keeps the negative side",
        instead("forward", lambda self, params, x: (np.where(x < 0, -x, x), x <= 0)),
        "output",
        "y = max(0, x)",
        "negative inputs",
    ),
)

_ELU = (
    fault(
        "ELU",
        "α missing in the derivative",
        "the slope of the negative side is eˣ",
        options("backward", alpha=1.0),
        "dx",
        "dx = dy α eˣ where x ≤ 0",
        "α ≠ 1",
    ),
    fault(
        "ELU",
        "y taken for its slope",
        "the slope of the negative side is α (eˣ − 1), which is y, not y + α",
        dx_of(lambda self, x, y, dy: np.where(x > 0, dy, dy * y)),
        "dx",
        "dx = dy α eˣ = dy (y + α) where x ≤ 0",
        "negative inputs",
    ),
    fault(
        "ELU",
        "x taken for y in y + α",
        "the slope of the negative side is x + α",
        dx_of(lambda self, x, y, dy: np.where(x > 0, dy, dy * (x + self.alpha))),
        "dx",
        "dx = dy (y + α) where x ≤ 0, y being the output",
        "negative inputs",
    ),
    fault(
        "ELU",
        "exponential on both sides",
        "the slope is α eˣ for every x",
        dx_of(lambda self, x, y, dy: dy * (self.alpha * np.exp(x))),
        "dx",
        "dx = dy where x > 0",
        "positive inputs",
    ),
    fault(
        "ELU",
        "slope at 0 is 1",
        "x ≥ 0 in place of x > 0 in the derivative",
        dx_of(lambda self, x, y, dy: np.where(x >= 0, dy, dy * self.alpha * np.exp(_negative(x)))),
        "dx",
        "dx = α dy at 0: that is PyTorch's convention",
        "α ≠ 1 and inputs that are exactly 0",
    ),
    fault(
        "ELU",
        "α eˣ − 1",
        "α multiplies eˣ alone: α eˣ − 1 for α (eˣ − 1)",
        instead("forward", _elu_forward),
        "output",
        "y = α (eˣ − 1) where x ≤ 0",
        "α ≠ 1",
    ),
    fault(
        "CELU",
        "formula of ELU",
        "y = α (eˣ − 1) where x ≤ 0: x is not divided by α",
        instead("forward", _elu_for_celu),
        "output",
        "y = α (e^(x/α) − 1) where x ≤ 0",
        "α ≠ 1",
    ),
    fault(
        "CELU",
        "α not cancelled in the derivative",
        "the slope of the negative side is α e^(x/α): the inner derivative 1/α is forgotten",
        dx_of(
            lambda self, x, y, dy: np.where(
                x > 0, dy, dy * self.alpha * np.exp(_negative(x) / self.alpha)
            )
        ),
        "dx",
        "dx = dy e^(x/α) where x ≤ 0",
        "α ≠ 1",
    ),
    fault(
        "SELU",
        "scale missing on the positive side",
        "the slope is 1 where x > 0",
        dx_of(
            lambda self, x, y, dy: np.where(
                x > 0, dy, dy * (self.scale * self.alpha) * np.exp(_negative(x))
            )
        ),
        "dx",
        "dx = λ dy where x > 0",
        "positive inputs",
    ),
    fault(
        "SELU",
        "scale missing on the negative side",
        "the slope is α eˣ where x ≤ 0",
        dx_of(
            lambda self, x, y, dy: np.where(
                x > 0, self.scale * dy, dy * self.alpha * np.exp(_negative(x))
            )
        ),
        "dx",
        "dx = λ α eˣ dy where x ≤ 0",
        "negative inputs",
    ),
    fault(
        "SELU",
        "scale only on the positive side",
        "y = α (eˣ − 1) where x ≤ 0: λ is forgotten there",
        instead(
            "forward",
            lambda self, params, x: (
                np.where(x > 0, self.scale * x, self.alpha * np.expm1(_negative(x))),
                (x > 0, _negative(x)),
            ),
        ),
        "output",
        "y = λ α (eˣ − 1) where x ≤ 0",
        "negative inputs",
    ),
)

_OTHERS = (
    fault(
        "Threshold",
        "derivative compares with the value",
        "the gradient passes where x exceeds the value that stands in, not the threshold",
        dx_of(lambda self, x, y, dy: np.where(x > self.value, dy, 0)),
        "dx",
        "dx = dy where x > threshold, else 0",
        "a value other than the threshold",
    ),
    fault(
        "Threshold",
        "0 in place of the value",
        "y = 0 where x does not exceed the threshold",
        when(lambda self: self.value != 0, options("forward", value=0.0)),
        "output",
        "y = value where x ≤ threshold",
        "a value other than 0",
    ),
    fault(
        "PReLU",
        "weight gradient over all inputs",
        "dw sums x dy over every x, the positive ones too",
        grad_of(
            "weight", lambda self, params, cache, dy: _per_weight(params, cache, cache[0] * dy)
        ),
        "gradient weight",
        "dw = Σ x dy over x ≤ 0",
        "positive inputs",
    ),
    fault(
        "PReLU",
        "weight gradient without x",
        "dw sums dy where x ≤ 0, as a bias's would",
        grad_of(
            "weight",
            lambda self, params, cache, dy: _per_weight(params, cache, np.where(cache[1], 0, dy)),
        ),
        "gradient weight",
        "dw = Σ x dy over x ≤ 0",
        "negative inputs",
    ),
    fault(
        "PReLU",
        "weight not applied to the gradient",
        "dx = 0 where x ≤ 0, as of a ReLU",
        dx_of(lambda self, x, y, dy: np.where(x > 0, dy, 0)),
        "dx",
        "dx = w dy where x ≤ 0",
        "negative inputs",
    ),
)


RECTIFIERS = (*_RELU, *_LEAKY, *_ELU, *_OTHERS)
