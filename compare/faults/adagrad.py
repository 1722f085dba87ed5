"""Faults of Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.rule_changes import begun, kept, step, step_told, told
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _eps_inside_the_root(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
    return p - o.lr / (1 + held["step"].item() * o.lr_decay) * g / np.sqrt(after["sum"] + o.eps)


def _root_missing(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
    return p - o.lr / (1 + held["step"].item() * o.lr_decay) * g / (after["sum"] + o.eps)


def _divided_by_the_old_sum(
    self: Any, p: Array, g: Array, held: Params, after: Params, o: Any
) -> Any:
    return p - o.lr / (1 + held["step"].item() * o.lr_decay) * g / (np.sqrt(held["sum"]) + o.eps)


def _lr_decay_one_step_early(
    self: Any, p: Array, g: Array, held: Params, after: Params, o: Any
) -> Any:
    return p - o.lr / (1 + after["step"].item() * o.lr_decay) * g / (np.sqrt(after["sum"]) + o.eps)


ADAGRAD = faults("Adagrad", Right("p ← p − lr · g / (√s + ε)"),
    Row("eps inside the root", "the step is g / √(s + ε)", "parameter",
        step(_eps_inside_the_root)),
    Row("eps missing", "the step is g / √s", "parameter", step_told(eps=lambda o: 0.0),
        needs="an entry whose gradients have all been 0, or are as small as ε"),
    Row("root missing", "the step is g / (s + ε)", "parameter", step(_root_missing)),
    Right("s ← s + g², then p ← p − lr · g / (√s + ε)"),
    Row("divided by the old sum", "the root is of the sum before this gradient's square is added",
        "parameter", step(_divided_by_the_old_sum)),
    Right("s ← s + g²"),
    Row("squares not kept", "s is the newest square", "state sum",
        begun(lambda self, p, g, held, o: {"sum": 0 * p}),
        needs="more than one step, or a first accumulator above 0"),
    Row("squares averaged", "s is 0.9 s + 0.1 g², as in RMSprop", "state sum",
        kept("sum", lambda self, g, held, after, o: 0.9 * held["sum"] + (1 - 0.9) * g * g)),
    Row("sum of |g|", "s sums the gradients' sizes, not their squares", "state sum",
        kept("sum", lambda self, g, held, after, o: held["sum"] + np.abs(g))),
    Right("lrₜ = lr / (1 + (t − 1) η)"),
    Row("lr_decay ignored", "the learning rate does not fall", "parameter",
        told(lr_decay=lambda o: 0.0), needs="lr_decay > 0, more than one step"),
    Row("lr_decay one step early", "the first step has the learning rate lr / (1 + η)", "parameter",
        step(_lr_decay_one_step_early), needs="lr_decay > 0"),
)  # fmt: skip
