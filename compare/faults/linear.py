"""Faults of the fully connected layer."""

from __future__ import annotations

from typing import Any

from compare.faults.changes import around, dx, grad
from compare.faults.fault import Fault, Method
from reference import Array, Params


def _transposed_back(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    wrong = params | {"weight": params["weight"].swapaxes(-1, -2)}
    _, found = right(self, params, cache, dy)
    return right(self, wrong, cache, dy)[0], found


def _without_bias(right: Method, self: Any, params: Params, x: Array) -> Any:
    return right(self, params | {"bias": 0 * params["bias"]} if self.bias else params, x)


LINEAR = (
    Fault(
        "Linear: weights not transposed back",
        "the error is carried back through the weights as they are used forward, dy Wᵀ for dy W",
        "Linear",
        around("backward", _transposed_back),
        "dx",
        "dx = dy W, for y = x Wᵀ",
        "square weights; others raise an error of shapes",
    ),
    Fault(
        "Linear: bias gradient averaged",
        "the bias gradient is the mean over the batch of dy, not its sum",
        "Linear",
        around(
            "backward",
            lambda right, self, params, cache, dy: (
                right(self, params, cache, dy)[0],
                right(self, params, cache, dy)[1] | {"bias": dy.mean(axis=-2)},
            ),
        ),
        "gradient bias",
        "db = Σₙ dy[n]; a loss that averages has put its 1/N into dy already",
        "batch > 1",
    ),
    Fault(
        "Linear: one bias gradient for all units",
        "every unit of the layer gets the sum of all units' bias gradients",
        "Linear",
        grad("bias", lambda g: 0 * g + g.sum(axis=-1, keepdims=True)),
        "gradient bias",
        "sum dy over the batch alone, not over the units",
        "more than one unit",
    ),
    Fault(
        "Linear: input gradient scaled",
        "dx is 5 % too large",
        "Linear",
        dx(lambda d: 1.05 * d),
        "dx",
        "dx = dy W",
    ),
    Fault(
        "Linear: bias not added",
        "the bias is left out of the forward pass",
        "Linear",
        around("forward", _without_bias),
        "output",
        "y = x Wᵀ + b",
        "a bias that is not 0",
    ),
)
