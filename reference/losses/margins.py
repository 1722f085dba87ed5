"""Losses that are content with a margin: beyond it nothing is gained, and no gradient passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.losses.classes import class_axis, class_weights, require_indices, right_class
from reference.losses.loss import Loss, Weight, like
from reference.losses.reduction import beside, without_axis
from reference.module import Array
from reference.support.checks import require_numbers


class HingeEmbeddingLoss(Loss):
    r"""For distances y: near if the target is 1, at least a margin Δ apart if it is −1.

    ::

        l = y               ∂l/∂y = 1                          for t = 1
        l = max(0, Δ − y)   ∂l/∂y = −1 for y ≤ Δ, else 0       for t = −1

    At the corner y = Δ the slope is, by convention, −1. Leading axes of y, before those of a target
    with two axes or more, are an ensemble.

    Args:
        margin: Δ.
        reduction: ``none``, ``mean`` or ``sum``.

    Raises:
        ValueError: a target is neither 1 nor −1.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        require_numbers(self, margin=margin)
        self.margin = margin

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        t = signs(self, target, y)
        alike = t == 1
        content = ~alike & (y.real > self.margin)
        terms = np.where(alike, y, np.where(content, 0, self.margin - y))
        reduction = self.over(target.shape)
        return reduction.forward(terms), (t, content, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        t, content, reduction = cache
        return np.where(content, 0, t * reduction.backward(dloss, content.shape))


class MultiMarginLoss(Loss):
    r"""The right class should score higher than every other, by a margin Δ.

    With zᵢ = Δ − y_t + yᵢ, by how much the right class t falls short of that margin over class i::

        l = (w_t/C) Σ_{i≠t} max(0, zᵢ)^p

    yᵢ appears in zᵢ only, with slope 1, and y_t in every zᵢ, with slope −1::

        ∂l/∂yᵢ  = (w_t/C) p max(0, zᵢ)^(p−1)    for i ≠ t and zᵢ > 0, else 0
        ∂l/∂y_t = −Σ_{i≠t} ∂l/∂yᵢ

    Args:
        p: the exponent, 1 or 2.
        margin: Δ.
        weight: w, one number for each class.
        reduction: ``none``, ``mean`` (over the samples, whatever their weights) or ``sum``.

    Shapes:
        y ``(..., N, C)`` and target ``(N,)``, or ``(C,)`` and ``()``.

    Raises:
        ValueError: shapes do not fit, or a target is no class.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Weight = None, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.require(p in (1, 2), "p", p, "1 or 2")
        self.p = p
        require_numbers(self, margin=margin)
        self.margin = margin
        self.weight = weight

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        require_indices(self, target)
        self.require(target.ndim <= 1, "the target's shape", target.shape, "one axis or none")
        axis = class_axis(self, y, target.ndim)
        right, _ = right_class(self, y, target, axis)
        weights = np.where(right, class_weights(self, self.weight, y, axis), 0)
        scale = weights.sum(axis=axis, keepdims=True) / y.shape[axis]
        z = self.margin - np.where(right, y, 0).sum(axis=axis, keepdims=True) + y
        short = ~right & (z.real > 0)
        z = np.where(short, z, 0)
        reduction = self.over(target.shape)
        loss = reduction.forward((scale * z**self.p).sum(axis=axis))
        return loss, (right, short, scale, z, axis, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        right, short, scale, z, axis, reduction = cache
        dterms = reduction.backward(dloss, without_axis(z.shape, axis))
        slope = np.where(short, scale * self.p * z ** (self.p - 1), 0) * beside(dterms, axis)
        dy: Array = np.where(right, -slope.sum(axis=axis, keepdims=True), slope)
        return dy


def signs(loss: Loss, target: Array, y: Array) -> Array:
    """A target of 1 and −1, refused if there is another number in it, in the dtype of y."""
    other = (target != 1) & (target != -1)
    if other.any():
        loss.require(False, "an entry of the target", target[other][0], "1 or −1")
    return like(target, y)
