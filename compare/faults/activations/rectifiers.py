"""Faults of rectifiers: of the corner, of the branches, and of α."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.layers import grad_of, when
from compare.faults.changes.methods import dx_of, instead, options, passing
from compare.faults.fault import Changes
from compare.faults.table import Right, Row, faults
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


def _below(slope: Callable[[Any, Array, Array], Array]) -> Changes:
    """A backward whose dx is dy where x > 0, ``slope(self, x, dy)`` elsewhere."""
    return dx_of(lambda self, x, y, dy: np.where(x > 0, dy, slope(self, x, dy)))


def _weight(function: Callable[[Array, Array, Array], Array]) -> Changes:
    """PReLU's weight gradient, the sum of ``function(x, x > 0, dy)`` over all that shares it."""

    def summed(self: Any, params: Params, cache: Any, dy: Array) -> Any:
        each, leading = function(cache[0], cache[1], dy), params["weight"].ndim - 1
        shared = tuple(axis for axis in range(leading, each.ndim) if cache[2].shape[axis] == 1)
        return each.sum(axis=shared).reshape(params["weight"].shape)

    return grad_of("weight", summed)


def _celu_slope(self: Any, x: Array, dy: Array) -> Any:
    return dy * self.alpha * np.exp(_negative(x) / self.alpha)


def _slope_itself(self: Any, params: Params, x: Array) -> Any:
    return (np.where(x > 0, x, self.negative_slope + 0 * x), x > 0)


_LEAKY = faults("LeakyReLU", Right("dx = dy where x > 0, s dy elsewhere"),
    Row("branches exchanged in the derivative",
        "the slope s is applied where x > 0, and 1 elsewhere", "dx",
        dx_of(lambda self, x, y, dy: np.where(x > 0, self.negative_slope * dy, dy))),
    Right("dx = s dy where x ≤ 0, with the s of forward"),
    Row("slope 0.01 in the derivative whatever is set",
        "forward uses the slope that is set, backward 0.01", "dx",
        options("backward", negative_slope=0.01), needs="a slope other than 0.01"),
    Right("dx = s dy where x ≤ 0: there y = s x, not s |x|"),
    Row("sign of the slope lost", "the derivative of the negative side is −s", "dx",
        dx_of(lambda self, x, y, dy: np.where(x > 0, dy, -self.negative_slope * dy)),
        needs="negative inputs"),
    Right("dx = s dy where x ≤ 0, at 0 too: that is PyTorch's convention"),
    Row("slope at 0 is 1", "x ≥ 0 in place of x > 0 in the derivative", "dx",
        dx_of(lambda self, x, y, dy: np.where(x >= 0, dy, self.negative_slope * dy)),
        needs="inputs that are exactly 0"),
    Right("y = s x where x ≤ 0"),
    Row("negative side returns the slope", "forward gives s where x ≤ 0, in place of s x", "output",
        instead("forward", _slope_itself), needs="negative inputs"),
)  # fmt: skip

_RELU = faults("ReLU", Right("dx = dy where x > 0, else 0: at 0 the slope is 0 by convention"),
    Row("derivative 1 at 0", "x ≥ 0 in place of x > 0 in the derivative", "dx",
        passing(lambda self, x: x >= 0), needs="inputs that are exactly 0"),
    Right("dx = dy where x > 0, else 0"),
    Row("mask taken from the gradient", "the gradient is rectified: dx = max(0, dy)", "dx",
        dx_of(lambda self, x, y, dy: np.where(dy > 0, dy, 0))),
    Right("dx = dy where x > 0, else 0, whatever the sign of dy"),
    Row("masked by the gradient, too",
        "dx = dy only where both x > 0 and dy > 0, as in guided backpropagation", "dx",
        dx_of(lambda self, x, y, dy: np.where((x > 0) & (dy > 0), dy, 0))),
    Right("dx = dy where x > 0, else 0"),
    Row("mask inverted", "the gradient passes where x ≤ 0", "dx",
        dx_of(lambda self, x, y, dy: np.where(x > 0, 0, dy))),
    Row("slope is x", "dx = dy · max(0, x): y was used for its derivative", "dx",
        dx_of(lambda self, x, y, dy: dy * y)),
    Right("y = max(0, x)"),
    Row("absolute value", "y = |x|, which keeps the negative side", "output",
        instead("forward", lambda self, params, x: (np.where(x < 0, -x, x), x <= 0)),
        needs="negative inputs"),
)  # fmt: skip


