"""Two outcomes: the negative log-likelihood of yes and no.

If an outcome is yes with probability p, a target t (1 for yes, 0 for no, or between) has the loss::

    l = −[t log p + (1 − t) log(1 − p)]

Leading axes of y, before those of a target with two axes or more, are an ensemble.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.losses.loss import Loss, Weight, like
from reference.module import Array
from reference.support.special import sigmoid, softplus

#: Logarithms are not let below this, so that a certain and wrong prediction has a finite loss.
LEAST_LOG = -100.0

#: The least that the gradient of BCELoss divides by: PyTorch's 1e-12, a float32 in every dtype.
LEAST_PRODUCT = float(np.float32(1e-12))


class BCELoss(Loss):
    r"""Binary cross-entropy of probabilities: ``l = −w [t log y + (1 − t) log(1 − y)]``.

    ::

        ∂l/∂y = w [−t/y + (1 − t)/(1 − y)] = w (y − t)/(y (1 − y))

    PyTorch guards both against y = 0 and y = 1, each in its own way, and so does this: in the loss
    logarithms are at least −100, in the gradient y (1 − y) is at least 1e-12. So for y < 1e-12 and
    y > 1 − 1e-12 its gradient is not the derivative of its loss. From logits,
    :class:`BCEWithLogitsLoss` needs no such guard.

    Args:
        weight: w, broadcast to the shape of the target.
        reduction: ``none``, ``mean`` (over all entries, whatever their weights) or ``sum``.

    Raises:
        ValueError: a probability, predicted or wanted, is not between 0 and 1.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
    """

    def __init__(self, weight: Weight = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = weight

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        self._require_probabilities("y", y)
        self._require_probabilities("the target", target)
        weight = _weight(self, "weight", self.weight, y, target)
        log_yes = _at_least(np.log(np.where(y.real > 0, y, 1)), y.real > 0)
        log_no = _at_least(np.log1p(-np.where(y.real < 1, y, 0)), y.real < 1)
        terms = -weight * (target * log_yes + (1 - target) * log_no)
        reduction = self.over(target.shape)
        return reduction.forward(terms), (y, target, weight, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        y, target, weight, reduction = cache
        product = y * (1 - y)
        guarded = np.where(product.real > LEAST_PRODUCT, product, LEAST_PRODUCT)
        dy: Array = weight * (y - target) / guarded * reduction.backward(dloss, y.shape)
        return dy

    def _require_probabilities(self, name: str, value: Array) -> None:
        outside = ~((value.real >= 0) & (value.real <= 1))
        if outside.any():
            self.require(False, f"an entry of {name}", value.real[outside][0], "between 0 and 1")


class BCEWithLogitsLoss(Loss):
    r"""Binary cross-entropy of logits x, so that p = σ(x).

    With a weight q for the outcome yes::

        l = −w [q t log σ(x) + (1 − t) log(1 − σ(x))]

    1 − σ(x) = σ(−x), and −log σ(x) = softplus(−x), which overflows nowhere::

        l = w [q t softplus(−x) + (1 − t) softplus(x)]

    The slope of softplus is σ, so::

        ∂l/∂x = w [(1 − t) σ(x) − q t σ(−x)]

    For w = q = 1 this is σ(x) − t, the difference of prediction and target.

    Args:
        weight: w, broadcast to the shape of the target.
        reduction: ``none``, ``mean`` (over all entries, whatever their weights) or ``sum``.
        pos_weight: q, broadcast to the shape of the target: for one weight per class, the last axis
            of both.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
    """

    def __init__(
        self, weight: Weight = None, reduction: str = "mean", pos_weight: Weight = None
    ) -> None:
        super().__init__(reduction)
        self.weight = weight
        self.pos_weight = pos_weight

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        self.require_alike(y, target)
        weight = _weight(self, "weight", self.weight, y, target)
        yes = weight * _weight(self, "pos_weight", self.pos_weight, y, target) * target
        no = weight * (1 - target)
        reduction = self.over(target.shape)
        return reduction.forward(yes * softplus(-y) + no * softplus(y)), (y, yes, no, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        y, yes, no, reduction = cache
        slope = no * sigmoid(y) - yes * sigmoid(-y)
        dy: Array = slope * reduction.backward(dloss, y.shape)
        return dy


def _at_least(log: Array, positive: Array) -> Array:
    """The logarithm where there is one and it is not too low, elsewhere the least allowed."""
    return np.where(positive & (log.real > LEAST_LOG), log, LEAST_LOG)


def _weight(loss: Loss, name: str, weight: Weight, y: Array, target: Array) -> Any:
    """The weight, or 1; refused if it does not broadcast to the target's shape."""
    if weight is None:
        return 1
    array = like(weight, y)
    lengths = zip(reversed(array.shape), reversed(target.shape), strict=False)
    fits = array.ndim <= target.ndim and all(own in (1, length) for own, length in lengths)
    needed = f"one that broadcasts to the target's, {target.shape}"
    loss.require(fits, f"{name}'s shape", array.shape, needed)
    return array
