"""Scores to probabilities, along one axis: each y depends on every x of its row."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.layers.shape import axis_of
from reference.module import Array, Module, Params
from reference.support.checks import require_floating


def softmax(x: Array, axis: int) -> Array:
    r"""``yᵢ = e^xᵢ / Σⱼ e^xⱼ``, without overflow.

    Subtracting a constant m from every x multiplies numerator and denominator alike by e^−m, so
    y stays the same. With m the largest x, every exponent is at most 0, and one of them is 0, so
    that neither the exponentials overflow nor their sum vanishes. As y does not depend on m, m has
    no gradient.
    """
    z = np.exp(x - x.real.max(axis=axis, keepdims=True))
    result: Array = z / z.sum(axis=axis, keepdims=True)
    return result


def log_softmax(x: Array, axis: int) -> Array:
    r"""``yᵢ = xᵢ − log Σⱼ e^xⱼ``, without overflow.

    By the same argument, for any constant m and so for the largest x::

        yᵢ = (xᵢ − m) − log Σⱼ e^(xⱼ − m)

    The logarithm of a softmax that has been rounded to 0 would be −∞; this is exact.
    """
    shifted = x - x.real.max(axis=axis, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return result


def softmax_backward(y: Array, dy: Array, axis: int) -> Array:
    r"""``dx = y (dy − Σⱼ dyⱼ yⱼ)``.

    With S = Σ e^xⱼ, xⱼ reaches every yᵢ through S, and its own yⱼ through the numerator as well::

        ∂yᵢ/∂xⱼ = −(e^xᵢ/S²) e^xⱼ + [i = j] e^xᵢ/S = yᵢ ([i = j] − yⱼ)

        dxⱼ = Σᵢ dyᵢ yᵢ ([i = j] − yⱼ) = yⱼ (dyⱼ − Σᵢ dyᵢ yᵢ)

    The whole Jacobian is never needed. To keep its diagonal alone is a common slip.
    """
    dx: Array = y * (dy - (dy * y).sum(axis=axis, keepdims=True))
    return dx


class _AlongAxis(Module):
    """What the layers of this chapter share: the axis along which they normalise.

    Args:
        dim: the axis. If it is not given, the first for one or three axes, else the second, as
            PyTorch chose when it did not yet ask.
    """

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def axis(self, x: Array) -> int:
        """The axis for this x."""
        axis = self.dim
        if axis is None:
            axis = 0 if x.ndim in (0, 1, 3) else 1
        axis_of(self, "dim", axis, x.shape)
        return axis


class Softmax(_AlongAxis):
    r"""``yᵢ = e^xᵢ / Σⱼ e^xⱼ``: positive numbers that add up to 1 along an axis.

    Forward and its derivation: :func:`softmax`. Backward and its derivation:
    :func:`softmax_backward`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        axis = self.axis(x)
        y = softmax(x, axis)
        return y, (y, axis)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        y, axis = cache
        return softmax_backward(y, dy, axis), {}


class Softmin(_AlongAxis):
    r"""The softmax of −x, ``yᵢ = e^−xᵢ / Σⱼ e^−xⱼ``: the smallest x has the largest y.

    By the chain rule the gradient is that of the softmax, with the sign changed.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        axis = self.axis(x)
        y = softmax(-x, axis)
        return y, (y, axis)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        y, axis = cache
        return -softmax_backward(y, dy, axis), {}


class LogSoftmax(_AlongAxis):
    r"""``yᵢ = log softmax(x)ᵢ = xᵢ − log Σⱼ e^xⱼ``.

    xⱼ reaches yⱼ directly with slope 1, and every yᵢ through the sum, with slope
    −e^xⱼ/S = −pⱼ, where S = Σₖ e^xₖ and p = softmax(x) = e^y::

        dxⱼ = dyⱼ − pⱼ Σᵢ dyᵢ

    Forward and its derivation: :func:`log_softmax`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        axis = self.axis(x)
        y = log_softmax(x, axis)
        return y, (y, axis)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        y, axis = cache
        return dy - np.exp(y) * dy.sum(axis=axis, keepdims=True), {}
