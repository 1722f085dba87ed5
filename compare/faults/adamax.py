"""Faults of Adamax."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import (
    Step,
    kept,
    step,
    told,
    update,
    with_options,
)
from reference import Array, Params


def _eps_outside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    with np.errstate(all="ignore"):
        _, after = right(self, p, g, held, with_options(o, eps=0.0))
    m_hat = after["exp_avg"] / (1 - o.betas[0] ** self.count(held)[0])
    return p - o.lr * m_hat / (after["exp_inf"] + o.eps), after


def _adamax(divided: Any) -> Any:
    """A step that is ``lr · divided(m, u, 1 − β₁^t, 1 − β₂^t)``."""

    def wrong(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Array:
        t, _ = self.count(held)
        first, last = 1 - o.betas[0] ** t, 1 - o.betas[1] ** t
        stepped: Array = p - o.lr * divided(after["exp_avg"], after["exp_inf"], first, last)
        return stepped

    return step(wrong)


LARGEST = "u ← max(β₂ u, |g| + ε)"
INFINITE = "p ← p − lr · m / (1 − β₁^t) / u"

ADAMAX = (
    Fault(
        "Adamax: eps outside the maximum",
        "ε is added to u where it divides",
        "Adamax",
        update(_eps_outside),
        "state exp_inf",
        LARGEST,
    ),
    Fault(
        "Adamax: m not corrected",
        "the step is m / u",
        "Adamax",
        _adamax(lambda m, u, c1, c2: m / u),
        "parameter",
        INFINITE,
    ),
    Fault(
        "Adamax: u corrected too",
        "u is divided by 1 − β₂^t, which a maximum does not need",
        "Adamax",
        _adamax(lambda m, u, c1, c2: m / c1 / (u / c2)),
        "parameter",
        INFINITE,
    ),
    Fault(
        "Adamax: root of u",
        "the step is divided by √u",
        "Adamax",
        _adamax(lambda m, u, c1, c2: m / c1 / np.sqrt(u)),
        "parameter",
        INFINITE,
    ),
    Fault(
        "Adamax: u averaged",
        "u is β₂ u + (1 − β₂) |g|",
        "Adamax",
        kept(
            "exp_inf",
            lambda self, g, held, after, o: (
                o.betas[1] * held["exp_inf"] + (1 - o.betas[1]) * np.abs(g)
            ),
        ),
        "state exp_inf",
        LARGEST,
    ),
    Fault(
        "Adamax: u never forgets",
        "u is the largest |g| of all steps",
        "Adamax",
        kept(
            "exp_inf",
            lambda self, g, held, after, o: np.maximum(held["exp_inf"], np.abs(g) + o.eps),
        ),
        "state exp_inf",
        LARGEST,
        "more than one step",
    ),
    Fault(
        "Adamax: maximum of g without its size",
        "u is max(β₂ u, g), which a negative gradient never enters",
        "Adamax",
        kept(
            "exp_inf",
            lambda self, g, held, after, o: np.maximum(o.betas[1] * held["exp_inf"], g + o.eps),
        ),
        "state exp_inf",
        LARGEST,
        "a negative gradient",
    ),
    Fault(
        "Adamax: betas swapped",
        "β₂ is used for m and β₁ for u",
        "Adamax",
        told(betas=lambda o: o.betas[::-1]),
        "state exp_avg",
        "m ← β₁ m + (1 − β₁) g, u ← max(β₂ u, |g| + ε)",
    ),
)
