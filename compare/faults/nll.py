"""Faults of the negative log-likelihood, of what it shares with cross-entropy, and of KLDivLoss."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from compare.faults.changes import around, options
from compare.faults.changes_layers import cache_of, fault, loss_slope, when
from compare.faults.fault import Method
from reference import Array
from reference.losses.reduction import beside, without_axis


def _all_count(right: Method, self: Any, y: Array, target: Array) -> Any:
    """Samples to be ignored counted as if they were of the first class."""
    if target.dtype.kind not in "iu":
        return right(self, y, target)
    return right(self, y, np.where(target == self.ignore_index, 0, target))


def _count_samples(right: Method, self: Any, shape: Any, divisor: Any = None) -> Any:
    return right(self, shape)


def _by_samples(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    axis, reduction = cache[2:]
    shape = cache[1] if isinstance(cache[1], tuple) else cache[0].shape
    samples = math.prod(without_axis(shape, axis)[-reduction.ndim :])
    return right(self, (*cache[:3], dataclasses.replace(reduction, divisor=samples)), dloss)


def _with_logits(right: Method, self: Any, y: Array, target: Array) -> Any:
    loss, cache = right(self, y, target)
    return loss, (cache, y)


def _fused(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    """e^y − q for −q."""
    inner, y = cache
    _, shape, axis, reduction = inner
    dterms = beside(reduction.backward(dloss, without_axis(shape, axis)), axis)
    return right(self, inner, dloss) + np.exp(y) * dterms


_NLL = (
    fault(
        "NLLLoss",
        "gradient of the cross-entropy",
        "the gradient is e^y − q, that of the logits, though log-softmax comes before it",
        {**around("forward", _with_logits), **around("backward", _fused)},
        "dx",
        "∂l/∂y is −w at the right class and 0 elsewhere",
    ),
    fault(
        "NLLLoss",
        "gradient at every class",
        "every class gets the gradient −w",
        around(
            "backward",
            lambda right, self, cache, dloss=1.0: (
                0 * right(self, cache, dloss)
                + right(self, cache, dloss).sum(axis=cache[2], keepdims=True)
            ),
        ),
        "dx",
        "∂l/∂y is −w at the right class and 0 elsewhere",
    ),
)

_BOTH = tuple(
    one
    for owner in ("NLLLoss", "CrossEntropyLoss")
    for one in (
        fault(
            owner,
            "ignored samples counted",
            "targets to be ignored count as the first class",
            around("forward", _all_count),
            "output",
            "leave out samples whose target is ignore_index, in the sum and in the divisor",
            "ignored samples",
        ),
        fault(
            owner,
            "mean over all samples",
            "the sum is divided by N, whatever the samples weigh, ignored ones too",
            around("over", _count_samples),
            "output",
            "divide by the sum of w[t] over the samples that count",
            "a weight or ignored samples",
        ),
        fault(
            owner,
            "gradient's mean over all samples",
            "the loss is divided by the sum of the weights, the gradient by N",
            around("backward", _by_samples),
            "dx",
            "divide both by the sum of w[t] over the samples that count",
            "a weight or ignored samples",
        ),
        fault(
            owner,
            "weight ignored",
            "loss and gradient are those without weights",
            options("forward", weight=None),
            "output",
            "multiply each term by w[t]",
            "a weight",
        ),
        fault(
            owner,
            "weight in the loss, not in the gradient",
            "the gradient is that of the loss without weights",
            cache_of(lambda self: {"weight": None}),
            "dx",
            "multiply the gradient by w[t], too",
            "a weight",
        ),
    )
)

_DIVERGENCE = (
    fault(
        "KLDivLoss",
        "mean over the entries",
        "batchmean divides by the number of entries",
        when(lambda self: self.reduction == "batchmean", options("forward", reduction="mean")),
        "output",
        "batchmean divides by the number of samples",
        "reduction='batchmean'",
    ),
    fault(
        "KLDivLoss",
        "mean over the samples",
        "mean divides by the number of samples",
        when(lambda self: self.reduction == "mean", options("forward", reduction="batchmean")),
        "output",
        "mean divides by the number of entries",
        "reduction='mean'",
    ),
    fault(
        "KLDivLoss",
        "target's entropy missing",
        "the loss is −t y, the cross-entropy",
        around(
            "forward",
            lambda right, self, y, target: (
                right(self, y, target)[1][2].forward(-right(self, y, target)[1][0] * y),
                right(self, y, target)[1],
            ),
        ),
        "output",
        "l = t (log t − y)",
    ),
    fault(
        "KLDivLoss",
        "prediction taken for probabilities",
        "the gradient is −t/e^y: y is a logarithm already",
        loss_slope(lambda self, y, t: -(np.exp(t) if self.log_target else t) / np.exp(y)),
        "dx",
        "∂l/∂y = −t",
    ),
    fault(
        "KLDivLoss",
        "exponential of the target missing in the gradient",
        "the gradient is −s where the target s is a logarithm",
        when(lambda self: self.log_target, loss_slope(lambda self, y, s: -s)),
        "dx",
        "∂l/∂y = −e^s",
        "log_target=True",
    ),
    fault(
        "KLDivLoss",
        "p − t",
        "the gradient is e^y − t, that of the logits",
        loss_slope(lambda self, y, t: np.exp(y) - (np.exp(t) if self.log_target else t)),
        "dx",
        "∂l/∂y = −t: log-softmax has a backward pass of its own",
    ),
)

NLL = (*_NLL, *_BOTH, *_DIVERGENCE)
