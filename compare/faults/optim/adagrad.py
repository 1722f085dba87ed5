"""Faults of Adagrad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.rules import afresh, kept, step, step_told, told
from compare.faults.fault import Changes
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _over(divisor: Callable[[Array, Array, float], Array], late: int = 0) -> Changes:
    """A step along g over ``divisor(old sum, sum, ε)``, at the rate of ``late`` steps later."""

    def wrong(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
        rate = o.lr / (1 + (held["step"].item() + late) * o.lr_decay)
        return p - rate * g / divisor(held["sum"], after["sum"], o.eps)

    return step(wrong)


ADAGRAD = faults("Adagrad", Right("p ← p − lr · g / (√s + ε)"),
    Row("eps inside the root", "the step is g / √(s + ε)", "parameter",
        _over(lambda old, s, eps: np.sqrt(s + eps))),
    Row("eps missing", "the step is g / √s", "parameter", step_told(eps=lambda o: 0.0),
        needs="an entry whose gradients have all been 0, or are as small as ε"),
    Row("root missing", "the step is g / (s + ε)", "parameter",
        _over(lambda old, s, eps: s + eps)),
    Right("s ← s + g², then p ← p − lr · g / (√s + ε)"),
    Row("divided by the old sum", "the root is of the sum before this gradient's square is added",
        "parameter", _over(lambda old, s, eps: np.sqrt(old) + eps)),
    Right("s ← s + g²"),
    Row("squares not kept", "s is the newest square", "state sum",
        afresh("sum"), needs="more than one step, or a first accumulator above 0"),
    Row("squares averaged", "s is 0.9 s + 0.1 g², as in RMSprop", "state sum",
        kept("sum", lambda self, g, held, after, o: 0.9 * held["sum"] + (1 - 0.9) * g * g)),
    Row("sum of |g|", "s sums the gradients' sizes, not their squares", "state sum",
        kept("sum", lambda self, g, held, after, o: held["sum"] + np.abs(g))),
    Right("lrₜ = lr / (1 + (t − 1) η)"),
    Row("lr_decay ignored", "the learning rate does not fall", "parameter",
        told(lr_decay=lambda o: 0.0), needs="lr_decay > 0, more than one step"),
    Row("lr_decay one step early", "the first step has the learning rate lr / (1 + η)", "parameter",
        _over(lambda old, s, eps: np.sqrt(s) + eps, late=1), needs="lr_decay > 0"),
)  # fmt: skip
