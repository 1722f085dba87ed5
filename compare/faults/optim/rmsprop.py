"""Faults of RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.rules import Step, afresh, kept, told, update
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
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


def _variance(after: Params, o: Any) -> Any:
    mean = after["grad_avg"] if o.centered else 0 * after["square_avg"]
    return after["square_avg"] - mean * mean


def _momentum_first(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    stepped, after = right(self, p, g, held, o)
    if o.momentum == 0:
        return stepped, after
    b = o.momentum * held["momentum_buffer"] + g
    along = b / (np.sqrt(_variance(after, o)) + o.eps)
    return p - o.lr * along, after | {"momentum_buffer": b}


def _lr_inside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
    if o.momentum == 0:
        return right(self, p, g, held, o)
    _, after = right(self, p, g, held, o)
    along = g / (np.sqrt(_variance(after, o)) + o.eps)
    b = o.momentum * held["momentum_buffer"] + o.lr * along
    return p - b, after | {"momentum_buffer": b}


STEP = "state momentum_buffer or parameter"
FREE = "momentum > 0; in a free run also a learning rate that changes"
SQUARES = "v ← α v + (1 − α) g²"
RMS = "p ← p − lr · g / (√v + ε)"
BUFFER = "b ← μ b + g / (√v + ε), then p ← p − lr b"


def _v_corrected_as_in_adam(after: Params, o: Any) -> Any:
    return np.sqrt(_variance(after, o) / (1 - o.alpha ** after["step"].item())) + o.eps


RMSPROP = faults("RMSprop", Right(RMS),
    Row("eps inside the root", "the step is g / √(v + ε)", STEP,
        _along(lambda after, o: np.sqrt(_variance(after, o) + o.eps))),
    Row("eps missing", "the step is g / √v", STEP, told(eps=lambda o: 0.0),
        needs="an entry whose gradients have all been 0, or are as small as ε"),
    Row("root missing", "the step is g / (v + ε)", STEP,
        _along(lambda after, o: _variance(after, o) + o.eps)),
    Right("v − m² under the root, m ← α m + (1 − α) g"),
    Row("not centred", "the square of the mean is not subtracted from the mean of the squares",
        STEP, _along(lambda after, o: np.sqrt(after["square_avg"]) + o.eps), needs="centered"),
    Right("m ← α m + (1 − α) g"),
    Row("mean kept of the newest gradient",
        "the mean to centre by is the newest gradient", "state grad_avg",
        kept("grad_avg", lambda self, g, held, after, o: 1 * g), needs="centered"),
    Right(f"{SQUARES}, used as it is"),
    Row("v corrected as in Adam", "v is divided by 1 − α^t", STEP,
        _along(_v_corrected_as_in_adam)),
    Right(SQUARES),
    Row("α and 1 − α swapped", "v is (1 − α) v + α g²", "state square_avg",
        told(alpha=lambda o: 1 - o.alpha)),
    Row("squares summed", "v is v + g², as in Adagrad", "state square_avg",
        kept("square_avg", lambda self, g, held, after, o: held["square_avg"] + g * g)),
    Row("squares not kept", "v starts from 0 at each step", "state square_avg",
        afresh("square_avg"), needs="more than one step"),
    Right(BUFFER),
    Row("momentum before the division",
        "the buffer sums gradients, and the sum is divided by the newest root",
        "state momentum_buffer", update(_momentum_first), needs="momentum > 0"),
    Row("learning rate inside the buffer",
        "the buffer sums steps that have their learning rate in them already",
        "state momentum_buffer", update(_lr_inside), needs=FREE),
)  # fmt: skip
