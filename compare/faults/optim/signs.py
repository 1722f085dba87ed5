"""Faults of Rprop and ASGD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.rules import Step, begun, kept, step, told, update
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _agreement(g: Array, held: Params) -> Array:
    return g * held["prev"]


def _moved(p: Array, g: Array, s: Array) -> Array:
    return np.where(g > 0, p - s, np.where(g < 0, p + s, p))


def _last_step_back(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Array:
    back = np.where(held["prev"] > 0, p + held["step_size"], p - held["step_size"])
    moved = _moved(p, after["prev"], after["step_size"])
    return np.where(_agreement(g, held) < 0, back, moved)


def _sizes(function: Callable[..., Array]) -> Any:
    """Other step sizes: ``function(agreement, s, o)``, remembered and stepped with."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = right(self, p, g, held, o)
        s = function(_agreement(g, held), held["step_size"], o)
        return _moved(p, after["prev"], s), after | {"step_size": s}

    return update(wrong)


def _limited(s: Array, o: Any) -> Any:
    return np.minimum(np.maximum(s, o.step_sizes[0]), o.step_sizes[1])


def _scaled(agreement: Array, s: Array, less: float, more: float) -> Array:
    return np.where(agreement > 0, more * s, np.where(agreement < 0, less * s, s))


CHANGE = "a gradient that changes sign"
SIZE = "state step_size"
SIZES = "s ← η₊ s where two gradients agree in sign, η₋ s where they do not, within its limits"
FORGET = "where the sign changes, take g for 0: no step there, and no change of sign in the next"


def _swapped(change: Array, s: Array, o: Any) -> Any:
    return _limited(_scaled(change, s, *o.etas[::-1]), o)


def _zero_counts_as_agreement(agreement: Array, s: Array, o: Any) -> Any:
    return _limited(np.where(agreement >= 0, o.etas[1] * s, o.etas[0] * s), o)


RPROP = faults("Rprop", Right(FORGET),
    Row("gradient kept where the sign changes",
        "after a change of sign the step is left out, but g is remembered as it is", "state prev",
        kept("prev", lambda self, g, held, after, o: 1 * g), needs=CHANGE),
    Row("step made where the sign changes",
        "the step size is cut, and the step made all the same", "parameter",
        step(lambda self, p, g, held, after, o: _moved(p, g, after["step_size"])), needs=CHANGE),
    Row("last step taken back",
        "where the sign changes the step before is undone, as in the first form of the method",
        "parameter", step(_last_step_back), needs=CHANGE),
    Right(SIZES),
    Row("factors swapped",
        "the step size is cut where gradients agree, and grows where they do not", SIZE,
        _sizes(_swapped), needs="more than one step"),
    Row("limits ignored", "the step size grows and falls without end", SIZE,
        _sizes(lambda change, s, o: _scaled(change, s, *o.etas)),
        needs="a step size that reaches a limit"),
    Row("zero counts as agreement", "the step size grows also where one of the gradients is 0",
        SIZE, _sizes(_zero_counts_as_agreement), needs="more than one step, a gradient of 0"),
    Row("step sizes not kept", "the step size starts from lr at each step", SIZE,
        begun(lambda self, p, g, held, o: {"step_size": 0 * p + o.lr}),
        needs="more than one step"),
    Right("change s first, then p ← p − s sign(g)"),
    Row("steps of the old size", "the step is made before its size is changed", "parameter",
        step(lambda self, p, g, held, after, o: _moved(p, after["prev"], held["step_size"])),
        needs="more than one step"),
    Right("p ← p − s sign(g)"),
    Row("scaled by the gradient", "the step is s g, not s sign(g)", "parameter",
        step(lambda self, p, g, held, after, o: p - after["step_size"] * after["prev"])),
)  # fmt: skip


def _average(function: Callable[..., Array]) -> Any:
    """Another average: ``function(p, ax, t)``, of the parameter after the step."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        stepped, after = right(self, p, g, held, o)
        return stepped, after | {"ax": function(stepped, held["ax"], self.count(held)[0])}

    return update(wrong)


def _filled(key: str, function: Callable[[Any, float], float]) -> Any:
    """Another η or μ for the next step: ``function(o, t)``."""

    def filled(self: Any, g: Array, held: Params, after: Params, o: Any) -> Array:
        return np.full_like(held[key], function(o, self.count(held)[0]))

    return kept(key, filled)


RATE = "η = lr / (1 + λ lr t)^α"
AVERAGE = "ax ← ax + μ (p − ax), μ = 1 / max(1, t − t₀)"

ASGD = faults("ASGD", Right(RATE),
    Row("rate does not fall", "η is lr at all steps", "state eta",
        _filled("eta", lambda o, t: o.lr)),
    Row("power missing", "η is lr / (1 + λ lr t)", "state eta",
        _filled("eta", lambda o, t: o.lr / (1 + o.lambd * o.lr * t))),
    Row("rate without lr in its fall", "η is lr / (1 + λ t)^α", "state eta",
        _filled("eta", lambda o, t: o.lr / (1 + o.lambd * t) ** o.alpha)),
    Right(AVERAGE),
    Row("average without its start", "μ is 1/t: averaging starts at once, whatever t₀", "state mu",
        _filled("mu", lambda o, t: 1 / t), needs="more than one step"),
    Row("average of the newest only", "ax is the parameter, at all steps", "state ax",
        _average(lambda p, ax, t: 1 * p), needs="more than t₀ + 1 steps"),
    Row("average summed", "ax is the sum of the parameters", "state ax",
        _average(lambda p, ax, t: ax + p), needs="more than one step"),
    Right("p ← (1 − λ η) p − η g; the average is kept beside it"),
    Row("average stepped from", "the parameter becomes the average", "parameter",
        step(lambda self, p, g, held, after, o: 1 * after["ax"]), needs="more than t₀ + 1 steps"),
    Right(f"p ← (1 − λ η) p − η g, {RATE}"),
    Row("λ ignored", "the parameter does not shrink, and η does not fall", "state eta",
        told(lambd=lambda o: 0.0)),
    Row("lr for η", "the step is made with the learning rate as it was given", "state ax",
        begun(lambda self, p, g, held, o: {"eta": np.full_like(held["eta"], o.lr)}),
        needs="more than one step"),
)  # fmt: skip

SIGNS = (*RPROP, *ASGD)
