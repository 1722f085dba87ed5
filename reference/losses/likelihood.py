"""Negative log-likelihoods of counts and of measurements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.losses.loss import Loss
from reference.module import Array
from reference.support.checks import require_numbers


class PoissonNLLLoss(Loss):
    r"""How unlikely a count t is, if counts are Poisson distributed with rate λ.

    The probability is λᵗ e^−λ/t!, so its negative logarithm is λ − t log λ + log t!. The network
    gives either y = log λ or y = λ itself::

        l = e^y − t y              ∂l/∂y = e^y − t
        l = y − t log(y + ε)       ∂l/∂y = 1 − t/(y + ε)

    log t! does not depend on y. If wanted, Stirling's approximation of it is added where t > 1::

        log t! ≈ t log t − t + ½ log(2π t)

    Leading axes of y, before those of a target with two axes or more, are an ensemble.

    Args:
        log_input: whether y is the logarithm of the rate.
        full: whether Stirling's approximation is added.
        eps: ε, for a rate of 0.
        reduction: ``none``, ``mean`` or ``sum``.

    Raises:
        ValueError: y + ε is a rate that has no logarithm.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        require_numbers(self, eps=eps)
        self.eps = eps

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        terms, slope = self._of_log_rate(y, target) if self.log_input else self._of_rate(y, target)
        if self.full:
            terms = terms + _log_factorial(target)
        reduction = self.over(target.shape)
        return reduction.forward(terms), (slope, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        slope, reduction = cache
        dy: Array = slope * reduction.backward(dloss, slope.shape)
        return dy

    def _of_log_rate(self, y: Array, target: Array) -> tuple[Array, Array]:
        with np.errstate(over="ignore"):  # a rate beyond all numbers is infinite
            rate = np.exp(y)
        return rate - target * y, rate - target

    def _of_rate(self, y: Array, target: Array) -> tuple[Array, Array]:
        rate = y + self.eps
        if not (rate.real > 0).all():
            lowest = y.real.min()
            self.require(False, "the lowest rate y", lowest, f"greater than −{self.eps:g}")
        return y - target * np.log(rate), 1 - target / rate


def _log_factorial(t: Array) -> Array:
    """Stirling's approximation of log t! where t > 1, else 0."""
    large = np.where(t > 1, t, 1)
    stirling = large * np.log(large) - large + 0.5 * np.log(2 * math.pi * large)
    return np.where(t > 1, stirling, 0)


class GaussianNLLLoss(Loss):
    r"""How unlikely a measurement t is, if it is Gaussian with mean y and variance v.

    The density is e^(−d²/2v)/√(2πv) with d = y − t, so, without the constant ½ log 2π::

        l = ½ (log v + d²/v)
        ∂l/∂y = d/v
        ∂l/∂v = ½ (1/v − d²/v²)

    A variance below ε counts as ε. The gradient takes no note of that: ∂l/∂v is that at v = ε, not
    0, so that such a variance can still grow where d² > ε. One variance for several entries gathers
    the gradients of all of them.

    Args:
        full: whether the constant is added.
        eps: ε, the least variance.
        reduction: ``none``, ``mean`` or ``sum``.

    Shapes:
        y and target the same; leading axes of y, before those of a target with two axes or more,
        are an ensemble. The variance has the shape of y, or with 1 for one of its axes, or lacks
        the last axis; or it is a single number.

    Raises:
        ValueError: shapes do not fit, a variance is negative.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        require_numbers(self, eps=eps)
        self.eps = eps

    def forward(self, y: Array, target: Array, var: Array | float) -> tuple[Array, Any]:
        """Compute the loss of the mean y and the variance ``var``."""
        self.require_alike(y, target)
        spread = self._beside(var, y)
        if not (spread.real >= 0).all():
            self.require(False, "the lowest variance", spread.real.min(), "at least 0")
        # spread − spread.real is 0, but for a complex step, which takes no note of ε either.
        v = np.where(spread.real < self.eps, self.eps + (spread - spread.real), spread)
        difference = y - target
        terms = 0.5 * (np.log(v) + difference * difference / v)
        if self.full:
            terms = terms + 0.5 * math.log(2 * math.pi)
        reduction = self.over(target.shape)
        return reduction.forward(terms), (difference, v, getattr(var, "shape", ()), reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> tuple[Array, Array]:
        """Give the gradients of the mean and of the variance."""
        difference, v, var_shape, reduction = cache
        dterms = reduction.backward(dloss, difference.shape)
        ratio = difference / v
        dy = ratio * dterms
        slope = 0.5 * (1 / v - ratio * ratio) * dterms
        shared = tuple(a for a in range(slope.ndim) if v.ndim == 0 or v.shape[a] == 1)
        return dy, slope.sum(axis=shared, keepdims=True).reshape(var_shape)

    def _beside(self, var: Array | float, y: Array) -> Array:
        """The variance, shaped to broadcast against y."""
        if isinstance(var, int | float):
            return np.asarray(var, y.real.dtype)
        if var.shape == y.shape[:-1]:
            return var.reshape((*var.shape, 1))
        shared = [own for own, length in zip(var.shape, y.shape, strict=False) if own != length]
        fits = var.ndim == y.ndim and shared in ([], [1])
        needed = f"that of y, {y.shape}, or with 1 for one axis, or without the last axis"
        self.require(fits, "the variance's shape", var.shape, needed)
        return var
