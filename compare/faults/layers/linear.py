"""Faults of the fully connected layer and of the bilinear one."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.layers import (
    dx_with,
    forward_with,
    grad_of,
    grads_at,
    when,
    without_bias,
)
from compare.faults.changes.methods import around, dx, grad
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params

SQUARE = "square weights; others raise an error of shapes"
ALIKE = "inputs of the same size; others raise an error of shapes"


def _square(self: Any) -> bool:
    """Whether a transposed weight fits: if not, an error of shapes tells at once."""
    return bool(self.in_features == self.out_features)


def _transposed(self: Any, params: Params) -> Params:
    return params | {"weight": params["weight"].swapaxes(-1, -2)}


def _last_only(self: Any, cache: Any, dy: Array) -> Array:
    """Zero for all samples but the last; one alone is the last."""
    if dy.ndim == 1:
        return dy
    last = np.arange(dy.shape[-2])[:, None] == dy.shape[-2] - 1
    return np.where(last, dy, 0)


def _rows(dy: Array, cache: Any) -> Array:
    """The samples of dy on one axis, as the cache has them."""
    x, batch = cache[0], cache[-1]
    return dy.reshape(*dy.shape[: dy.ndim - 1 - len(batch)], x.shape[-2], dy.shape[-1])


def _averaged(*names: str) -> Changes:
    """A backward some of whose gradients are divided by the batch."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        back, found = right(self, params, cache, dy)
        return back, {n: g / cache[0].shape[-2] if n in names else g for n, g in found.items()}

    return around("backward", backward)


def _of_output(self: Any, params: Params, cache: Any, dy: Array) -> Any:
    y = cache[0] @ params["weight"].swapaxes(-1, -2)
    y = y + params["bias"][..., None, :] if self.bias else y
    return _rows(dy, cache).swapaxes(-1, -2) @ y


def _bias_of_the_last(self: Any, params: Params, cache: Any, dy: Array) -> Any:
    return _rows(_last_only(self, cache, dy), cache).sum(-2)


LINEAR = faults("Linear", Right("dx = dy W, for y = x Wᵀ"),
    Row("weights not transposed back",
        "the error is carried back through the weights as they are used forward, dy Wᵀ for dy W",
        "dx", when(_square, dx_with(_transposed)), needs=SQUARE),
    Right("y = x Wᵀ + b, W being (out, in)"),
    Row("weights transposed forward", "y = x W for y = x Wᵀ", "output",
        when(_square, forward_with(_transposed)), needs=SQUARE),
    Right("dW = dyᵀ x, W being (out, in)"),
    Row("weight gradient transposed", "dW = xᵀ dy for dyᵀ x", "gradient weight",
        when(_square, grad("weight", lambda g: g.swapaxes(-1, -2))), needs=SQUARE),
    Right("dW = dyᵀ x, x being what came into the layer"),
    Row("weight gradient from the layer's own output",
        "dW = dyᵀ y: the activation after the layer is taken for the one before", "gradient weight",
        when(_square, grad_of("weight", _of_output)), needs=SQUARE),
    Right("dW = dyᵀ x; a loss that averages has put its 1/N into dy already"),
    Row("weight gradient averaged",
        "the weight gradient is divided by the batch, though the loss has done so",
        "gradient weight", _averaged("weight"), needs="batch > 1"),
    Right("dW = dyᵀ x and db = Σₙ dy[n]; a loss that averages has put its 1/N into dy already"),
    Row("all gradients averaged again",
        "weight and bias gradient are divided by the batch, though the loss has done so",
        "gradient weight or gradient bias", _averaged("weight", "bias"), needs="batch > 1"),
    Right("dW += outer(dy[n], x[n]) for every sample n"),
    Row("gradients overwritten sample by sample",
        "a loop over the samples sets the gradients where it should add to them",
        "gradient weight or gradient bias", grads_at(_last_only), needs="batch > 1"),
    Right("dW = dyᵀ x"),
    Row("weight never trained", "the weight gradient is 0", "gradient weight",
        grad("weight", lambda g: 0 * g)),
    Right("dW = dyᵀ x, and dy = y − t for half the squared error"),
    Row("sign of the weight gradient",
        "the weight gradient points uphill: (t − y) was used for (y − t)", "gradient weight",
        grad("weight", lambda g: -g)),
    Right("db = Σₙ dy[n]; a loss that averages has put its 1/N into dy already"),
    Row("bias gradient averaged", "the bias gradient is the mean over the batch of dy, not its sum",
        "gradient bias", _averaged("bias"), needs="batch > 1"),
    Right("sum dy over the batch alone, not over the units"),
    Row("one bias gradient for all units",
        "every unit of the layer gets the sum of all units' bias gradients", "gradient bias",
        grad("bias", lambda g: 0 * g + g.sum(axis=-1, keepdims=True)), needs="more than one unit"),
    Right("db = Σₙ dy[n]"),
    Row("bias never trained", "the bias gradient is 0", "gradient bias",
        grad("bias", lambda g: 0 * g)),
    Row("bias gradient of the last sample", "db is dy of one sample, not the sum over the batch",
        "gradient bias", grad_of("bias", _bias_of_the_last), needs="batch > 1"),
    Right("dx = dy W"),
    Row("input gradient scaled", "dx is 5 % too large", "dx", dx(lambda d: 1.05 * d)),
    Row("sign of the input gradient", "dx = −dy W", "dx", dx(lambda d: -d)),
    Row("weights' sizes dropped on the way back",
        "the error goes back through the signs of the weights only", "dx",
        dx_with(lambda self, params: params | {"weight": np.sign(params["weight"])})),
    Right("y = x Wᵀ + b"),
    Row("bias not added", "the bias is left out of the forward pass", "output",
        forward_with(without_bias), needs="a bias that is not 0"),
)  # fmt: skip


def _alike(self: Any) -> bool:
    return bool(self.in1_features == self.in2_features)


BILINEAR = faults("Bilinear", Right("dx2[n, j] = Σ_o dy[n, o] Σ_i x1[n, i] W[o, i, j]"),
    Row("gradient of the second input dropped",
        "only the first input gets a gradient, as if the second were a constant", "dx",
        dx(lambda pair: (pair[0], 0 * pair[1]))),
    Right("dx1 multiplies by x2, and dx2 by x1"),
    Row("gradients of the inputs exchanged",
        "the first input gets the second's gradient, and the reverse", "dx",
        when(_alike, dx(lambda pair: pair[::-1])), needs=ALIKE),
    Right("dW[o, i, j] = Σₙ dy[n, o] x1[n, i] x2[n, j]"),
    Row("weight gradient transposed",
        "dW[o, i, j] = Σ dy x2[i] x1[j]: the inputs are exchanged", "gradient weight",
        when(_alike, grad("weight", lambda g: g.swapaxes(-1, -2))), needs=ALIKE),
    Right("y = x1ᵀ W x2 + b"),
    Row("weights transposed forward", "y = x2ᵀ W x1 + b", "output",
        when(_alike, forward_with(_transposed)), needs=ALIKE),
    Right("db = Σₙ dy[n]"),
    Row("bias gradient averaged", "the bias gradient is the mean over the batch of dy, not its sum",
        "gradient bias", _averaged("bias"), needs="batch > 1"),
    Right("y = x1ᵀ W x2 + b"),
    Row("bias not added", "the bias is left out of the forward pass", "output",
        forward_with(without_bias), needs="a bias that is not 0"),
)  # fmt: skip
