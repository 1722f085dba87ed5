"""Faults of Adam and AdamW between their means and their step."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.rules import Step, kept_as, step, step_told, update
from compare.faults.fault import Method
from compare.faults.optim.means import corrections
from compare.faults.table import Right, Row, faults
from reference import Array, Params

RIGHT = "p ← p − lr · m̂ / (√v̂ + ε), m̂ = m / (1 − β₁^t), v̂ = v / (1 − β₂^t), t from 1"


def second(after: Params, o: Any) -> Array:
    """What is under the root, uncorrected."""
    return after["max_exp_avg_sq"] if getattr(o, "amsgrad", False) else after["exp_avg_sq"]


def _step(function: Any) -> Any:
    """A step that is lr · function(m, v, c₁, c₂, ε), with the corrections c₁ and c₂."""

    def wrong(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
        first, last = corrections(self, held, o)
        return p - o.lr * function(after["exp_avg"], second(after, o), first, last, o.eps)

    return step(wrong)


def _from_zero(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    """Also where the count itself is put right afterwards: 1 − β⁰ divides by 0."""
    with np.errstate(all="ignore"):
        first, last = (c + 0 * p for c in corrections(self, held | {"step": held["step"] - 1}, o))
        _, after = right(self, p, g, held, o)
        root = np.sqrt(second(after, o) / last) + o.eps
        return p - o.lr * (after["exp_avg"] / first) / root, after


def _own_largest(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
    """The largest corrected v in place of the largest v, corrected."""
    first, last = corrections(self, held, o)
    largest = np.maximum(held["max_exp_avg_sq"], after["exp_avg_sq"] / last)
    return p - o.lr * (after["exp_avg"] / first) / (np.sqrt(largest) + o.eps)


def _of_newest(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
    first, last = corrections(self, held, o)
    root = np.sqrt(after["exp_avg_sq"] / last) + o.eps
    return p - o.lr * (after["exp_avg"] / first) / root


def _g_for_m(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
    return p - o.lr * g / (np.sqrt(second(after, o) / corrections(self, held, o)[1]) + o.eps)


ADAM = faults(("Adam", "AdamW"), Right(RIGHT),
    Row("eps inside the root", "the step is m̂ / √(v̂ + ε)", "parameter",
        _step(lambda m, v, c1, c2, eps: m / c1 / np.sqrt(v / c2 + eps))),
    Row("eps before the correction", "ε is added to √v, which is corrected afterwards", "parameter",
        _step(lambda m, v, c1, c2, eps: m / c1 * c2**0.5 / (np.sqrt(v) + eps))),
    Row("no bias correction", "m and v are used as they are", "parameter",
        _step(lambda m, v, c1, c2, eps: m / (np.sqrt(v) + eps))),
    Row("m not corrected", "m is used as it is, v corrected", "parameter",
        _step(lambda m, v, c1, c2, eps: m / (np.sqrt(v / c2) + eps))),
    Row("v not corrected", "v is used as it is, m corrected", "parameter",
        _step(lambda m, v, c1, c2, eps: m / c1 / (np.sqrt(v) + eps))),
    Row("correction outside the root", "√v is divided by 1 − β₂^t, not by its root", "parameter",
        _step(lambda m, v, c1, c2, eps: m / c1 / (np.sqrt(v) / c2 + eps))),
    Row("corrections swapped", "m is divided by 1 − β₂^t and v by 1 − β₁^t", "parameter",
        _step(lambda m, v, c1, c2, eps: m / c2 / (np.sqrt(v / c1) + eps))),
    Row("root missing", "the step is m̂ / (v̂ + ε)", "parameter",
        _step(lambda m, v, c1, c2, eps: m / c1 / (v / c2 + eps))),
    Row("eps missing", "the step is m̂ / √v̂", "parameter", step_told(eps=lambda o: 0.0),
        needs="an entry whose gradients have all been 0, or are as small as ε"),
    Row("count from 0", "t is 0 in the first step, whose correction divides by 1 − β⁰ = 0",
        "parameter", update(_from_zero)),
    Row("g for m", "the step is along the gradient, not along its mean", "parameter",
        step(_g_for_m), needs="more than one step"),
    Right("v_max ← max(v_max, v), then √(v_max / (1 − β₂^t)) + ε"),
    Row("amsgrad of the corrected v",
        "the largest v̂ divides, where the largest v is to be corrected", "parameter",
        step(_own_largest, where=lambda o: o.amsgrad), needs="amsgrad"),
    Row("amsgrad divides by the newest v", "the largest v is remembered and not used", "parameter",
        step(_of_newest, where=lambda o: o.amsgrad),
        needs="amsgrad, a gradient that becomes smaller"),
    Right("v_max ← max(v_max, v)"),
    Row("amsgrad forgets the largest v",
        "what is remembered as the largest v is the newest", "state max_exp_avg_sq",
        kept_as("max_exp_avg_sq", "exp_avg_sq"), needs="amsgrad, a gradient that becomes smaller"),
)  # fmt: skip