def _slope_at_0_is_1(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return np.where(x >= 0, dy, dy * self.alpha * np.exp(_negative(x)))


def _unscaled_below(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return np.where(x > 0, self.scale * dy, dy * self.alpha * np.exp(_negative(x)))


def _scaled_above(self: Any, params: Params, x: Array) -> Any:
    negative = _negative(x)
    y = np.where(x > 0, self.scale * x, self.alpha * np.expm1(negative))
    return y, (x > 0, negative)


_ELU = faults(
    "ELU", Right("dx = dy α eˣ where x ≤ 0"),
    Row("α missing in the derivative", "the slope of the negative side is eˣ", "dx",
        options("backward", alpha=1.0), needs="α ≠ 1"),
    Right("dx = dy α eˣ = dy (y + α) where x ≤ 0"),
    Row("y taken for its slope",
        "the slope of the negative side is α (eˣ − 1), which is y, not y + α", "dx",
        dx_of(lambda self, x, y, dy: np.where(x > 0, dy, dy * y)), needs="negative inputs"),
    Right("dx = dy (y + α) where x ≤ 0, y being the output"),
    Row("x taken for y in y + α", "the slope of the negative side is x + α", "dx",
        dx_of(lambda self, x, y, dy: np.where(x > 0, dy, dy * (x + self.alpha))),
        needs="negative inputs"),
    Right("dx = dy where x > 0"),
    Row("exponential on both sides", "the slope is α eˣ for every x", "dx",
        dx_of(lambda self, x, y, dy: dy * (self.alpha * np.exp(x))), needs="positive inputs"),
    Right("dx = α dy at 0: that is PyTorch's convention"),
    Row("slope at 0 is 1", "x ≥ 0 in place of x > 0 in the derivative", "dx",
        dx_of(_slope_at_0_is_1), needs="α ≠ 1 and inputs that are exactly 0"),
    Right("y = α (eˣ − 1) where x ≤ 0"),
    Row("α eˣ − 1", "α multiplies eˣ alone: α eˣ − 1 for α (eˣ − 1)", "output",
        instead("forward", _elu_forward), needs="α ≠ 1"),
    "CELU", Right("y = α (e^(x/α) − 1) where x ≤ 0"),
    Row("formula of ELU", "y = α (eˣ − 1) where x ≤ 0: x is not divided by α", "output",
        instead("forward", _elu_for_celu), needs="α ≠ 1"),
    Right("dx = dy e^(x/α) where x ≤ 0"),
    Row("α not cancelled in the derivative",
        "the slope of the negative side is α e^(x/α): the inner derivative 1/α is forgotten", "dx",
        _below(_celu_slope), needs="α ≠ 1"),
    "SELU", Right("dx = λ dy where x > 0"),
    Row("scale missing on the positive side", "the slope is 1 where x > 0", "dx",
        _below(lambda self, x, dy: dy * (self.scale * self.alpha) * np.exp(_negative(x))),
        needs="positive inputs"),
    Right("dx = λ α eˣ dy where x ≤ 0"),
    Row("scale missing on the negative side", "the slope is α eˣ where x ≤ 0", "dx",
        dx_of(_unscaled_below), needs="negative inputs"),
    Right("y = λ α (eˣ − 1) where x ≤ 0"),
    Row("scale only on the positive side", "y = α (eˣ − 1) where x ≤ 0: λ is forgotten there",
        "output", instead("forward", _scaled_above), needs="negative inputs"),
)  # fmt: skip


_OTHERS = faults(
    "Threshold", Right("dx = dy where x > threshold, else 0"),
    Row("derivative compares with the value",
        "the gradient passes where x exceeds the value that stands in, not the threshold", "dx",
        passing(lambda self, x: x > self.value), needs="a value other than the threshold"),
    Right("y = value where x ≤ threshold"),
    Row("0 in place of the value", "y = 0 where x does not exceed the threshold", "output",
        when(lambda self: self.value != 0, options("forward", value=0.0)),
        needs="a value other than 0"),
    "PReLU", Right("dw = Σ x dy over x ≤ 0"),
    Row("weight gradient over all inputs", "dw sums x dy over every x, the positive ones too",
        "gradient weight", _weight(lambda x, positive, dy: x * dy), needs="positive inputs"),
    Row("weight gradient without x", "dw sums dy where x ≤ 0, as a bias's would", "gradient weight",
        _weight(lambda x, positive, dy: np.where(positive, 0, dy)), needs="negative inputs"),
    Right("dx = w dy where x ≤ 0"),
    Row("weight not applied to the gradient", "dx = 0 where x ≤ 0, as of a ReLU", "dx",
        passing(lambda self, x: x > 0), needs="negative inputs"),
)  # fmt: skip


RECTIFIERS = (*_RELU, *_LEAKY, *_ELU, *_OTHERS)
