"""Faults of the negative log-likelihood, of what it shares with cross-entropy, and of KLDivLoss."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from compare.faults.changes.layers import as_if, cache_of, having, loss_slope, when
from compare.faults.changes.methods import around, options
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
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


def _gradient_at_every_class(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    dy = right(self, cache, dloss)
    return 0 * dy + dy.sum(axis=cache[2], keepdims=True)


_NLL = faults("NLLLoss", Right("∂l/∂y is −w at the right class and 0 elsewhere"),
    Row("gradient of the cross-entropy",
        "the gradient is e^y − q, that of the logits, though log-softmax comes before it", "dx",
        {**around("forward", _with_logits), **around("backward", _fused)}),
    Row("gradient at every class", "every class gets the gradient −w", "dx",
        around("backward", _gradient_at_every_class)),
)  # fmt: skip

_BOTH = faults(("NLLLoss", "CrossEntropyLoss"),
    Right("leave out samples whose target is ignore_index, in the sum and in the divisor"),
    Row("ignored samples counted", "targets to be ignored count as the first class", "output",
        around("forward", _all_count), needs="ignored samples"),
    Right("divide by the sum of w[t] over the samples that count"),
    Row("mean over all samples",
        "the sum is divided by N, whatever the samples weigh, ignored ones too", "output",
        around("over", _count_samples), needs="a weight or ignored samples"),
    Right("divide both by the sum of w[t] over the samples that count"),
    Row("gradient's mean over all samples",
        "the loss is divided by the sum of the weights, the gradient by N", "dx",
        around("backward", _by_samples), needs="a weight or ignored samples"),
    Right("multiply each term by w[t]"),
    Row("weight ignored", "loss and gradient are those without weights", "output",
        options("forward", weight=None), needs="a weight"),
    Right("multiply the gradient by w[t], too"),
    Row("weight in the loss, not in the gradient",
        "the gradient is that of the loss without weights", "dx",
        cache_of(as_if(weight=None)), needs="a weight"),
)  # fmt: skip


def _target_entropy_missing(right: Method, self: Any, y: Array, target: Any) -> Any:
    _, cache = right(self, y, target)
    return cache[2].forward(-cache[0] * y), cache


_DIVERGENCE = faults("KLDivLoss", Right("batchmean divides by the number of samples"),
    Row("mean over the entries", "batchmean divides by the number of entries", "output",
        when(having(reduction="batchmean"), options("forward", reduction="mean")),
        needs="reduction='batchmean'"),
    Right("mean divides by the number of entries"),
    Row("mean over the samples", "mean divides by the number of samples", "output",
        when(having(reduction="mean"), options("forward", reduction="batchmean")),
        needs="reduction='mean'"),
    Right("l = t (log t − y)"),
    Row("target's entropy missing", "the loss is −t y, the cross-entropy", "output",
        around("forward", _target_entropy_missing)),
    Right("∂l/∂y = −t"),
    Row("prediction taken for probabilities", "the gradient is −t/e^y: y is a logarithm already",
        "dx", loss_slope(lambda self, y, t: -(np.exp(t) if self.log_target else t) / np.exp(y))),
    Right("∂l/∂y = −e^s"),
    Row("exponential of the target missing in the gradient",
        "the gradient is −s where the target s is a logarithm", "dx",
        when(having(log_target=True), loss_slope(lambda self, y, s: -s)), needs="log_target=True"),
    Right("∂l/∂y = −t: log-softmax has a backward pass of its own"),
    Row("p − t", "the gradient is e^y − t, that of the logits", "dx",
        loss_slope(lambda self, y, t: np.exp(y) - (np.exp(t) if self.log_target else t))),
)  # fmt: skip

NLL = (*_NLL, *_BOTH, *_DIVERGENCE)
