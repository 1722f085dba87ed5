"""Normalisation of each sample over groups of its channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes
from reference.support.checks import per_axis, require, require_floating, require_numbers
from reference.support.ensemble import align, ensemble_rank
from reference.support.standardize import (
    affine,
    affine_backward,
    constant,
    standardize,
    standardize_backward,
)


class GroupNorm(Module):
    r"""Each sample's groups of channels with mean 0 and variance 1, then scaled and shifted.

    The C channels are cut into ``num_groups`` groups of neighbours. With G(c) the group that
    channel c is in::

        y[n, c, p] = (x[n, c, p] − μ[n, G(c)]) / √(σ²[n, G(c)] + ε) · γ[c] + β[c]

    where μ and the biased σ² run over the group's channels and all places p. The gradients are
    derived in :mod:`reference.support.standardize`. γ and β belong to channels, not groups, so
    dx̂ = dy γ is formed before the group's means are taken.

    Args:
        num_groups: how many groups; divides the channels.
        num_channels: C.
        eps: ε.
        affine: whether γ (and β) are there.
        bias: whether β is there, too.

    Shapes:
        x and y ``(N, C, *)``. Parameters may have leading axes, see
        :mod:`reference.support.ensemble`; then so may x.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        (self.num_groups,) = per_axis(self, "num_groups", num_groups, 1)
        (self.num_channels,) = per_axis(self, "num_channels", num_channels, 1)
        divides = num_channels % num_groups == 0
        needed = f"a multiple of the {num_groups} groups"
        require(divides, self, "num_channels", num_channels, needed)
        require_numbers(self, eps=eps)
        self.eps = eps
        self.affine = affine
        self.bias = bias

    def parameter_shapes(self) -> Shapes:
        names = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(names, (self.num_channels,)) if self.affine else {}

    def init(self, rng: np.random.Generator) -> Params:
        """Weight 1 and bias 0."""
        return constant(self.parameter_shapes())

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        places = self._places(params, x)
        grouped, _, _, root = standardize(self._grouped(x, places), (-1,), self.eps)
        xhat = grouped.reshape(x.shape)
        return affine(self._learned(params, places), xhat), (xhat, root, places)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        xhat, root, places = cache
        dxhat, grads = affine_backward(self._learned(params, places), xhat, dy)
        both = self._grouped(dxhat, places), self._grouped(xhat, places)
        dx = standardize_backward(*both, root, (-1,)).reshape(dxhat.shape)
        return dx, {name: grad.reshape(params[name].shape) for name, grad in grads.items()}

    def _grouped(self, x: Array, places: int) -> Array:
        """Lay channels and places out as ``(..., N, groups, values)``."""
        values = math.prod(x.shape[-1 - places :]) // self.num_groups
        return x.reshape(*x.shape[: x.ndim - 1 - places], self.num_groups, values)

    def _places(self, params: Params, x: Array) -> int:
        """Check the input; give the number of axes after the channels."""
        require_floating(self, "the input", x, params)
        networks = ensemble_rank(params, self.parameter_shapes())
        places = x.ndim - 2 - networks if x.ndim - 2 >= networks else x.ndim - 2
        fits = places >= 0 and x.shape[-1 - places] == self.num_channels
        require(fits, self, "the input's shape", x.shape, f"(N, {self.num_channels}, *)")
        values = math.prod(x.shape[-2 - places :]) // self.num_groups
        require(
            values > 1, self, "the number of values", values, "more than 1, as y is β otherwise"
        )
        return places

    def _learned(self, params: Params, places: int) -> Params:
        """The parameters with singleton axes for the batch and the places."""
        return {name: align(params[name], 1, 1, places) for name in self.parameter_shapes()}
