"""Faults of the likelihoods of counts and of measurements."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.layers import having, loss_slope, loss_terms, when
from compare.faults.changes.methods import around, options
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
from reference import Array


def _log_variance_only(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    """The gradient of the variance without the squared error's part."""
    difference, v, shape, reduction = cache
    dy, _ = right(self, cache, dloss)
    return dy, right(self, (0 * difference, v, shape, reduction), dloss)[1]


def _one_variance(change: Any) -> Any:
    return around("backward", lambda right, self, *args: change(*right(self, *args)))


def _deviation_for_variance(self: Any, y: Array, t: Array, v: Array) -> Any:
    return 0.5 * (np.log(np.maximum(v, self.eps)) + (y - t) * (y - t) / (v * v))


_RATE = having(log_input=False)

_WITHOUT = when(_RATE, loss_slope(lambda self, y, t: 1 - t / y))

LIKELIHOOD = faults(
    "PoissonNLLLoss", Right("∂l/∂y = e^y − t"),
    Row("exponential missing in the gradient",
        "the gradient is y − t where y is the logarithm of the rate", "dx",
        when(having(log_input=True), loss_slope(lambda self, y, t: y - t))),
    Right("l = y − t log(y + ε) where y is the rate"),
    Row("rate taken for its logarithm", "log_input is taken for its opposite", "output",
        when(_RATE, options("forward", log_input=True)), needs="log_input=False"),
    Right("∂l/∂y = 1 − t/(y + ε)"),
    Row("ε in the loss, not in the gradient", "the gradient is 1 − t/y for a loss of log(y + ε)",
        "dx", _WITHOUT, needs="log_input=False, an ε that counts"),
    Right("add t log t − t + ½ log(2πt) where t > 1"),
    Row("constant missing", "Stirling's approximation of log t! is not added", "output",
        options("forward", full=False), needs="full=True"),
    "GaussianNLLLoss", Right("∂l/∂v = ½ (1/v − d²/v²)"),
    Row("squared error's part missing in the variance's gradient",
        "∂l/∂v = ½/v: only log v is differentiated", "dx", around("backward", _log_variance_only)),
    Row("variance never trained", "the variance counts as a constant", "dx",
        _one_variance(lambda dy, dv: (dy, 0 * dv))),
    Row("½ missing in the variance's gradient", "∂l/∂v = 1/v − d²/v²", "dx",
        _one_variance(lambda dy, dv: (dy, 2 * dv))),
    Right("max(v, ε) in place of v"),
    Row("variance not kept above ε", "ε is ignored: variances below it are taken as they are",
        "output", options("forward", eps=0.0), needs="variances below ε"),
    Right("l = ½ (log v + d²/v)"),
    Row("deviation for variance",
        "the squared error is divided by v², v being taken for a standard deviation", "output",
        loss_terms(_deviation_for_variance)),
)  # fmt: skip
