"""How far one distribution is from another."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.losses.loss import Loss
from reference.module import Array


class KLDivLoss(Loss):
    r"""The Kullback-Leibler divergence KL(t ‖ e^y) of a target t and a prediction e^y.

    y are logarithms of probabilities.

    ::

        l = t (log t − y)              ∂l/∂y = −t
        l = e^s (s − y), s = log t     ∂l/∂y = −e^s     if the target is a logarithm too

    For t = 0, t log t counts as 0, its limit. Leading axes of y, before those of a target with two
    axes or more, are an ensemble.

    Args:
        reduction: ``none``, ``mean``, ``sum`` or ``batchmean``. Only the last is the divergence,
            averaged over the samples: ``mean`` divides by the number of entries.
        log_target: whether the target is log t instead of t.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
    """

    reductions = ("none", "mean", "sum", "batchmean")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        if self.log_target:
            t, log_t = np.exp(target), target
        else:
            t, log_t = target, np.log(np.where(target == 0, 1, target))
        samples = target.shape[0] if self.reduction == "batchmean" and target.ndim else None
        reduction = self.over(target.shape, samples)
        return reduction.forward(t * (log_t - y)), (t, y.shape, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        t, shape, reduction = cache
        return np.broadcast_to(-t * reduction.backward(dloss, shape), shape)
