"""Faults of Rprop and ASGD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import Step, begun, kept, step, told, update
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


def _limited(s: Array, o: Any) -> Array:
    limited: Array = np.minimum(np.maximum(s, o.step_sizes[0]), o.step_sizes[1])
    return limited


def _scaled(agreement: Array, s: Array, less: float, more: float) -> Array:
    return np.where(agreement > 0, more * s, np.where(agreement < 0, less * s, s))


SIZES = "s ← η₊ s where two gradients agree in sign, η₋ s where they do not, within its limits"
FORGET = "where the sign changes, take g for 0: no step there, and no change of sign in the next"

RPROP = (
    Fault(
        "Rprop: gradient kept where the sign changes",
        "after a change of sign the step is left out, but g is remembered as it is",
        "Rprop",
        kept("prev", lambda self, g, held, after, o: 1 * g),
        "state prev",
        FORGET,
        "a gradient that changes sign",
    ),
    Fault(
        "Rprop: step made where the sign changes",
        "the step size is cut, and the step made all the same",
        "Rprop",
        step(lambda self, p, g, held, after, o: _moved(p, g, after["step_size"])),
        "parameter",
        FORGET,
        "a gradient that changes sign",
    ),
    Fault(
        "Rprop: last step taken back",
        "where the sign changes the step before is undone, as in the first form of the method",
        "Rprop",
        step(_last_step_back),
        "parameter",
        FORGET,
        "a gradient that changes sign",
    ),
    Fault(
        "Rprop: factors swapped",
        "the step size is cut where gradients agree, and grows where they do not",
        "Rprop",
        _sizes(lambda agreement, s, o: _limited(_scaled(agreement, s, *o.etas[::-1]), o)),
        "state step_size",
        SIZES,
        "more than one step",
    ),
    Fault(
        "Rprop: limits ignored",
        "the step size grows and falls without end",
        "Rprop",
        _sizes(lambda agreement, s, o: _scaled(agreement, s, *o.etas)),
        "state step_size",
        SIZES,
        "a step size that reaches a limit",
    ),
    Fault(
        "Rprop: zero counts as agreement",
        "the step size grows also where one of the gradients is 0",
        "Rprop",
        _sizes(
            lambda agreement, s, o: _limited(
                np.where(agreement >= 0, o.etas[1] * s, o.etas[0] * s), o
            )
        ),
        "state step_size",
        SIZES,
        "more than one step, a gradient of 0",
    ),
    Fault(
        "Rprop: step sizes not kept",
        "the step size starts from lr at each step",
        "Rprop",
        begun(lambda self, p, g, held, o: {"step_size": 0 * p + o.lr}),
        "state step_size",
        SIZES,
        "more than one step",
    ),
    Fault(
        "Rprop: steps of the old size",
        "the step is made before its size is changed",
        "Rprop",
        step(lambda self, p, g, held, after, o: _moved(p, after["prev"], held["step_size"])),
        "parameter",
        "change s first, then p ← p − s sign(g)",
        "more than one step",
    ),
    Fault(
        "Rprop: scaled by the gradient",
        "the step is s g, not s sign(g)",
        "Rprop",
        step(lambda self, p, g, held, after, o: p - after["step_size"] * after["prev"]),
        "parameter",
        "p ← p − s sign(g)",
    ),
)


def _average(function: Callable[..., Array]) -> Any:
    """Another average: ``function(p, ax, t)``, of the parameter after the step."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        stepped, after = right(self, p, g, held, o)
        return stepped, after | {"ax": function(stepped, held["ax"], self.count(held)[0])}

    return update(wrong)


def _eta(function: Callable[[Any, float], float]) -> Any:
    """Another learning rate for the next step: ``function(o, t)``."""
    return kept(
        "eta",
        lambda self, g, held, after, o: np.full_like(held["eta"], function(o, self.count(held)[0])),
    )


def _mu(function: Callable[[Any, float], float]) -> Any:
    return kept(
        "mu",
        lambda self, g, held, after, o: np.full_like(held["mu"], function(o, self.count(held)[0])),
    )


RATE = "η = lr / (1 + λ lr t)^α"
AVERAGE = "ax ← ax + μ (p − ax), μ = 1 / max(1, t − t₀)"

ASGD = (
    Fault(
        "ASGD: rate does not fall",
        "η is lr at all steps",
        "ASGD",
        _eta(lambda o, t: o.lr),
        "state eta",
        RATE,
    ),
    Fault(
        "ASGD: power missing",
        "η is lr / (1 + λ lr t)",
        "ASGD",
        _eta(lambda o, t: o.lr / (1 + o.lambd * o.lr * t)),
        "state eta",
        RATE,
    ),
    Fault(
        "ASGD: rate without lr in its fall",
        "η is lr / (1 + λ t)^α",
        "ASGD",
        _eta(lambda o, t: o.lr / (1 + o.lambd * t) ** o.alpha),
        "state eta",
        RATE,
    ),
    Fault(
        "ASGD: average without its start",
        "μ is 1/t: averaging starts at once, whatever t₀",
        "ASGD",
        _mu(lambda o, t: 1 / t),
        "state mu",
        AVERAGE,
        "more than one step",
    ),
    Fault(
        "ASGD: average of the newest only",
        "ax is the parameter, at all steps",
        "ASGD",
        _average(lambda p, ax, t: 1 * p),
        "state ax",
        AVERAGE,
        "more than t₀ + 1 steps",
    ),
    Fault(
        "ASGD: average summed",
        "ax is the sum of the parameters",
        "ASGD",
        _average(lambda p, ax, t: ax + p),
        "state ax",
        AVERAGE,
        "more than one step",
    ),
    Fault(
        "ASGD: average stepped from",
        "the parameter becomes the average",
        "ASGD",
        step(lambda self, p, g, held, after, o: 1 * after["ax"]),
        "parameter",
        "p ← (1 − λ η) p − η g; the average is kept beside it",
        "more than t₀ + 1 steps",
    ),
    Fault(
        "ASGD: λ ignored",
        "the parameter does not shrink, and η does not fall",
        "ASGD",
        told(lambd=lambda o: 0.0),
        "state eta",
        f"p ← (1 − λ η) p − η g, {RATE}",
    ),
    Fault(
        "ASGD: lr for η",
        "the step is made with the learning rate as it was given",
        "ASGD",
        begun(lambda self, p, g, held, o: {"eta": np.full_like(held["eta"], o.lr)}),
        "state ax",
        f"p ← (1 − λ η) p − η g, {RATE}",
        "more than one step",
    ),
)

SIGNS = (*RPROP, *ASGD)
