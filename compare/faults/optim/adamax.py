"""Faults of Adamax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.rules import Step, kept, step, told, update, with_options
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _eps_outside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    with np.errstate(all="ignore"):
        _, after = right(self, p, g, held, with_options(o, eps=0.0))
    m_hat = after["exp_avg"] / (1 - o.betas[0] ** self.count(held)[0])
    return p - o.lr * m_hat / (after["exp_inf"] + o.eps), after


def _adamax(divided: Any) -> Any:
    """A step that is ``lr · divided(m, u, 1 − β₁^t, 1 − β₂^t)``."""

    def wrong(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
        t, _ = self.count(held)
        first, last = 1 - o.betas[0] ** t, 1 - o.betas[1] ** t
        return p - o.lr * divided(after["exp_avg"], after["exp_inf"], first, last)

    return step(wrong)


def _u(function: Callable[[float, Array, Array, float], Array]) -> Changes:
    """Another u to be remembered: ``function(β₂, u, g, ε)``."""
    return kept(
        "exp_inf", lambda self, g, held, after, o: function(o.betas[1], held["exp_inf"], g, o.eps)
    )


LARGEST = "u ← max(β₂ u, |g| + ε)"
INFINITE = "p ← p − lr · m / (1 − β₁^t) / u"


ADAMAX = faults("Adamax", Right(LARGEST),
    Row("eps outside the maximum", "ε is added to u where it divides", "state exp_inf",
        update(_eps_outside)),
    Right(INFINITE),
    Row("m not corrected", "the step is m / u", "parameter", _adamax(lambda m, u, c1, c2: m / u)),
    Row("u corrected too", "u is divided by 1 − β₂^t, which a maximum does not need", "parameter",
        _adamax(lambda m, u, c1, c2: m / c1 / (u / c2))),
    Row("root of u", "the step is divided by √u", "parameter",
        _adamax(lambda m, u, c1, c2: m / c1 / np.sqrt(u))),
    Right(LARGEST),
    Row("u averaged", "u is β₂ u + (1 − β₂) |g|", "state exp_inf",
        _u(lambda b, u, g, eps: b * u + (1 - b) * np.abs(g))),
    Row("u never forgets", "u is the largest |g| of all steps", "state exp_inf",
        _u(lambda b, u, g, eps: np.maximum(u, np.abs(g) + eps)), needs="more than one step"),
    Row("maximum of g without its size",
        "u is max(β₂ u, g), which a negative gradient never enters", "state exp_inf",
        _u(lambda b, u, g, eps: np.maximum(b * u, g + eps)), needs="a negative gradient"),
    Right("m ← β₁ m + (1 − β₁) g, u ← max(β₂ u, |g| + ε)"),
    Row("betas swapped", "β₂ is used for m and β₁ for u", "state exp_avg",
        told(betas=lambda o: o.betas[::-1])),
)  # fmt: skip
