"""Normalisation of each sample over its features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes
from reference.support.checks import Size, per_axis, require, require_floating, require_numbers
from reference.support.ensemble import align, batch_rank, ensemble_rank
from reference.support.standardize import (
    Axes,
    affine,
    affine_backward,
    constant,
    scale,
    scale_backward,
    standardize,
    standardize_backward,
)


class FeatureNorm(Module):
    """What layer norm and RMS norm share: the features are the last axes, ``normalized_shape``."""

    normalized_shape: tuple[int, ...]
    elementwise_affine: bool

    def parameter_shapes(self) -> Shapes:
        return {"weight": self.normalized_shape} if self.elementwise_affine else {}

    def init(self, rng: np.random.Generator) -> Params:
        """Weight 1 and bias 0."""
        return constant(self.parameter_shapes())

    def _check(self, x: Array) -> Axes:
        """Refuse other features; give their axes."""
        features = len(self.normalized_shape)
        fits = x.shape[-features:] == self.normalized_shape
        needed = f"(*, {', '.join(map(str, self.normalized_shape))})"
        require(fits, self, "the input's shape", x.shape, needed)
        return tuple(range(-features, 0))

    def _learned(self, params: Params, x: Array) -> Params:
        """The parameters with singleton axes for the batch."""
        shapes = self.parameter_shapes()
        features = len(self.normalized_shape)
        batch = batch_rank(x.ndim - features, ensemble_rank(params, shapes))
        return {name: align(params[name], features, batch) for name in shapes}


class LayerNorm(FeatureNorm):
    r"""Each sample's features with mean 0 and variance 1, then scaled and shifted.

    ::

        y = (x − mean(x)) / √(var(x) + ε) · γ + β

    with the biased variance, over the features. The gradients are derived in
    :mod:`reference.support.standardize`; γ and β are shared by all samples, so theirs are sums
    over the batch, whereas means and variances are within each sample.

    Args:
        normalized_shape: sizes of the last axes, the features.
        eps: ε.
        elementwise_affine: whether γ (and β) are there.
        bias: whether β is there, too.

    Shapes:
        x and y ``(*, *normalized_shape)``. Parameters may have leading axes, see
        :mod:`reference.support.ensemble`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
    """

    def __init__(
        self,
        normalized_shape: Size,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        self.normalized_shape = features_of(self, normalized_shape)
        require_numbers(self, eps=eps)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.bias = bias

    def parameter_shapes(self) -> Shapes:
        shapes = super().parameter_shapes()
        return shapes | ({"bias": self.normalized_shape} if shapes and self.bias else {})

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x, params)
        axes = self._check(x)
        xhat, _, _, root = standardize(x, axes, self.eps)
        return affine(self._learned(params, x), xhat), (xhat, root, axes)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        xhat, root, axes = cache
        dxhat, grads = affine_backward(self._learned(params, xhat), xhat, dy)
        dx = standardize_backward(dxhat, xhat, root, axes)
        return dx, {name: grad.reshape(params[name].shape) for name, grad in grads.items()}


class RMSNorm(FeatureNorm):
    r"""Each sample's features with mean square 1, then scaled: ``y = x / √(mean(x²) + ε) · γ``.

    The second of the two steps of layer norm, without the first; the gradients are derived in
    :mod:`reference.support.standardize`.

    Args:
        normalized_shape: sizes of the last axes, the features.
        eps: ε; None is the machine epsilon of x's dtype. It then differs from dtype to dtype, so a
            comparison across dtypes should give one.
        elementwise_affine: whether γ is there.

    Shapes:
        x and y ``(*, *normalized_shape)``. Parameters may have leading axes, see
        :mod:`reference.support.ensemble`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html
    """

    def __init__(
        self, normalized_shape: Size, eps: float | None = None, elementwise_affine: bool = True
    ) -> None:
        self.normalized_shape = features_of(self, normalized_shape)
        require_numbers(self, eps=0 if eps is None else eps)
        self.eps = eps
        self.elementwise_affine = elementwise_affine

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x, params)
        axes = self._check(x)
        eps = float(np.finfo(x.dtype).eps) if self.eps is None else self.eps
        xhat, _, root = scale(x, axes, eps)
        return affine(self._learned(params, x), xhat), (xhat, root, axes)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        xhat, root, axes = cache
        dxhat, grads = affine_backward(self._learned(params, xhat), xhat, dy)
        dx = scale_backward(dxhat, xhat, root, axes)
        return dx, {name: grad.reshape(params[name].shape) for name, grad in grads.items()}


def features_of(layer: Module, normalized_shape: Size) -> tuple[int, ...]:
    """``normalized_shape`` as a tuple, of whole numbers above 0."""
    if not isinstance(normalized_shape, Sequence):
        normalized_shape = (normalized_shape,)
    shape = tuple(normalized_shape)
    require(len(shape) > 0, layer, "normalized_shape", shape, "at least one whole number")
    return per_axis(layer, "normalized_shape", shape, len(shape))
