"""Faults of Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import (
    Step,
    begun,
    kept,
    step,
    told,
    update,
)
from reference import Array, Params


def _adadelta(root: Any) -> Any:
    """A step that is ``lr · root(u, v, ε) · g``, and u kept of it."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = right(self, p, g, held, o)
        delta = root(held["acc_delta"], after["square_avg"], o.eps) * g
        u = o.rho * held["acc_delta"] + (1 - o.rho) * delta * delta
        return p - o.lr * delta, after | {"acc_delta": u}

    return update(wrong)


DELTA = "Δ = √(u + ε) / √(v + ε) · g, then u ← ρ u + (1 − ρ) Δ²"

ADADELTA = (
    Fault(
        "Adadelta: eps outside the roots",
        "the step is (√u + ε) / (√v + ε) · g",
        "Adadelta",
        _adadelta(lambda u, v, eps: (np.sqrt(u) + eps) / (np.sqrt(v) + eps)),
        "state acc_delta",
        DELTA,
    ),
    Fault(
        "Adadelta: roots missing",
        "the step is (u + ε) / (v + ε) · g",
        "Adadelta",
        _adadelta(lambda u, v, eps: (u + eps) / (v + eps)),
        "state acc_delta",
        DELTA,
    ),
    Fault(
        "Adadelta: no units given back",
        "the step is g / √(v + ε), as in RMSprop",
        "Adadelta",
        step(
            lambda self, p, g, held, after, o: p - o.lr * g / np.sqrt(after["square_avg"] + o.eps)
        ),
        "parameter",
        DELTA,
    ),
    Fault(
        "Adadelta: steps remembered with lr in them",
        "u is the mean of (lr Δ)²",
        "Adadelta",
        kept(
            "acc_delta",
            lambda self, g, held, after, o: (
                o.rho * held["acc_delta"]
                + o.lr * o.lr * (after["acc_delta"] - o.rho * held["acc_delta"])
            ),
        ),
        "state acc_delta",
        DELTA,
        "lr other than 1",
    ),
    Fault(
        "Adadelta: u of gradients",
        "u is the mean of g², the same as v",
        "Adadelta",
        kept("acc_delta", lambda self, g, held, after, o: after["square_avg"]),
        "state acc_delta",
        DELTA,
    ),
    Fault(
        "Adadelta: u not kept",
        "u starts from 0 at each step",
        "Adadelta",
        begun(lambda self, p, g, held, o: {"acc_delta": 0 * p}),
        "state acc_delta",
        DELTA,
        "more than one step",
    ),
    Fault(
        "Adadelta: u updated first",
        "the step is made with the u that already has it in it",
        "Adadelta",
        step(
            lambda self, p, g, held, after, o: (
                p
                - o.lr
                * (np.sqrt(after["acc_delta"] + o.eps) / np.sqrt(after["square_avg"] + o.eps) * g)
            )
        ),
        "parameter",
        DELTA,
    ),
    Fault(
        "Adadelta: ρ and 1 − ρ swapped",
        "v is (1 − ρ) v + ρ g²",
        "Adadelta",
        told(rho=lambda o: 1 - o.rho),
        "state square_avg",
        "v ← ρ v + (1 − ρ) g²",
        "ρ other than 1/2",
    ),
    Fault(
        "Adadelta: learning rate ignored",
        "the step is Δ, whatever lr",
        "Adadelta",
        told(lr=lambda o: 1.0),
        "parameter",
        "p ← p − lr Δ",
        "lr other than 1",
    ),
)
