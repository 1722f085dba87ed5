"""Faults that many losses share: reductions, signs, and shapes that broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.layers import as_if, cache_of, having, output_of, when
from compare.faults.changes.methods import around, options
from compare.faults.fault import Method
from compare.faults.losses.binary import BINARY
from compare.faults.losses.categorical import CATEGORICAL
from compare.faults.losses.distances import DISTANCES
from compare.faults.losses.likelihood import LIKELIHOOD
from compare.faults.losses.nll import NLL
from compare.faults.losses.regression import REGRESSION
from compare.faults.table import Right, Row, faults
from reference import Array

#: With a term for each entry, so that a mean over samples differs from one over entries.
BY_ENTRY = ("MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss")
LOSSES_OF_ALL = (*BY_ENTRY, "CrossEntropyLoss", "NLLLoss")


_MEAN, _SUM = having(reduction="mean"), having(reduction="sum")


def _reduces(self: Any) -> bool:
    return bool(self.reduction != "none")


def _again(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    return right(self, cache, dloss) / cache[-1].divisor


def _unasked(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    return right(self, cache, 0 * dloss + 1)


def _per_sample(right: Method, self: Any, shape: Any, divisor: Any = None) -> Any:
    return right(self, shape, shape[0] if len(shape) > 1 else divisor)


def _column(shape: tuple[int, ...]) -> bool:
    """Whether a prediction (N, 1) would be compared with a target (N)."""
    return len(shape) >= 2 and shape[-1] == 1


def _each_with_each(right: Method, self: Any, y: Array, target: Array) -> Any:
    """What y − t is for y (N, 1) and t (N): every prediction with every target."""
    if not _column(y.shape) or not _reduces(self):
        loss, cache = right(self, y, target)
        return loss, (cache, None)
    row = target.reshape(1, -1)
    wide = np.broadcast_to(row, (row.shape[1], row.shape[1]))
    loss, cache = right(self, np.broadcast_to(y, (*y.shape[:-1], row.shape[1])), wide)
    return loss, (cache, y.shape)


def _summed_back(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    inner, shape = cache
    dy = right(self, inner, dloss)
    return dy if shape is None else dy.sum(axis=-1, keepdims=True)


_MANY = "more than one term"
_MANY_MEANT, _MANY_SUMMED = f"reduction='mean', {_MANY}", f"reduction='sum', {_MANY}"
_BROADCAST_BACK = {**around("forward", _each_with_each), **around("backward", _summed_back)}

#: What can be wrong with any loss.
_SHARED = faults(LOSSES_OF_ALL,
    Right("divide the loss by the number of terms, and its gradient, too"),
    Row("sum for mean", "loss and gradient are sums where means are asked for", "output",
        when(_MEAN, options("forward", reduction="sum")), needs=_MANY_MEANT),
    Right("do not divide where the reduction is a sum"),
    Row("mean for sum", "loss and gradient are means where sums are asked for", "output",
        when(_SUM, options("forward", reduction="mean")), needs=_MANY_SUMMED),
    Right("the gradient of a mean has a factor 1/N, too"),
    Row("gradient of the sum, loss a mean",
        "the loss is divided by the number of terms, its gradient is not", "dx",
        when(_MEAN, cache_of(as_if(reduction="sum"))), needs=_MANY_MEANT),
    Right("the gradient of a sum has no factor 1/N"),
    Row("gradient of the mean, loss a sum",
        "the gradient is divided by the number of terms, the loss is not", "dx",
        when(_SUM, cache_of(as_if(reduction="mean"))), needs=_MANY_SUMMED),
    Right("divide the loss by the number of terms"),
    Row("loss a sum, gradient of the mean",
        "the gradient is that of the mean that is asked for, the loss is a sum", "output",
        when(_MEAN, output_of(as_if(reduction="sum"))), needs=_MANY_MEANT),
    Right("divide by the number of terms once, in the loss's gradient only"),
    Row("1/N twice", "the gradient is divided by the number of terms twice", "dx",
        when(_MEAN, around("backward", _again)), needs=_MANY_MEANT),
    Right("∂L/∂y of (y − t)² is 2 (y − t)"),
    Row("sign of the gradient",
        "the gradient has the wrong sign, as by t − y for y − t: training climbs", "dx",
        around("backward", lambda right, self, cache, dloss=1.0: -right(self, cache, dloss))),
    Right("multiply by the gradient at the loss: the loss may be scaled or part of a sum"),
    Row("gradient at the loss ignored",
        "backward takes the gradient at the loss for 1, whatever it is", "dx",
        around("backward", _unasked), needs="a loss that is scaled or added to another"),
)  # fmt: skip


_BY_ENTRY = faults(BY_ENTRY, Right("divide by the number of all entries, N · features"),
    Row("mean over the samples alone",
        "the sum over the features is divided by the number of samples", "output",
        when(_MEAN, around("over", _per_sample)), needs="reduction='mean', more than one feature"),
)  # fmt: skip


_BROADCAST = faults(("MSELoss", "L1Loss", "HuberLoss"),
    Right("reshape the target to the prediction's shape first"),
    Row("(N, 1) against (N)",
        "a target without its last axis is broadcast: every sample is compared with every target",
        "output", _BROADCAST_BACK, needs="predictions (N, 1), batch > 1"),
)  # fmt: skip


LOSSES = (
    *_SHARED,
    *_BY_ENTRY,
    *_BROADCAST,
    *REGRESSION,
    *LIKELIHOOD,
    *BINARY,
    *CATEGORICAL,
    *NLL,
    *DISTANCES,
)
