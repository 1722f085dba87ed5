"""The bilinear layer: every product of an entry of one input and one of another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes
from reference.support.checks import per_axis, require, require_floating
from reference.support.ensemble import batch_rank, ensemble_rank, rows, summed_to, unrows


class Bilinear(Module):
    r"""A bilinear form for each output: ``y[n, o] = x1[n]ᵀ W[o] x2[n] + b[o]``.

    Written out, each triple (o, i, j) contributes a product of three numbers::

        y[n, o] = Σ_i Σ_j x1[n, i] W[o, i, j] x2[n, j] + b[o]

    whose slope in one of them is the product of the other two. Summing over all the outputs that
    each number reaches::

        dW[o, i, j] = Σ_n dy[n, o] x1[n, i] x2[n, j]        dW[o] = x1ᵀ (dy_o x2)
        db[o]       = Σ_n dy[n, o]
        dx1[n, i]   = Σ_o dy[n, o] Σ_j W[o, i, j] x2[n, j]  dx1 = Σ_o dy_o (x2 W[o]ᵀ)
        dx2[n, j]   = Σ_o dy[n, o] Σ_i x1[n, i] W[o, i, j]  dx2 = Σ_o dy_o (x1 W[o])

    where dy_o, the column o of dy, multiplies row by row.

    Args:
        in1_features: size of each sample of the first input.
        in2_features: size of each sample of the second input.
        out_features: size of each output sample.
        bias: whether b is there.

    Shapes:
        x1 ``(*, in1_features)``, x2 ``(*, in2_features)``, y ``(*, out_features)``, with the same
        axes *. Parameters may have leading axes, see :mod:`reference.support.ensemble`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True
    ) -> None:
        (self.in1_features,) = per_axis(self, "in1_features", in1_features, 1)
        (self.in2_features,) = per_axis(self, "in2_features", in2_features, 1)
        (self.out_features,) = per_axis(self, "out_features", out_features, 1)
        self.bias = bias

    def parameter_shapes(self) -> Shapes:
        weight = (self.out_features, self.in1_features, self.in2_features)
        return {"weight": weight} | ({"bias": (self.out_features,)} if self.bias else {})

    def init(self, rng: np.random.Generator) -> Params:
        """Weight and bias uniform in ±1/√in1_features, PyTorch's default for Bilinear."""
        bound = 1 / math.sqrt(self.in1_features)
        shapes = self.parameter_shapes()
        return {name: rng.uniform(-bound, bound, shape) for name, shape in shapes.items()}

    def forward(self, params: Params, x1: Array, x2: Array) -> tuple[Array, Any]:
        self._check(params, x1, x2)
        networks = ensemble_rank(params, self.parameter_shapes())
        batch = x1.shape[x1.ndim - 1 - batch_rank(x1.ndim - 1, networks) : -1]
        x1, x2 = rows(x1, batch), rows(x2, batch)  # (E, N, in1), (E, N, in2)
        left = x1[..., None, :, :] @ params["weight"]  # (E, out, N, in2)
        y = (left * x2[..., None, :, :]).sum(axis=-1).swapaxes(-1, -2)  # (E, N, out)
        if self.bias:
            y = y + params["bias"][..., None, :]
        return unrows(y, batch), (x1, x2, batch)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[tuple[Array, Array], Params]:
        x1, x2, batch = cache
        dy = rows(dy, batch)  # (E, N, out)
        weight = params["weight"]
        x1, x2 = x1[..., None, :, :], x2[..., None, :, :]
        each = dy.swapaxes(-1, -2)[..., None]  # (E, out, N, 1)
        grads = {"weight": x1.swapaxes(-1, -2) @ (each * x2)}  # (E, out, in1, in2)
        if self.bias:
            grads["bias"] = dy.sum(axis=-2)
        grads = {name: summed_to(grad, params[name].shape) for name, grad in grads.items()}
        dx1 = (each * (x2 @ weight.swapaxes(-1, -2))).sum(axis=-3)  # (E, N, in1)
        dx2 = (each * (x1 @ weight)).sum(axis=-3)  # (E, N, in2)
        return (unrows(dx1, batch), unrows(dx2, batch)), grads

    def _check(self, params: Params, x1: Array, x2: Array) -> None:
        inputs = ((x1, self.in1_features), (x2, self.in2_features))
        for number, (x, features) in enumerate(inputs, start=1):
            name = f"input {number}"
            require_floating(self, name, x, params)
            fits = x.shape[-1:] == (features,)
            require(fits, self, f"{name}'s shape", x.shape, f"(*, {features})")
        same = x1.shape[:-1] == x2.shape[:-1]
        needed = "the same but for the last axis"
        require(same, self, "the inputs' pair of shapes", f"{x1.shape} and {x2.shape}", needed)
