"""Faults of activations that are made of straight lines or cut at edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import dx_of, instead
from compare.faults.changes_layers import fault
from reference import Array, Params


def _fifth(self: Any, params: Params, x: Array) -> Any:
    out = (x <= -2.5) | (x >= 2.5)
    return np.where(x <= -2.5, 0, np.where(x >= 2.5, 1, 0.2 * x + 0.5)), out


_TANH_SIGMOID = (
    fault(
        "ReLU6",
        "ceiling does not stop the gradient",
        "the gradient passes wherever x > 0, beyond 6 too",
        dx_of(lambda self, x, y, dy: np.where(x > 0, dy, 0)),
        "dx",
        "dx = dy only where 0 < x < 6",
        "inputs above 6",
    ),
    fault(
        "ReLU6",
        "edges pass",
        "the slope is 1 at x = 0 and at x = 6",
        dx_of(lambda self, x, y, dy: np.where((x >= 0) & (x <= 6), dy, 0)),
        "dx",
        "dx = dy strictly between 0 and 6, else 0",
        "inputs exactly at an edge",
    ),
    fault(
        "Hardtanh",
        "limits −1 and 1 in the derivative whatever is set",
        "forward uses the limits that are set, backward ±1",
        dx_of(lambda self, x, y, dy: np.where((x > -1) & (x < 1), dy, 0)),
        "dx",
        "dx = dy where min_val < x < max_val",
        "limits other than ±1",
    ),
    fault(
        "Hardtanh",
        "edges pass",
        "the slope is 1 at the limits themselves",
        dx_of(lambda self, x, y, dy: np.where((x >= self.min_val) & (x <= self.max_val), dy, 0)),
        "dx",
        "dx = dy strictly between the limits, else 0",
        "inputs exactly at an edge",
    ),
    fault(
        "Hardtanh",
        "gradient clipped, not masked",
        "dx is dy clipped to the limits",
        dx_of(lambda self, x, y, dy: np.minimum(np.maximum(dy, self.min_val), self.max_val)),
        "dx",
        "dx = dy where min_val < x < max_val, else 0",
    ),
    fault(
        "Hardsigmoid",
        "slope 1 in the middle",
        "dx = dy in the middle: the factor 1/6 is forgotten",
        dx_of(lambda self, x, y, dy: np.where((x > -3) & (x < 3), dy, 0)),
        "dx",
        "dx = dy/6 where −3 < x < 3",
    ),
    fault(
        "Hardsigmoid",
        "another library's line",
        "y = 0.2 x + 0.5, clipped: the older definition, as in Keras",
        instead("forward", _fifth),
        "output",
        "y = x/6 + 1/2, clipped to lie between 0 and 1",
    ),
    fault(
        "Hardsigmoid",
        "edges ignored in the derivative",
        "the slope is 1/6 for every x",
        dx_of(lambda self, x, y, dy: dy / 6),
        "dx",
        "dx = 0 where x ≤ −3 or x ≥ 3",
        "inputs beyond ±3",
    ),
    fault(
        "Hardswish",
        "product rule's second term dropped",
        "the slope in the middle is the gate (x + 3)/6 alone",
        dx_of(
            lambda self, x, y, dy: np.where(
                x <= -3, 0, np.where(x >= 3, dy, dy * ((np.where(x >= 3, 0, x) + 3) / 6))
            )
        ),
        "dx",
        "dx = dy (x/3 + 1/2) where −3 < x < 3",
    ),
    fault(
        "Hardswish",
        "2 of the square missing",
        "the slope in the middle is x/6 + 1/2: d(x²)/dx is taken for x",
        dx_of(
            lambda self, x, y, dy: np.where(
                x <= -3, 0, np.where(x >= 3, dy, dy * (np.where(x >= 3, 0, x) / 6 + 0.5))
            )
        ),
        "dx",
        "dx = dy (x/3 + 1/2) where −3 < x < 3",
    ),
)

_SHRINKING = (
    fault(
        "Tanhshrink",
        "derivative of the tanh alone",
        "the slope is 1 − tanh² x",
        dx_of(lambda self, x, y, dy: dy * (1 - np.tanh(x) * np.tanh(x))),
        "dx",
        "dx = dy tanh² x, as 1 − (1 − tanh² x)",
    ),
    fault(
        "Softshrink",
        "λ subtracted on both sides",
        "y = x − λ for negative x, too",
        instead(
            "forward",
            lambda self, params, x: (
                np.where((x >= -self.lambd) & (x <= self.lambd), 0, x - self.lambd),
                (x >= -self.lambd) & (x <= self.lambd),
            ),
        ),
        "output",
        "y = x + λ where x < −λ",
        "inputs below −λ, λ > 0",
    ),
    fault(
        "Softshrink",
        "hard in place of soft",
        "what passes is not moved towards 0",
        instead(
            "forward",
            lambda self, params, x: (
                np.where((x >= -self.lambd) & (x <= self.lambd), 0, x),
                (x >= -self.lambd) & (x <= self.lambd),
            ),
        ),
        "output",
        "y = x − λ sign(x) outside ±λ",
        "λ > 0",
    ),
    fault(
        "Softshrink",
        "slope 1 − λ",
        "λ is taken for a part of the slope",
        dx_of(
            lambda self, x, y, dy: np.where(
                (x >= -self.lambd) & (x <= self.lambd), 0, (1 - self.lambd) * dy
            )
        ),
        "dx",
        "dx = dy outside ±λ",
        "λ > 0",
    ),
    fault(
        "Hardshrink",
        "mask of the negative side lost",
        "the gradient passes only where x > λ",
        dx_of(lambda self, x, y, dy: np.where(x > self.lambd, dy, 0)),
        "dx",
        "dx = dy where |x| > λ",
        "inputs below −λ",
    ),
    fault(
        "Hardshrink",
        "edges pass",
        "y = x at |x| = λ itself",
        instead(
            "forward",
            lambda self, params, x: (
                np.where((x > -self.lambd) & (x < self.lambd), 0, x),
                (x > -self.lambd) & (x < self.lambd),
            ),
        ),
        "output",
        "y = 0 for −λ ≤ x ≤ λ, the edges included",
        "inputs exactly at an edge",
    ),
)

CLIPPED = (*_TANH_SIGMOID, *_SHRINKING)
