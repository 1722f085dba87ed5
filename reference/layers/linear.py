"""The fully connected layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes
from reference.support.checks import per_axis, require, require_floating
from reference.support.ensemble import batch_rank, rows, summed_to, unrows


class Linear(Module):
    r"""An affine map of each sample: ``y = x Wᵀ + b``.

    Written out for sample n and output unit j, with W of shape ``(out, in)``::

        y[n, j] = Σ_i x[n, i] W[j, i] + b[j]

    W[j, i] touches y[n, j] only, once in every sample, with slope x[n, i]; b[j] likewise with
    slope 1; x[n, i] touches every unit j of its own sample with slope W[j, i]. Summing over all
    the ways in which each of them reaches the loss L, with dy = ∂L/∂y::

        dW[j, i] = Σ_n dy[n, j] x[n, i]      dW = dyᵀ x
        db[j]    = Σ_n dy[n, j]              db = column sums of dy
        dx[n, i] = Σ_j dy[n, j] W[j, i]      dx = dy W

    The sums over n are sums whatever the loss does: a loss that averages has put its 1/N into dy.

    Args:
        in_features: size of each input sample.
        out_features: size of each output sample.
        bias: whether b is there.

    Shapes:
        x ``(*, in_features)`` and y ``(*, out_features)``, where * is any number of axes: n runs
        over all of them. Parameters may have leading axes, see :mod:`reference.support.ensemble`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        (self.in_features,) = per_axis(self, "in_features", in_features, 1)
        (self.out_features,) = per_axis(self, "out_features", out_features, 1)
        self.bias = bias

    def parameter_shapes(self) -> Shapes:
        shapes: Shapes = {"weight": (self.out_features, self.in_features)}
        if self.bias:
            shapes["bias"] = (self.out_features,)
        return shapes

    def init(self, rng: np.random.Generator) -> Params:
        """Weight and bias uniform in ±1/√in_features, PyTorch's default for Linear."""
        bound = 1 / math.sqrt(self.in_features)
        return {
            name: rng.uniform(-bound, bound, shape)
            for name, shape in self.parameter_shapes().items()
        }

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x, params)
        if x.shape[-1:] != (self.in_features,):
            require(False, self, "the input's shape", x.shape, f"(*, {self.in_features})")
        batch = x.shape[x.ndim - 1 - batch_rank(x.ndim - 1, self._networks(params)) : -1]
        x = rows(x, batch)  # (E, N, in)
        y = x @ params["weight"].swapaxes(-1, -2)  # (E, N, out)
        if self.bias:
            y = y + params["bias"][..., None, :]
        return unrows(y, batch), (x, batch)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        x, batch = cache
        dy = rows(dy, batch)  # (E, N, out)
        weight = params["weight"]
        grads = {"weight": summed_to(dy.swapaxes(-1, -2) @ x, weight.shape)}  # (E, out, in)
        if self.bias:
            grads["bias"] = summed_to(dy.sum(axis=-2), params["bias"].shape)
        return unrows(dy @ weight, batch), grads  # dx is (E, N, in)

    def _networks(self, params: Params) -> int:
        """How many axes the ensemble has; on the way of every pass, so it is kept short."""
        networks = params["weight"].ndim - 2
        return max(networks, params["bias"].ndim - 1) if self.bias else networks


class Shift(Module):
    """Adds a fixed number: ``y = x + amount``, so ``dx = dy``. It has nothing to learn."""

    def __init__(self, amount: float) -> None:
        self.amount = amount

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        return x + self.amount, None

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        return dy, {}
