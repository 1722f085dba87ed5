"""Faults of weight decay, coupled and decoupled."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.rules import Step, decay_told, decayed, with_options
from compare.faults.fault import Changes, Fault, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params

#: What each rule remembers first of a gradient: where a wrong gradient shows before all else.
FIRST = dict.fromkeys(("Adam", "AdamW", "Adamax", "NAdam", "RAdam"), "exp_avg") | {
    "SGD": "momentum_buffer or parameter", "Adagrad": "sum", "Adadelta": "square_avg",
    "RMSprop": "square_avg", "ASGD": "ax", "Rprop": "prev",
}  # fmt: skip

COUPLED = ("SGD", "Adagrad", "Adadelta", "RMSprop", "Adam", "Adamax", "NAdam", "RAdam", "ASGD")


def _decay_by_sign(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
    penalty = (-1 if o.maximize else 1) * o.weight_decay * np.sign(p)
    return right(self, p, g + penalty, held, with_options(o, weight_decay=0.0))


def _climbing(p: Array, o: Any) -> float:
    return float((-1 if o.maximize else 1) * o.weight_decay)


def _of_coupled(name: str) -> tuple[Fault, ...]:
    """What can be wrong with λ p in the gradient."""
    spoils = f"state {FIRST[name]}"
    return faults(name, Right("g ← g + λ p"),
        Row("decay left out", "weight decay is in the loss, but not in the gradient", spoils,
            decay_told(lambda p, o: 0.0), needs="weight decay > 0"),
        Right("g ← g + λ p for every parameter, or a group of its own for biases on both sides"),
        Row("biases spared the decay", "weight decay is applied to matrices only", spoils,
            decay_told(lambda p, o: o.weight_decay if p.ndim > 1 else 0.0),
            needs="weight decay > 0, a bias"),
        Right("g ← g + λ p: the penalty is λ/2 ‖p‖²"),
        Row("decay doubled", "2 λ p, the derivative of λ‖p‖², is added to the gradient", spoils,
            decay_told(lambda p, o: 2 * o.weight_decay), needs="weight decay > 0"),
        Right("g ← g + λ p"),
        Row("decay by sign", "λ sign(p), the derivative of λ‖p‖₁, is added to the gradient", spoils,
            decayed(_decay_by_sign), needs="weight decay > 0"),
        Row("decay of the wrong sign",
            "weight decay is subtracted from the gradient, and so lets weights grow", spoils,
            decay_told(lambda p, o: -o.weight_decay), needs="weight decay > 0"),
        Right("g ← −g, then g ← g + λ p"),
        Row("decay climbs too",
            "the gradient is negated after the decay was added, so the penalty is climbed as well",
            spoils, decay_told(_climbing), needs="maximize, weight decay > 0"),
    )  # fmt: skip


def _taken_for(decoupled: bool) -> Changes:
    """One kind of decay in place of the other."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
        return right(self, p, g, held, with_options(o, decoupled_weight_decay=decoupled))

    return decayed(wrong, decoupled=not decoupled)


def _decay_not_scaled(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
    bare = with_options(o, weight_decay=0.0)
    return right(self, p * (1 - o.weight_decay), g, held, bare)


def _decay_afterwards(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    stepped, after = right(self, p, g, held, with_options(o, weight_decay=0.0))
    return stepped * (1 - o.lr * o.weight_decay), after


def _decoupled(name: str, first: str = "") -> tuple[Fault, ...]:
    """What goes wrong where decay is decoupled."""
    needs = f"{first}weight decay > 0"
    right = "p ← (1 − lr λ) p, then the rule's step with g as it is"
    return faults(name, Right(right),
        Row("coupled decay for decoupled",
            "λ p is added to the gradient, and so averaged and divided by √v", "state exp_avg",
            _taken_for(decoupled=False), needs=needs),
        Row("decoupled decay not scaled by lr", "the parameter is multiplied by 1 − λ", "parameter",
            decayed(_decay_not_scaled, decoupled=True), needs=f"{needs}, lr other than 1"),
        Row("decoupled decay after the step",
            "the parameter is decayed together with the step just made", "parameter",
            decayed(_decay_afterwards, decoupled=True), needs=needs),
        Row("decoupled decay left out", "the parameter is not decayed", "parameter",
            decay_told(lambda p, o: 0.0, decoupled=True), needs=needs),
        Right("decay every parameter, or none of a group on both sides"),
        Row("biases spared the decoupled decay", "only matrices are decayed", "parameter",
            decay_told(lambda p, o: o.weight_decay if p.ndim > 1 else 0.0, decoupled=True),
            needs=f"{needs}, a bias"),
        Right("the decay shrinks the parameter whether the rule climbs or descends"),
        Row("decoupled decay climbs", "with maximize the decay lets the parameter grow",
            "parameter", decay_told(_climbing, decoupled=True), needs=f"maximize, {needs}"),
    )  # fmt: skip


_COUPLED_TAKEN = faults(("Adam", "NAdam", "RAdam"), Right("g ← g + λ p"),
    Row("decoupled decay for coupled",
        "the parameter is multiplied by 1 − lr λ, where λ p should be added to the gradient",
        "state exp_avg", _taken_for(decoupled=True), needs="weight decay > 0"),
)  # fmt: skip


DECAY = (
    *(fault for name in COUPLED for fault in _of_coupled(name)),
    *_COUPLED_TAKEN,
    *_decoupled("AdamW"),
    *(f for name in ("NAdam", "RAdam") for f in _decoupled(name, "decoupled_weight_decay, ")),
)
