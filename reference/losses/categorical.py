"""One of several classes: the negative log-likelihood of the right one.

The shapes, and where the class axis is, are told in :mod:`reference.losses.classes`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.activations.softmax import log_softmax
from reference.losses.classes import class_axis, class_weights, require_indices, right_class
from reference.losses.loss import Loss, Weight
from reference.losses.reduction import Reduction, beside, without_axis
from reference.module import Array
from reference.support.checks import require_numbers, require_whole


class NLLLoss(Loss):
    r"""Minus the log-probability of the right class: ``l = −w[t] y[t]``, y the log-probabilities.

    Only one entry of each sample's y appears in its loss::

        ∂l/∂y[c] = −w[t] for c = t, else 0

    Args:
        weight: w, one number for each class.
        ignore_index: a target that is no class; such samples do not count.
        reduction: ``none``, ``mean`` (divided by the sum of w[t], not by N) or ``sum``.

    Raises:
        ValueError: shapes do not fit, or a target is no class.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
    """

    def __init__(
        self, weight: Weight = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.weight = weight
        require_whole(self, ignore_index=ignore_index)
        self.ignore_index = ignore_index

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        require_indices(self, target)
        axis = class_axis(self, y, target.ndim)
        right, _ = right_class(self, y, target, axis, self.ignore_index)
        picked = np.where(right, class_weights(self, self.weight, y, axis), 0)
        terms = -(picked * np.where(picked != 0, y, 0)).sum(axis=axis)
        reduction = self.over(target.shape, picked.sum())
        return reduction.forward(terms), (picked, y.shape, axis, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        picked, shape, axis, reduction = cache
        dterms = reduction.backward(dloss, without_axis(shape, axis))
        return np.broadcast_to(-picked * beside(dterms, axis), shape)


class CrossEntropyLoss(Loss):
    r"""Cross-entropy of logits x: minus the expected log-probability under a target distribution q.

    ::

        l = −Σ_c w_c q_c log p_c,   log p = log_softmax(x)

    For class indices q is 1 at the right class t and 0 elsewhere, so that l = −w_t log p_t; or the
    target gives q itself. Label smoothing with ε mixes in the uniform distribution::

        q ← (1 − ε) q + ε/C

    With ∂ log p_c/∂x_j = [c = j] − p_j (see LogSoftmax)::

        ∂l/∂x_j = −Σ_c w_c q_c ([c = j] − p_j) = p_j Σ_c w_c q_c − w_j q_j

    which without weights is p − q, as q adds up to 1. To send it through the backward pass of a
    softmax as well is a common slip: that is already in it.

    Args:
        weight: w, one number for each class.
        ignore_index: a target that is no class; such samples do not count.
        reduction: ``none``, ``mean`` or ``sum``. For class indices the mean divides by the sum of
            the samples' w_t, for probabilities by the number of samples.
        label_smoothing: ε, between 0 and 1.

    Raises:
        ValueError: shapes do not fit, a target is no class, or ``ignore_index`` is given for a
            target of probabilities.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
    """

    def __init__(
        self,
        weight: Weight = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.weight = weight
        require_whole(self, ignore_index=ignore_index)
        self.ignore_index = ignore_index
        require_numbers(self, label_smoothing=label_smoothing)
        in_range = 0 <= label_smoothing <= 1
        self.require(in_range, "label_smoothing", label_smoothing, "between 0 and 1")
        self.label_smoothing = label_smoothing

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        if target.dtype.kind in "iu":
            axis = class_axis(self, y, target.ndim)
            wanted, reduction = self._from_indices(y, target, axis)
        else:
            axis = class_axis(self, y, target.ndim - 1)
            wanted, reduction = self._from_probabilities(y, target, axis)
        log_p = log_softmax(y, axis)
        terms = -(wanted * np.where(wanted != 0, log_p, 0)).sum(axis=axis)  # 0 · −∞ counts as 0
        return reduction.forward(terms), (log_p, wanted, axis, reduction)

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        log_p, wanted, axis, reduction = cache
        dterms = reduction.backward(dloss, without_axis(log_p.shape, axis))
        slope = np.exp(log_p) * wanted.sum(axis=axis, keepdims=True) - wanted
        dy: Array = slope * beside(dterms, axis)
        return dy

    def _from_indices(self, y: Array, target: Array, axis: int) -> tuple[Array, Reduction]:
        """The weighted q, and the reduction; its mean divides by the sum of the right w."""
        right, counts = right_class(self, y, target, axis, self.ignore_index)
        weight = class_weights(self, self.weight, y, axis)
        wanted = np.where(counts, weight * self._smoothed(right.astype(weight.dtype), axis), 0)
        total = np.where(right, weight, 0).sum()
        return wanted, self.over(target.shape, total)

    def _from_probabilities(self, y: Array, target: Array, axis: int) -> tuple[Array, Reduction]:
        """The weighted q, and the reduction; its mean divides by the number of samples."""
        self.require_alike(y, target)
        needed = "negative for a target of probabilities, where no class can be ignored"
        self.require(self.ignore_index < 0, "ignore_index", self.ignore_index, needed)
        wanted = class_weights(self, self.weight, y, axis) * self._smoothed(target, axis)
        return wanted, self.over(without_axis(target.shape, axis))

    def _smoothed(self, q: Array, axis: int) -> Array:
        smoothing = self.label_smoothing
        mixed: Array = (1 - smoothing) * q + smoothing / q.shape[axis]
        return mixed
