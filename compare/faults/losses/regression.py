"""Faults of losses of real numbers: squared, absolute, and in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.layers import loss_slope, loss_terms, when
from compare.faults.changes.methods import around, options
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array
from reference.support.special import absolute, sign

#: Of d, |d| and where the branches meet.
Branch = Callable[[Array, Array, Any], Array]


def _root(right: Method, self: Any, y: Array, target: Array) -> Any:
    loss, cache = right(self, y, target)
    return np.sqrt(loss), cache


def _halved(right: Method, self: Any, *args: Any) -> Any:
    found = right(self, *args)
    return (found[0] / 2, found[1]) if isinstance(found, tuple) else found / 2


def _times(factor: float) -> Any:
    return around("backward", lambda right, self, *args: factor * right(self, *args))


_SQUARED = faults("MSELoss", Right("∂l/∂y = 2 (y − t)"),
    Row("2 of the square missing",
        "the gradient is y − t, as if the loss were half the squared error", "dx", _times(0.5)),
    Row("2 of the square doubled",
        "the gradient is 4 (y − t): the 2 is counted in the loss and in the first layer", "dx",
        _times(2.0)),
    Right("l = (y − t)², without the ½"),
    Row("half the squared error", "loss and gradient are those of ½ (y − t)²", "output",
        {**around("forward", _halved), **around("backward", _halved)}),
    Right("L is the mean of (y − t)², not its root"),
    Row("root of the mean", "the loss is the root of the mean squared error", "output",
        when(lambda self: self.reduction != "none", around("forward", _root))),
    Right("∂l/∂y = 2 (y − t)"),
    Row("gradient of the absolute error", "the gradient is sign(y − t)", "dx",
        loss_slope(lambda self, y, t: sign(y - t))),
    Row("absolute value in the gradient", "the gradient is 2 |y − t|: the direction is lost", "dx",
        loss_slope(lambda self, y, t: 2 * absolute(y - t)), needs="predictions below the target"),
)  # fmt: skip


def _delta_missing(self: Any, y: Array, t: Array) -> Any:
    return np.where(absolute(y - t) <= self.delta, y - t, sign(y - t))


def _huber(near: Branch, far: Branch) -> Changes:
    """Huber's loss of other branches, each of d, |d| and δ."""

    def terms(self: Any, y: Array, t: Array) -> Array:
        d, size = y - t, absolute(y - t)
        return np.where(size <= self.delta, near(d, size, self.delta), far(d, size, self.delta))

    return loss_terms(terms)


def _beta_missing(self: Any, y: Array, t: Array) -> Any:
    return np.where(absolute(y - t) < self.beta, y - t, sign(y - t))


def _half_beta_missing(self: Any, y: Array, t: Array) -> Any:
    return np.where(
        absolute(y - t) < self.beta, 0.5 * (y - t) * (y - t) / (self.beta or 1), absolute(y - t)
    )


_ABSOLUTE = faults(
    "L1Loss", Right("∂l/∂y = sign(y − t), 0 at 0"),
    Row("slope 1 at 0", "the gradient is 1 where y = t", "dx",
        loss_slope(lambda self, y, t: np.where(y - t >= 0, 1.0, 0 * y - 1)),
        needs="predictions that equal the target"),
    Right("∂l/∂y = sign(y − t)"),
    Row("gradient of the squared error", "the gradient is y − t", "dx",
        loss_slope(lambda self, y, t: y - t)),
    Right("l = |y − t|"),
    Row("absolute value missing", "the loss is the mean of y − t, in which errors cancel", "output",
        loss_terms(lambda self, y, t: y - t), needs="predictions below the target"),
    "HuberLoss", Right("∂l/∂y = δ sign(y − t) where |y − t| > δ"),
    Row("gradient not limited", "the gradient is y − t everywhere, as of the squared error", "dx",
        loss_slope(lambda self, y, t: y - t), needs="errors beyond δ"),
    Row("δ missing in the gradient", "the gradient is sign(y − t) where |y − t| > δ", "dx",
        loss_slope(_delta_missing), needs="δ ≠ 1, errors beyond δ"),
    Right("½ d² for |d| ≤ δ, δ (|d| − ½ δ) elsewhere"),
    Row("branches exchanged",
        "the squared error is taken far from 0, the straight line near it", "output",
        _huber(lambda d, size, cut: cut * (size - 0.5 * cut), lambda d, *_: 0.5 * d * d)),
    Row("δ 1 whatever is set", "loss and gradient use δ = 1", "output",
        options("forward", delta=1.0), needs="δ ≠ 1"),
    Right("Huber's loss is δ times the smooth L1 loss"),
    Row("smooth L1 in its place", "loss and gradient are divided by δ", "output",
        _huber(lambda d, _, cut: 0.5 * d * d / cut, lambda _, size, cut: size - 0.5 * cut),
        needs="δ ≠ 1"),
    Right("δ (|d| − ½ δ) for |d| > δ"),
    Row("½ δ missing", "the straight line is δ |d|, so that the two branches do not meet", "output",
        _huber(lambda d, *_: 0.5 * d * d, lambda _, size, cut: cut * size),
        needs="errors beyond δ"),
    "SmoothL1Loss", Right("∂l/∂y = d/β where |d| < β"),
    Row("β missing in the gradient", "the gradient is d, not d/β, where |d| < β", "dx",
        loss_slope(_beta_missing), needs="β ≠ 1, errors below β"),
    Right("½ d²/β for |d| < β, |d| − ½ β elsewhere"),
    Row("β 1 whatever is set", "loss and gradient use β = 1", "output",
        options("forward", beta=1.0), needs="β ≠ 1"),
    Right("∂l/∂y = d/β where |d| < β, sign(d) elsewhere"),
    Row("gradient of Huber's loss", "the gradient is β times too small or large", "dx",
        when(lambda self: self.beta > 0, around("backward", lambda right, self, *of: self.beta
            * right(self, *of))), needs="β ≠ 1"),
    Right("|d| − ½ β where |d| ≥ β"),
    Row("½ β missing", "far from 0 the loss is |d|, so that the two branches do not meet", "output",
        loss_terms(_half_beta_missing), needs="errors beyond β"),
    Right("∂l/∂y = d/β where |d| < β"),
    Row("gradient of the absolute error", "the corner is rounded in the loss, not in the gradient",
        "dx", loss_slope(lambda self, y, t: sign(y - t)), needs="errors below β"),
)  # fmt: skip


REGRESSION = (*_SQUARED, *_ABSOLUTE)
