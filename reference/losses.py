"""Losses: a prediction and a target in, one number out.

``forward`` gives the loss and a cache, ``backward`` its gradient with respect to the prediction,
which is where backpropagation starts.
"""

from __future__ import annotations

import math
from typing import Any

from reference.module import Array


class Loss:
    """A scalar function ``L(y, target)`` with its derivative ``∂L/∂y``."""

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        """Compute the loss.

        Args:
            y: the prediction, ``(..., N, features)``.
            target: what it should be, ``(N, features)``.

        Returns:
            The loss, of shape ``(...)``, and the cache for :meth:`backward`.
        """
        raise NotImplementedError

    def backward(self, cache: Any) -> Array:
        """Give ``dy = ∂L/∂y``, of the shape of ``y``."""
        raise NotImplementedError


def _difference(y: Array, target: Array) -> Array:
    """``y − target``, refusing shapes that would broadcast, such as (N, 1) against (N,)."""
    if y.shape[-2:] != target.shape:
        raise ValueError(
            f"prediction and target must have the same shape, but the prediction has "
            f"{y.shape[-2:]} and the target {target.shape}: broadcasting them would compare "
            f"every sample with every target"
        )
    return y - target


class HalfSquaredErrorLoss(Loss):
    r"""Half the squared error, summed over samples and outputs: ``L = ½ Σ (y − t)²``.

    Only one term of the sum contains a given y, and the ½ takes up the 2 of the square::

        ∂L/∂y = (y − t)

    Nothing is averaged, so N samples give a gradient N times as long as their mean would.
    """

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        difference = _difference(y, target)
        return (difference * difference).sum(axis=(-2, -1)) / 2, difference

    def backward(self, cache: Any) -> Array:
        difference: Array = cache
        return difference


class MSELoss(Loss):
    r"""The mean squared error over all K = N · features numbers: ``L = (1/K) Σ (y − t)²``.

    ::

        ∂L/∂y = (2/K)(y − t)

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
    """

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        difference = _difference(y, target)
        total = (difference * difference).sum(axis=(-2, -1))
        return total / math.prod(target.shape), difference

    def backward(self, cache: Any) -> Array:
        difference: Array = cache
        return difference * (2 / math.prod(difference.shape[-2:]))
