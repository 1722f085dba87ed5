"""Faults of activations that are made of straight lines or cut at edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import dx_of, instead
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _fifth(self: Any, params: Params, x: Array) -> Any:
    out = (x <= -2.5) | (x >= 2.5)
    return np.where(x <= -2.5, 0, np.where(x >= 2.5, 1, 0.2 * x + 0.5)), out


def _edges_pass(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return np.where((x >= self.min_val) & (x <= self.max_val), dy, 0)


def _product_rule_second_term_dropped(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return np.where(x <= -3, 0, np.where(x >= 3, dy, dy * ((np.where(x >= 3, 0, x) + 3) / 6)))


def _2_of_the_square_missing(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return np.where(x <= -3, 0, np.where(x >= 3, dy, dy * (np.where(x >= 3, 0, x) / 6 + 0.5)))


_TANH_SIGMOID = (
    *faults("ReLU6", Right("dx = dy only where 0 < x < 6"),
        Row("ceiling does not stop the gradient",
            "the gradient passes wherever x > 0, beyond 6 too", "dx",
            dx_of(lambda self, x, y, dy: np.where(x > 0, dy, 0)), needs="inputs above 6"),
        Right("dx = dy strictly between 0 and 6, else 0"),
        Row("edges pass", "the slope is 1 at x = 0 and at x = 6", "dx",
            dx_of(lambda self, x, y, dy: np.where((x >= 0) & (x <= 6), dy, 0)),
            needs="inputs exactly at an edge"),
    ),
    *faults("Hardtanh", Right("dx = dy where min_val < x < max_val"),
        Row("limits −1 and 1 in the derivative whatever is set",
            "forward uses the limits that are set, backward ±1", "dx",
            dx_of(lambda self, x, y, dy: np.where((x > -1) & (x < 1), dy, 0)),
            needs="limits other than ±1"),
        Right("dx = dy strictly between the limits, else 0"),
        Row("edges pass", "the slope is 1 at the limits themselves", "dx",
            dx_of(_edges_pass), needs="inputs exactly at an edge"),
        Right("dx = dy where min_val < x < max_val, else 0"),
        Row("gradient clipped, not masked", "dx is dy clipped to the limits", "dx",
            dx_of(lambda self, x, y, dy: np.minimum(np.maximum(dy, self.min_val), self.max_val))),
    ),
    *faults("Hardsigmoid", Right("dx = dy/6 where −3 < x < 3"),
        Row("slope 1 in the middle", "dx = dy in the middle: the factor 1/6 is forgotten", "dx",
            dx_of(lambda self, x, y, dy: np.where((x > -3) & (x < 3), dy, 0))),
        Right("y = x/6 + 1/2, clipped to lie between 0 and 1"),
        Row("another library's line", "y = 0.2 x + 0.5, clipped: the older definition, as in Keras",
            "output", instead("forward", _fifth)),
        Right("dx = 0 where x ≤ −3 or x ≥ 3"),
        Row("edges ignored in the derivative", "the slope is 1/6 for every x", "dx",
            dx_of(lambda self, x, y, dy: dy / 6), needs="inputs beyond ±3"),
    ),
    *faults("Hardswish", Right("dx = dy (x/3 + 1/2) where −3 < x < 3"),
        Row("product rule's second term dropped",
            "the slope in the middle is the gate (x + 3)/6 alone", "dx",
            dx_of(_product_rule_second_term_dropped)),
        Row("2 of the square missing",
            "the slope in the middle is x/6 + 1/2: d(x²)/dx is taken for x", "dx",
            dx_of(_2_of_the_square_missing)),
    ),
)  # fmt: skip


def _λ_subtracted_on_both_sides(self: Any, params: Params, x: Array) -> Any:
    return (
        np.where((x >= -self.lambd) & (x <= self.lambd), 0, x - self.lambd),
        (x >= -self.lambd) & (x <= self.lambd),
    )


def _hard_in_place_of_soft(self: Any, params: Params, x: Array) -> Any:
    return (
        np.where((x >= -self.lambd) & (x <= self.lambd), 0, x),
        (x >= -self.lambd) & (x <= self.lambd),
    )


def _slope_1_λ(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return np.where((x >= -self.lambd) & (x <= self.lambd), 0, (1 - self.lambd) * dy)


def _hardshrink_edges_pass(self: Any, params: Params, x: Array) -> Any:
    return (
        np.where((x > -self.lambd) & (x < self.lambd), 0, x),
        (x > -self.lambd) & (x < self.lambd),
    )


_SHRINKING = (
    *faults("Tanhshrink", Right("dx = dy tanh² x, as 1 − (1 − tanh² x)"),
        Row("derivative of the tanh alone", "the slope is 1 − tanh² x", "dx",
            dx_of(lambda self, x, y, dy: dy * (1 - np.tanh(x) * np.tanh(x)))),
    ),
    *faults("Softshrink", Right("y = x + λ where x < −λ"),
        Row("λ subtracted on both sides", "y = x − λ for negative x, too", "output",
            instead("forward", _λ_subtracted_on_both_sides), needs="inputs below −λ, λ > 0"),
        Right("y = x − λ sign(x) outside ±λ"),
        Row("hard in place of soft", "what passes is not moved towards 0", "output",
            instead("forward", _hard_in_place_of_soft), needs="λ > 0"),
        Right("dx = dy outside ±λ"),
        Row("slope 1 − λ", "λ is taken for a part of the slope", "dx",
            dx_of(_slope_1_λ), needs="λ > 0"),
    ),
    *faults("Hardshrink", Right("dx = dy where |x| > λ"),
        Row("mask of the negative side lost", "the gradient passes only where x > λ", "dx",
            dx_of(lambda self, x, y, dy: np.where(x > self.lambd, dy, 0)),
            needs="inputs below −λ"),
        Right("y = 0 for −λ ≤ x ≤ λ, the edges included"),
        Row("edges pass", "y = x at |x| = λ itself", "output",
            instead("forward", _hardshrink_edges_pass), needs="inputs exactly at an edge"),
    ),
)  # fmt: skip

CLIPPED = (*_TANH_SIGMOID, *_SHRINKING)
