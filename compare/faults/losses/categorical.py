"""Faults of the cross-entropy of classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.layers import as_if, cache_of, output_of, when
from compare.faults.changes.methods import around, instead
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array
from reference.activations.softmax import log_softmax, softmax, softmax_backward
from reference.losses.reduction import beside, without_axis


def _slope(function: Callable[[Any, Array, Array, int], Array]) -> Changes:
    """A cross-entropy's backward with the slope ``function(self, p, weighted q, axis)``."""

    def backward(self: Any, cache: Any, dloss: Any = 1.0) -> Any:
        log_p, wanted, axis, reduction = cache
        dterms = beside(reduction.backward(dloss, without_axis(log_p.shape, axis)), axis)
        return function(self, np.exp(log_p), wanted, axis) * dterms

    return instead("backward", backward)


def _terms(log_p_of: Callable[[Array, int], Array]) -> Changes:
    """A cross-entropy of other log-probabilities, ``log_p_of(logits, axis)``."""

    def forward(right: Method, self: Any, y: Array, target: Array) -> Any:
        _, cache = right(self, y, target)
        _, wanted, axis, reduction = cache
        terms = -(wanted * np.where(wanted != 0, log_p_of(y, axis), 0)).sum(axis=axis)
        return reduction.forward(terms), cache

    return around("forward", forward)


def _unshifted(y: Array, axis: int) -> Any:
    return y - np.log(np.exp(y).sum(axis=axis, keepdims=True))


def _softmax_first(right: Method, self: Any, y: Array, target: Array) -> Any:
    _, (_, _, axis, _) = right(self, y, target)
    return right(self, softmax(y, axis), target)


def _backward_again(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    log_p, _, axis, _ = cache
    return softmax_backward(np.exp(log_p), right(self, cache, dloss), axis)


def _sums(wanted: Array, axis: int) -> Any:
    return wanted.sum(axis=axis, keepdims=True)


def _at_the_right_class(self: Any, p: Array, wq: Array, axis: int) -> Array:
    return np.where(wq != 0, p * _sums(wq, axis) - wq, 0)


def _or_one(total: Array) -> Array:
    return np.where(total != 0, total, 1.0)


def _weighted(self: Any) -> bool:
    return self.weight is not None


def _smooths(self: Any) -> bool:
    return bool(self.label_smoothing > 0)


def _among_others(self: Any, q: Array, axis: int) -> Any:
    smoothing = self.label_smoothing
    return (1 - smoothing) * q + smoothing / (q.shape[axis] - 1) * (1 - q)


_FUSED = "∂l/∂x = p Σ w q − w q, which without weights is p − q: softmax's backward is in it"


def _smoothing_adds_only(self: Any, q: Array, axis: Any) -> Any:
    return q + self.label_smoothing / q.shape[axis]


CATEGORICAL = faults("CrossEntropyLoss",
    Right("give the loss logits, what comes before the softmax"),
    Row("softmax applied twice", "the network ends in a softmax, and the loss applies another",
        "output", around("forward", _softmax_first)),
    Right(_FUSED),
    Row("softmax's backward again",
        "the fused gradient p − q is sent through the backward pass of the softmax as well", "dx",
        around("backward", _backward_again)),
    Row("p (1 − p) again", "the fused gradient p − q is multiplied by p (1 − p) as well", "dx",
        _slope(lambda self, p, wq, axis: (p * _sums(wq, axis) - wq) * (p * (1 - p)))),
    Row("target not subtracted", "the gradient is p", "dx",
        _slope(lambda self, p, wq, axis: p * _sums(wq, axis))),
    Row("gradient at the right class alone",
        "the gradient is p − 1 at the right class and 0 elsewhere", "dx",
        _slope(_at_the_right_class), needs="targets that are 0 for some class"),
    Row("gradient at the probabilities",
        "the gradient is −q/p: the softmax's derivative is missing", "dx",
        _slope(lambda self, p, wq, axis: -wq / p)),
    Right("log p = x − max x − log Σ e^(x − max x), which needs no ε"),
    Row("ε in the loss, not in the gradient", "the loss is −log(p + ε)", "output",
        _terms(lambda y, axis: np.log(softmax(y, axis) + 1e-7)), needs="probabilities near 0"),
    Right("log p = x − max x − log Σ e^(x − max x)"),
    Row("logarithm of a rounded softmax", "log of a softmax that was rounded to 0 is −∞", "output",
        _terms(lambda y, axis: np.log(softmax(y, axis))), needs="logits far apart"),
    Row("overflow", "eˣ overflows: the largest logit is not subtracted first", "output",
        _terms(_unshifted), needs="large logits"),
    Right("classes are along the second axis, (N, C, …)"),
    Row("classes along the last axis",
        "the softmax runs along the last axis, not along that of the classes", "output",
        _terms(lambda y, axis: log_softmax(y, -1)), needs="places beside the samples"),
    Right("q ← (1 − ε) q + ε/C, for every class"),
    Row("smoothing spread over the other classes",
        "ε/(C − 1) goes to every class but the right one", "output",
        when(_smooths, instead("_smoothed", _among_others)), needs="label_smoothing > 0"),
    Right("q ← (1 − ε) q + ε/C"),
    Row("smoothing adds only", "ε/C is added, but 1 − ε does not multiply", "output",
        when(_smooths, instead("_smoothed", _smoothing_adds_only)), needs="label_smoothing > 0"),
    Right("use the smoothed q in the gradient, too"),
    Row("smoothing in the loss, not in the gradient", "the gradient is that of unsmoothed targets",
        "dx", cache_of(as_if(label_smoothing=0.0)), needs="label_smoothing > 0"),
    Right("use the smoothed q in the loss, too"),
    Row("smoothing in the gradient, not in the loss", "the loss is that of unsmoothed targets",
        "output", output_of(as_if(label_smoothing=0.0)), needs="label_smoothing > 0"),
    Right("the gradient is 0 for a sample that is ignored"),
    Row("ignored samples get a gradient", "the gradient is p where the target is to be ignored",
        "dx", _slope(lambda self, p, wq, axis: p * _or_one(_sums(wq, axis)) - wq),
        needs="ignored samples"),
    Right("∂l/∂x = p Σ w q − w q"),
    Row("weight on the target alone", "the gradient is p − w q: the weight is missing before p",
        "dx", when(_weighted, _slope(lambda self, p, wq, axis: p * (_sums(wq, axis) != 0) - wq)),
        needs="a weight"),
)  # fmt: skip
