"""Faults of Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.rules import Step, afresh, kept, kept_as, step, told, update
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
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


def _no_units_given_back(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
    return p - o.lr * g / np.sqrt(after["square_avg"] + o.eps)


def _with_lr(self: Any, g: Array, held: Params, after: Params, o: Any) -> Any:
    return o.rho * held["acc_delta"] + o.lr * o.lr * (
        after["acc_delta"] - o.rho * held["acc_delta"]
    )


def _u_updated_first(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
    return p - o.lr * (
        np.sqrt(after["acc_delta"] + o.eps) / np.sqrt(after["square_avg"] + o.eps) * g
    )


ADADELTA = faults("Adadelta", Right(DELTA),
    Row("eps outside the roots", "the step is (√u + ε) / (√v + ε) · g", "state acc_delta",
        _adadelta(lambda u, v, eps: (np.sqrt(u) + eps) / (np.sqrt(v) + eps))),
    Row("roots missing", "the step is (u + ε) / (v + ε) · g", "state acc_delta",
        _adadelta(lambda u, v, eps: (u + eps) / (v + eps))),
    Row("no units given back", "the step is g / √(v + ε), as in RMSprop", "parameter",
        step(_no_units_given_back)),
    Row("steps remembered with lr in them", "u is the mean of (lr Δ)²", "state acc_delta",
        kept("acc_delta", _with_lr), needs="lr other than 1"),
    Row("u of gradients", "u is the mean of g², the same as v", "state acc_delta",
        kept_as("acc_delta", "square_avg")),
    Row("u not kept", "u starts from 0 at each step", "state acc_delta",
        afresh("acc_delta"), needs="more than one step"),
    Row("u updated first", "the step is made with the u that already has it in it", "parameter",
        step(_u_updated_first)),
    Right("v ← ρ v + (1 − ρ) g²"),
    Row("ρ and 1 − ρ swapped", "v is (1 − ρ) v + ρ g²", "state square_avg",
        told(rho=lambda o: 1 - o.rho), needs="ρ other than 1/2"),
    Right("p ← p − lr Δ"),
    Row("learning rate ignored", "the step is Δ, whatever lr", "parameter",
        told(lr=lambda o: 1.0), needs="lr other than 1"),
)  # fmt: skip
