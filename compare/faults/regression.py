"""Faults of losses of real numbers: squared, absolute, and in between."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import around, options
from compare.faults.changes_layers import fault, loss_slope, loss_terms, when
from compare.faults.fault import Method
from reference import Array
from reference.special import absolute, sign


def _root(right: Method, self: Any, y: Array, target: Array) -> Any:
    loss, cache = right(self, y, target)
    return np.sqrt(loss), cache


def _halved(right: Method, self: Any, *args: Any) -> Any:
    found = right(self, *args)
    return (found[0] / 2, found[1]) if isinstance(found, tuple) else found / 2


def _times(factor: float) -> Any:
    return around("backward", lambda right, self, *args: factor * right(self, *args))


def _reduces(self: Any) -> bool:
    return bool(self.reduction != "none")


_SQUARED = (
    fault(
        "MSELoss",
        "2 of the square missing",
        "the gradient is y − t, as if the loss were half the squared error",
        _times(0.5),
        "dx",
        "∂l/∂y = 2 (y − t)",
    ),
    fault(
        "MSELoss",
        "2 of the square doubled",
        "the gradient is 4 (y − t): the 2 is counted in the loss and in the first layer",
        _times(2.0),
        "dx",
        "∂l/∂y = 2 (y − t)",
    ),
    fault(
        "MSELoss",
        "half the squared error",
        "loss and gradient are those of ½ (y − t)²",
        {**around("forward", _halved), **around("backward", _halved)},
        "output",
        "l = (y − t)², without the ½",
    ),
    fault(
        "MSELoss",
        "root of the mean",
        "the loss is the root of the mean squared error",
        when(_reduces, around("forward", _root)),
        "output",
        "L is the mean of (y − t)², not its root",
    ),
    fault(
        "MSELoss",
        "gradient of the absolute error",
        "the gradient is sign(y − t)",
        loss_slope(lambda self, y, t: sign(y - t)),
        "dx",
        "∂l/∂y = 2 (y − t)",
    ),
    fault(
        "MSELoss",
        "absolute value in the gradient",
        "the gradient is 2 |y − t|: the direction is lost",
        loss_slope(lambda self, y, t: 2 * absolute(y - t)),
        "dx",
        "∂l/∂y = 2 (y − t)",
        "predictions below the target",
    ),
)

_ABSOLUTE = (
    fault(
        "L1Loss",
        "slope 1 at 0",
        "the gradient is 1 where y = t",
        loss_slope(lambda self, y, t: np.where(y - t >= 0, 1.0, 0 * y - 1)),
        "dx",
        "∂l/∂y = sign(y − t), 0 at 0",
        "predictions that equal the target",
    ),
    fault(
        "L1Loss",
        "gradient of the squared error",
        "the gradient is y − t",
        loss_slope(lambda self, y, t: y - t),
        "dx",
        "∂l/∂y = sign(y − t)",
    ),
    fault(
        "L1Loss",
        "absolute value missing",
        "the loss is the mean of y − t, in which errors cancel",
        loss_terms(lambda self, y, t: y - t),
        "output",
        "l = |y − t|",
        "predictions below the target",
    ),
    fault(
        "HuberLoss",
        "gradient not limited",
        "the gradient is y − t everywhere, as of the squared error",
        loss_slope(lambda self, y, t: y - t),
        "dx",
        "∂l/∂y = δ sign(y − t) where |y − t| > δ",
        "errors beyond δ",
    ),
    fault(
        "HuberLoss",
        "δ missing in the gradient",
        "the gradient is sign(y − t) where |y − t| > δ",
        loss_slope(lambda self, y, t: np.where(absolute(y - t) <= self.delta, y - t, sign(y - t))),
        "dx",
        "∂l/∂y = δ sign(y − t) where |y − t| > δ",
        "δ ≠ 1, errors beyond δ",
    ),
    fault(
        "HuberLoss",
        "branches exchanged",
        "the squared error is taken far from 0, the straight line near it",
        loss_terms(
            lambda self, y, t: np.where(
                absolute(y - t) > self.delta,
                0.5 * (y - t) * (y - t),
                self.delta * (absolute(y - t) - 0.5 * self.delta),
            )
        ),
        "output",
        "½ d² for |d| ≤ δ, δ (|d| − ½ δ) elsewhere",
    ),
    fault(
        "HuberLoss",
        "δ 1 whatever is set",
        "loss and gradient use δ = 1",
        options("forward", delta=1.0),
        "output",
        "½ d² for |d| ≤ δ, δ (|d| − ½ δ) elsewhere",
        "δ ≠ 1",
    ),
    fault(
        "HuberLoss",
        "smooth L1 in its place",
        "loss and gradient are divided by δ",
        loss_terms(
            lambda self, y, t: np.where(
                absolute(y - t) <= self.delta,
                0.5 * (y - t) * (y - t) / self.delta,
                absolute(y - t) - 0.5 * self.delta,
            )
        ),
        "output",
        "Huber's loss is δ times the smooth L1 loss",
        "δ ≠ 1",
    ),
    fault(
        "HuberLoss",
        "½ δ missing",
        "the straight line is δ |d|, so that the two branches do not meet",
        loss_terms(
            lambda self, y, t: np.where(
                absolute(y - t) <= self.delta,
                0.5 * (y - t) * (y - t),
                self.delta * absolute(y - t),
            )
        ),
        "output",
        "δ (|d| − ½ δ) for |d| > δ",
        "errors beyond δ",
    ),
    fault(
        "SmoothL1Loss",
        "β missing in the gradient",
        "the gradient is d, not d/β, where |d| < β",
        loss_slope(lambda self, y, t: np.where(absolute(y - t) < self.beta, y - t, sign(y - t))),
        "dx",
        "∂l/∂y = d/β where |d| < β",
        "β ≠ 1, errors below β",
    ),
    fault(
        "SmoothL1Loss",
        "β 1 whatever is set",
        "loss and gradient use β = 1",
        options("forward", beta=1.0),
        "output",
        "½ d²/β for |d| < β, |d| − ½ β elsewhere",
        "β ≠ 1",
    ),
    fault(
        "SmoothL1Loss",
        "gradient of Huber's loss",
        "the gradient is β times too small or large",
        when(
            lambda self: self.beta > 0,
            around("backward", lambda right, self, *args: self.beta * right(self, *args)),
        ),
        "dx",
        "∂l/∂y = d/β where |d| < β, sign(d) elsewhere",
        "β ≠ 1",
    ),
    fault(
        "SmoothL1Loss",
        "½ β missing",
        "far from 0 the loss is |d|, so that the two branches do not meet",
        loss_terms(
            lambda self, y, t: np.where(
                absolute(y - t) < self.beta,
                0.5 * (y - t) * (y - t) / (self.beta or 1),
                absolute(y - t),
            )
        ),
        "output",
        "|d| − ½ β where |d| ≥ β",
        "errors beyond β",
    ),
    fault(
        "SmoothL1Loss",
        "gradient of the absolute error",
        "the corner is rounded in the loss, not in the gradient",
        loss_slope(lambda self, y, t: sign(y - t)),
        "dx",
        "∂l/∂y = d/β where |d| < β",
        "errors below β",
    ),
)


REGRESSION = (*_SQUARED, *_ABSOLUTE)
