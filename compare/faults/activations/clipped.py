"""Faults of activations that are made of straight lines or cut at edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.methods import dx_of, instead, passing
from compare.faults.fault import Changes
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _fifth(self: Any, params: Params, x: Array) -> Any:
    out = (x <= -2.5) | (x >= 2.5)
    return np.where(x <= -2.5, 0, np.where(x >= 2.5, 1, 0.2 * x + 0.5)), out


def _middle(slope: Callable[[Array], Array]) -> Changes:
    """Hardswish's backward with another slope between −3 and 3."""

    def dx(self: Any, x: Array, y: Array, dy: Array) -> Array:
        inner = dy * slope(np.where(x >= 3, 0, x))
        return np.where(x <= -3, 0, np.where(x >= 3, dy, inner))

    return dx_of(dx)


_TANH_SIGMOID = faults(
    "ReLU6", Right("dx = dy only where 0 < x < 6"),
    Row("ceiling does not stop the gradient", "the gradient passes wherever x > 0, beyond 6 too",
        "dx", passing(lambda self, x: x > 0), needs="inputs above 6"),
    Right("dx = dy strictly between 0 and 6, else 0"),
    Row("edges pass", "the slope is 1 at x = 0 and at x = 6", "dx",
        passing(lambda self, x: (x >= 0) & (x <= 6)), needs="inputs exactly at an edge"),
    "Hardtanh", Right("dx = dy where min_val < x < max_val"),
    Row("limits −1 and 1 in the derivative whatever is set",
        "forward uses the limits that are set, backward ±1", "dx",
        passing(lambda self, x: (x > -1) & (x < 1)), needs="limits other than ±1"),
    Right("dx = dy strictly between the limits, else 0"),
    Row("edges pass", "the slope is 1 at the limits themselves", "dx",
        passing(lambda self, x: (x >= self.min_val) & (x <= self.max_val)),
        needs="inputs exactly at an edge"),
    Right("dx = dy where min_val < x < max_val, else 0"),
    Row("gradient clipped, not masked", "dx is dy clipped to the limits", "dx",
        dx_of(lambda self, x, y, dy: np.minimum(np.maximum(dy, self.min_val), self.max_val))),
    "Hardsigmoid", Right("dx = dy/6 where −3 < x < 3"),
    Row("slope 1 in the middle", "dx = dy in the middle: the factor 1/6 is forgotten", "dx",
        passing(lambda self, x: (x > -3) & (x < 3))),
    Right("y = x/6 + 1/2, clipped to lie between 0 and 1"),
    Row("another library's line", "y = 0.2 x + 0.5, clipped: the older definition, as in Keras",
        "output", instead("forward", _fifth)),
    Right("dx = 0 where x ≤ −3 or x ≥ 3"),
    Row("edges ignored in the derivative", "the slope is 1/6 for every x", "dx",
        dx_of(lambda self, x, y, dy: dy / 6), needs="inputs beyond ±3"),
    "Hardswish", Right("dx = dy (x/3 + 1/2) where −3 < x < 3"),
    Row("product rule's second term dropped", "the slope in the middle is the gate (x + 3)/6 alone",
        "dx", _middle(lambda x: (x + 3) / 6)),
    Row("2 of the square missing", "the slope in the middle is x/6 + 1/2: d(x²)/dx is taken for x",
        "dx", _middle(lambda x: x / 6 + 0.5)),
)  # fmt: skip


def _within(self: Any, x: Array) -> Any:
    return (x >= -self.lambd) & (x <= self.lambd)


def _shrunk(outside: Callable[[Any, Array], Array]) -> Changes:
    """A forward that is ``outside(self, x)`` outside ±λ."""

    def forward(self: Any, params: Params, x: Array) -> Any:
        return np.where(_within(self, x), 0, outside(self, x)), _within(self, x)

    return instead("forward", forward)


def _edges_pass(self: Any, params: Params, x: Array) -> Any:
    inside = (x > -self.lambd) & (x < self.lambd)
    return np.where(inside, 0, x), inside


_SHRINKING = faults(
    "Tanhshrink", Right("dx = dy tanh² x, as 1 − (1 − tanh² x)"),
    Row("derivative of the tanh alone", "the slope is 1 − tanh² x", "dx",
        dx_of(lambda self, x, y, dy: dy * (1 - np.tanh(x) * np.tanh(x)))),
    "Softshrink", Right("y = x + λ where x < −λ"),
    Row("λ subtracted on both sides", "y = x − λ for negative x, too", "output",
        _shrunk(lambda self, x: x - self.lambd), needs="inputs below −λ, λ > 0"),
    Right("y = x − λ sign(x) outside ±λ"),
    Row("hard in place of soft", "what passes is not moved towards 0", "output",
        _shrunk(lambda self, x: x), needs="λ > 0"),
    Right("dx = dy outside ±λ"),
    Row("slope 1 − λ", "λ is taken for a part of the slope", "dx",
        dx_of(lambda self, x, y, dy: np.where(_within(self, x), 0, (1 - self.lambd) * dy)),
        needs="λ > 0"),
    "Hardshrink", Right("dx = dy where |x| > λ"),
    Row("mask of the negative side lost", "the gradient passes only where x > λ", "dx",
        passing(lambda self, x: x > self.lambd), needs="inputs below −λ"),
    Right("y = 0 for −λ ≤ x ≤ λ, the edges included"),
    Row("edges pass", "y = x at |x| = λ itself", "output",
        instead("forward", _edges_pass), needs="inputs exactly at an edge"),
)  # fmt: skip

CLIPPED = (*_TANH_SIGMOID, *_SHRINKING)
