"""Absolute errors, and two that are squared near 0 and absolute far from it.

With d = y − t, |d| has the slope sign(d), which at d = 0 is by convention 0.

Leading axes of y, before those of a target with two axes or more, are an ensemble.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.losses.loss import Loss
from reference.module import Array
from reference.support.checks import require_numbers
from reference.support.special import absolute, sign


class L1Loss(Loss):
    r"""The absolute error ``l = |y − t|`` of each entry.

    ::

        ∂l/∂y = sign(y − t)

    Args:
        reduction: ``none``, ``mean`` or ``sum``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
    """

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        difference = y - target
        reduction = self.over(target.shape)
        return reduction.forward(absolute(difference)), (difference, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        difference, reduction = cache
        dy: Array = sign(difference) * reduction.backward(dloss, difference.shape)
        return dy


class SmoothL1Loss(Loss):
    r"""The absolute error with its corner rounded off.

    With d = y − t::

        l = ½ d²/β     for |d| < β      ∂l/∂y = d/β
        l = |d| − ½ β  elsewhere        ∂l/∂y = sign(d)

    Values and slopes meet at |d| = β, where both give ½ β and ±1. β = 0 is the L1 loss.

    Args:
        reduction: ``none``, ``mean`` or ``sum``.
        beta: β, at least 0.

    Raises:
        ValueError: β is negative.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        require_numbers(self, beta=beta)
        self.require(beta >= 0, "beta", beta, "at least 0")
        self.beta = beta

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        difference = y - target
        near = absolute(difference).real < self.beta
        scaled = np.where(near, difference, 0) / (self.beta or 1)  # if β = 0, nothing is near
        terms = np.where(
            near, 0.5 * self.beta * scaled * scaled, absolute(difference) - 0.5 * self.beta
        )
        reduction = self.over(target.shape)
        return reduction.forward(terms), (difference, near, scaled, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        difference, near, scaled, reduction = cache
        dterms = reduction.backward(dloss, difference.shape)
        dy: Array = np.where(near, scaled, sign(difference)) * dterms
        return dy


class HuberLoss(Loss):
    r"""The squared error with its arms straightened.

    With d = y − t::

        l = ½ d²             for |d| ≤ δ      ∂l/∂y = d
        l = δ (|d| − ½ δ)    elsewhere        ∂l/∂y = δ sign(d)

    It is δ times the smooth L1 loss with β = δ.

    Args:
        reduction: ``none``, ``mean`` or ``sum``.
        delta: δ, greater than 0.

    Raises:
        ValueError: δ is not positive.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        require_numbers(self, delta=delta)
        self.require(delta > 0, "delta", delta, "greater than 0")
        self.delta = delta

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        difference = y - target
        near = absolute(difference).real <= self.delta
        inner = np.where(near, difference, 0)  # far out, the square might overflow
        straight = self.delta * (absolute(difference) - 0.5 * self.delta)
        terms = np.where(near, 0.5 * inner * inner, straight)
        reduction = self.over(target.shape)
        return reduction.forward(terms), (difference, near, inner, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        difference, near, inner, reduction = cache
        dterms = reduction.backward(dloss, difference.shape)
        dy: Array = np.where(near, inner, self.delta * sign(difference)) * dterms
        return dy
