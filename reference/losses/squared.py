"""Squared errors."""

from __future__ import annotations

from typing import Any

from reference.losses.loss import Loss
from reference.module import Array


class HalfSquaredErrorLoss(Loss):
    r"""Half the squared error, summed over samples and outputs: ``L = ½ Σ (y − t)²``.

    Only one term of the sum contains a given y, and the ½ takes up the 2 of the square::

        ∂L/∂y = (y − t)

    Nothing is averaged, so N samples give a gradient N times as long as their mean would.
    """

    def __init__(self) -> None:
        super().__init__("sum")

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        difference = y - target
        reduction = self.over(target.shape)
        return reduction.forward(difference * difference) / 2, (difference, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        difference, reduction = cache
        dy: Array = difference * reduction.backward(dloss, difference.shape)
        return dy


class MSELoss(Loss):
    r"""The squared error ``l = (y − t)²`` of each entry, and by default the mean of them.

    ::

        ∂l/∂y = 2 (y − t)

    The mean over all K = N · features entries puts a factor 1/K before it.

    Args:
        reduction: ``none``, ``mean`` or ``sum``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
    """

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        difference = y - target
        reduction = self.over(target.shape)
        return reduction.forward(difference * difference), (difference, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        difference, reduction = cache
        dy: Array = difference * (2 * reduction.backward(dloss, difference.shape))
        return dy
