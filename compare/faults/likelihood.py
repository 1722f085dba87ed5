"""Faults of the likelihoods of counts and of measurements."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import around, options
from compare.faults.changes_layers import fault, loss_slope, loss_terms, when
from compare.faults.fault import Method


def _log_variance_only(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    """The gradient of the variance without the squared error's part."""
    difference, v, shape, reduction = cache
    dy, _ = right(self, cache, dloss)
    return dy, right(self, (0 * difference, v, shape, reduction), dloss)[1]


def _one_variance(change: Any) -> Any:
    return around(
        "backward",
        lambda right, self, *args: change(*right(self, *args)),
    )


LIKELIHOOD = (
    fault(
        "PoissonNLLLoss",
        "exponential missing in the gradient",
        "the gradient is y − t where y is the logarithm of the rate",
        when(lambda self: self.log_input, loss_slope(lambda self, y, t: y - t)),
        "dx",
        "∂l/∂y = e^y − t",
    ),
    fault(
        "PoissonNLLLoss",
        "rate taken for its logarithm",
        "log_input is taken for its opposite",
        when(lambda self: not self.log_input, options("forward", log_input=True)),
        "output",
        "l = y − t log(y + ε) where y is the rate",
        "log_input=False",
    ),
    fault(
        "PoissonNLLLoss",
        "ε in the loss, not in the gradient",
        "the gradient is 1 − t/y for a loss of log(y + ε)",
        when(lambda self: not self.log_input, loss_slope(lambda self, y, t: 1 - t / y)),
        "dx",
        "∂l/∂y = 1 − t/(y + ε)",
        "log_input=False, an ε that counts",
    ),
    fault(
        "PoissonNLLLoss",
        "constant missing",
        "Stirling's approximation of log t! is not added",
        options("forward", full=False),
        "output",
        "add t log t − t + ½ log(2πt) where t > 1",
        "full=True",
    ),
    fault(
        "GaussianNLLLoss",
        "squared error's part missing in the variance's gradient",
        "∂l/∂v = ½/v: only log v is differentiated",
        around("backward", _log_variance_only),
        "dx",
        "∂l/∂v = ½ (1/v − d²/v²)",
    ),
    fault(
        "GaussianNLLLoss",
        "variance never trained",
        "the variance counts as a constant",
        _one_variance(lambda dy, dv: (dy, 0 * dv)),
        "dx",
        "∂l/∂v = ½ (1/v − d²/v²)",
    ),
    fault(
        "GaussianNLLLoss",
        "½ missing in the variance's gradient",
        "∂l/∂v = 1/v − d²/v²",
        _one_variance(lambda dy, dv: (dy, 2 * dv)),
        "dx",
        "∂l/∂v = ½ (1/v − d²/v²)",
    ),
    fault(
        "GaussianNLLLoss",
        "variance not kept above ε",
        "ε is ignored: variances below it are taken as they are",
        options("forward", eps=0.0),
        "output",
        "max(v, ε) in place of v",
        "variances below ε",
    ),
    fault(
        "GaussianNLLLoss",
        "deviation for variance",
        "the squared error is divided by v², v being taken for a standard deviation",
        loss_terms(
            lambda self, y, t, v: (
                0.5 * (np.log(np.maximum(v, self.eps)) + (y - t) * (y - t) / (v * v))
            )
        ),
        "output",
        "l = ½ (log v + d²/v)",
    ),
)
