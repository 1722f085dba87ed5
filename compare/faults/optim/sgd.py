"""Faults of gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.rules import (
    Step,
    begun,
    decayed,
    kept,
    step,
    told,
    update,
    with_options,
)
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _lr_inside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
    """Sutskever's form: b = μ b + lr g, p − b."""
    return right(self, p, o.lr * g, held, with_options(o, lr=1.0))


def _old(p: Array, held: Params) -> Array:
    return held["momentum_buffer"] if "momentum_buffer" in held else 0 * p


def _averaged(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
    if o.momentum == 0:
        return right(self, p, g, held, o)
    b = o.momentum * _old(p, held) + (1 - o.momentum) * g
    return p - o.lr * b, {"momentum_buffer": b}


def _decay_beside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    stepped, after = right(self, p, g, held, with_options(o, weight_decay=0.0))
    return stepped - o.lr * o.weight_decay * p, after


def _nesterov(beyond: Callable[[Array, Array, Array, float], Array]) -> Changes:
    """Nesterov's step along g + μ ``beyond(old b, g, b, μ)``."""

    def wrong(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
        ahead = beyond(_old(p, held), g, after["momentum_buffer"], o.momentum)
        return p - o.lr * (g + o.momentum * ahead)

    return step(wrong, where=lambda o: o.nesterov)


def _undecayed(self: Any, p: Array, g: Array, held: Params, o: Any) -> Params:
    return {key: b / o.momentum for key, b in held.items()}


def _started(self: Any, p: Array, g: Array, held: Params, o: Any) -> Params:
    return {"momentum_buffer": np.zeros_like(p)} | held


MOMENTUM = "momentum > 0"
LATER = f"{MOMENTUM}, more than one step"
FREE = f"{MOMENTUM}; in a free run also a learning rate that changes"
BUFFER = "state momentum_buffer"


_corrupted = kept(
    "momentum_buffer", lambda self, g, held, after, o: o.lr * after["momentum_buffer"]
)

GRADIENT_DESCENT = faults("SGD", Right("b ← μ b + g, then p ← p − lr b"),
    Row("learning rate inside the buffer",
        "the buffer sums lr g, so old gradients keep the learning rate of their day", BUFFER,
        update(_lr_inside), needs=FREE),
    Right("b₁ = g₁; dampening applies from the second step on"),
    Row("first gradient damped",
        "the buffer starts at 0 and so the first gradient, too, is multiplied by 1 − τ", BUFFER,
        begun(_started), needs=f"{MOMENTUM}, dampening > 0"),
    Right("b ← μ b + (1 − τ) g"),
    Row("dampening ignored", "each gradient enters the buffer whole", BUFFER,
        told(dampening=lambda o: 0.0), needs=f"{MOMENTUM}, dampening > 0, more than one step"),
    Right("b ← μ b + g"),
    Row("momentum as an average",
        "the buffer is μ b + (1 − μ) g, an average, where it should be a sum", BUFFER,
        update(_averaged), needs=MOMENTUM),
    Right("b ← μ b + g, with b from the step before"),
    Row("buffer not kept", "the buffer starts afresh at each step, so there is no momentum", BUFFER,
        update(lambda right, self, p, g, held, o: right(self, p, g, {}, o)), needs=LATER),
    Right("b ← μ b + g"),
    Row("buffer never decays", "the buffer sums all gradients, old ones as heavy as new ones",
        BUFFER, begun(_undecayed), needs=LATER),
    Right("remember b, before it is scaled by lr"),
    Row("buffer corrupted after the step",
        "the step taken, lr b, is remembered in place of b", BUFFER, _corrupted, needs=MOMENTUM),
    Right("b ← μ b + g, then p ← p − lr (g + μ b)"),
    Row("Nesterov along the old buffer", "g + μ b is taken before b is updated", "parameter",
        _nesterov(lambda old, g, b, mu: old), needs="nesterov"),
    Right("p ← p − lr (g + μ b)"),
    Row("Nesterov ignored", "the step is along the buffer, without looking ahead", "parameter",
        told(nesterov=lambda o: False), needs="nesterov"),
    Right("p ← p − lr (g + μ b), b being updated already"),
    Row("Nesterov looks ahead twice",
        "the step is along g + μ (g + μ b), one step of momentum too many", "parameter",
        _nesterov(lambda old, g, b, mu: g + mu * b), needs="nesterov"),
    Right("g ← g + λ p, then b ← μ b + g"),
    Row("decay beside the momentum",
        "λ p is subtracted from the parameter and does not enter the buffer", BUFFER,
        decayed(_decay_beside), needs=f"{MOMENTUM}, weight decay > 0"),
)  # fmt: skip
