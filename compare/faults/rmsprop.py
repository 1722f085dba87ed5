"""Faults of RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import (
    Step,
    begun,
    kept,
    told,
    update,
)
from reference import Array, Params


def _along(root: Any) -> Any:
    """RMSprop's step along the gradient over ``root(after, o)``, momentum included."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = right(self, p, g, held, o)
        along = g / root(after, o)
        if o.momentum > 0:
            along = o.momentum * held["momentum_buffer"] + along
            after = after | {"momentum_buffer": along}
        return p - o.lr * along, after

    return update(wrong)


def _variance(after: Params, o: Any) -> Array:
    mean = after["grad_avg"] if o.centered else 0 * after["square_avg"]
    variance: Array = after["square_avg"] - mean * mean
    return variance


def _momentum_first(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    stepped, after = right(self, p, g, held, o)
    if o.momentum == 0:
        return stepped, after
    b = o.momentum * held["momentum_buffer"] + g
    along = b / (np.sqrt(_variance(after, o)) + o.eps)
    return p - o.lr * along, after | {"momentum_buffer": b}


def _lr_inside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    if o.momentum == 0:
        stepped: Step = right(self, p, g, held, o)
        return stepped
    _, after = right(self, p, g, held, o)
    along = g / (np.sqrt(_variance(after, o)) + o.eps)
    b = o.momentum * held["momentum_buffer"] + o.lr * along
    return p - b, after | {"momentum_buffer": b}


SQUARES = "v ← α v + (1 − α) g²"
RMS = "p ← p − lr · g / (√v + ε)"
BUFFER = "b ← μ b + g / (√v + ε), then p ← p − lr b"

RMSPROP = (
    Fault(
        "RMSprop: eps inside the root",
        "the step is g / √(v + ε)",
        "RMSprop",
        _along(lambda after, o: np.sqrt(_variance(after, o) + o.eps)),
        "state momentum_buffer or parameter",
        RMS,
    ),
    Fault(
        "RMSprop: eps missing",
        "the step is g / √v",
        "RMSprop",
        told(eps=lambda o: 0.0),
        "state momentum_buffer or parameter",
        RMS,
        "an entry whose gradients have all been 0, or are as small as ε",
    ),
    Fault(
        "RMSprop: root missing",
        "the step is g / (v + ε)",
        "RMSprop",
        _along(lambda after, o: _variance(after, o) + o.eps),
        "state momentum_buffer or parameter",
        RMS,
    ),
    Fault(
        "RMSprop: not centred",
        "the square of the mean is not subtracted from the mean of the squares",
        "RMSprop",
        _along(lambda after, o: np.sqrt(after["square_avg"]) + o.eps),
        "state momentum_buffer or parameter",
        "v − m² under the root, m ← α m + (1 − α) g",
        "centered",
    ),
    Fault(
        "RMSprop: mean kept of the newest gradient",
        "the mean to centre by is the newest gradient",
        "RMSprop",
        kept("grad_avg", lambda self, g, held, after, o: 1 * g),
        "state grad_avg",
        "m ← α m + (1 − α) g",
        "centered",
    ),
    Fault(
        "RMSprop: v corrected as in Adam",
        "v is divided by 1 − α^t",
        "RMSprop",
        _along(
            lambda after, o: (
                np.sqrt(_variance(after, o) / (1 - o.alpha ** after["step"].item())) + o.eps
            )
        ),
        "state momentum_buffer or parameter",
        f"{SQUARES}, used as it is",
    ),
    Fault(
        "RMSprop: α and 1 − α swapped",
        "v is (1 − α) v + α g²",
        "RMSprop",
        told(alpha=lambda o: 1 - o.alpha),
        "state square_avg",
        SQUARES,
    ),
    Fault(
        "RMSprop: squares summed",
        "v is v + g², as in Adagrad",
        "RMSprop",
        kept("square_avg", lambda self, g, held, after, o: held["square_avg"] + g * g),
        "state square_avg",
        SQUARES,
    ),
    Fault(
        "RMSprop: squares not kept",
        "v starts from 0 at each step",
        "RMSprop",
        begun(lambda self, p, g, held, o: {"square_avg": 0 * p}),
        "state square_avg",
        SQUARES,
        "more than one step",
    ),
    Fault(
        "RMSprop: momentum before the division",
        "the buffer sums gradients, and the sum is divided by the newest root",
        "RMSprop",
        update(_momentum_first),
        "state momentum_buffer",
        BUFFER,
        "momentum > 0",
    ),
    Fault(
        "RMSprop: learning rate inside the buffer",
        "the buffer sums steps that have their learning rate in them already",
        "RMSprop",
        update(_lr_inside),
        "state momentum_buffer",
        BUFFER,
        "momentum > 0; in a free run also a learning rate that changes",
    ),
)
