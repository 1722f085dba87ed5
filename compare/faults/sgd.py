"""Faults of gradient descent with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import (
    Step,
    begun,
    decayed,
    kept,
    step,
    told,
    update,
    with_options,
)
from reference import Array, Params


def _lr_inside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    """Sutskever's form: b = μ b + lr g, p − b."""
    stepped: Step = right(self, p, o.lr * g, held, with_options(o, lr=1.0))
    return stepped


def _old(p: Array, held: Params) -> Array:
    return held["momentum_buffer"] if "momentum_buffer" in held else 0 * p


def _averaged(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    if o.momentum == 0:
        stepped: Step = right(self, p, g, held, o)
        return stepped
    b = o.momentum * _old(p, held) + (1 - o.momentum) * g
    return p - o.lr * b, {"momentum_buffer": b}


def _decay_beside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    stepped, after = right(self, p, g, held, with_options(o, weight_decay=0.0))
    return stepped - o.lr * o.weight_decay * p, after


def _started(self: Any, p: Array, g: Array, held: Params, o: Any) -> Params:
    return {"momentum_buffer": np.zeros_like(p)} | held


MOMENTUM = "momentum > 0"

GRADIENT_DESCENT = (
    Fault(
        "SGD: learning rate inside the buffer",
        "the buffer sums lr g, so old gradients keep the learning rate of their day",
        "SGD",
        update(_lr_inside),
        "state momentum_buffer",
        "b ← μ b + g, then p ← p − lr b",
        f"{MOMENTUM}; in a free run also a learning rate that changes",
    ),
    Fault(
        "SGD: first gradient damped",
        "the buffer starts at 0 and so the first gradient, too, is multiplied by 1 − τ",
        "SGD",
        begun(_started),
        "state momentum_buffer",
        "b₁ = g₁; dampening applies from the second step on",
        f"{MOMENTUM}, dampening > 0",
    ),
    Fault(
        "SGD: dampening ignored",
        "each gradient enters the buffer whole",
        "SGD",
        told(dampening=lambda o: 0.0),
        "state momentum_buffer",
        "b ← μ b + (1 − τ) g",
        f"{MOMENTUM}, dampening > 0, more than one step",
    ),
    Fault(
        "SGD: momentum as an average",
        "the buffer is μ b + (1 − μ) g, an average, where it should be a sum",
        "SGD",
        update(_averaged),
        "state momentum_buffer",
        "b ← μ b + g",
        MOMENTUM,
    ),
    Fault(
        "SGD: buffer not kept",
        "the buffer starts afresh at each step, so there is no momentum",
        "SGD",
        update(lambda right, self, p, g, held, o: right(self, p, g, {}, o)),
        "state momentum_buffer",
        "b ← μ b + g, with b from the step before",
        f"{MOMENTUM}, more than one step",
    ),
    Fault(
        "SGD: buffer never decays",
        "the buffer sums all gradients, old ones as heavy as new ones",
        "SGD",
        begun(lambda self, p, g, held, o: {key: b / o.momentum for key, b in held.items()}),
        "state momentum_buffer",
        "b ← μ b + g",
        f"{MOMENTUM}, more than one step",
    ),
    Fault(
        "SGD: buffer corrupted after the step",
        "the step taken, lr b, is remembered in place of b",
        "SGD",
        kept("momentum_buffer", lambda self, g, held, after, o: o.lr * after["momentum_buffer"]),
        "state momentum_buffer",
        "remember b, before it is scaled by lr",
        MOMENTUM,
    ),
    Fault(
        "SGD: Nesterov along the old buffer",
        "g + μ b is taken before b is updated",
        "SGD",
        step(
            lambda self, p, g, held, after, o: p - o.lr * (g + o.momentum * _old(p, held)),
            where=lambda o: o.nesterov,
        ),
        "parameter",
        "b ← μ b + g, then p ← p − lr (g + μ b)",
        "nesterov",
    ),
    Fault(
        "SGD: Nesterov ignored",
        "the step is along the buffer, without looking ahead",
        "SGD",
        told(nesterov=lambda o: False),
        "parameter",
        "p ← p − lr (g + μ b)",
        "nesterov",
    ),
    Fault(
        "SGD: Nesterov looks ahead twice",
        "the step is along g + μ (g + μ b), one step of momentum too many",
        "SGD",
        step(
            lambda self, p, g, held, after, o: (
                p - o.lr * (g + o.momentum * (g + o.momentum * after["momentum_buffer"]))
            ),
            where=lambda o: o.nesterov,
        ),
        "parameter",
        "p ← p − lr (g + μ b), b being updated already",
        "nesterov",
    ),
    Fault(
        "SGD: decay beside the momentum",
        "λ p is subtracted from the parameter and does not enter the buffer",
        "SGD",
        decayed(_decay_beside),
        "state momentum_buffer",
        "g ← g + λ p, then b ← μ b + g",
        f"{MOMENTUM}, weight decay > 0",
    ),
)
