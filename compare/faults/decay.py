"""Faults of weight decay, coupled and decoupled."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import Step, decay_told, decayed, with_options
from reference import Array, Params

#: What each rule remembers first of a gradient: where a wrong gradient shows before all else.
FIRST = {
    "SGD": "momentum_buffer or parameter",
    "Adagrad": "sum",
    "Adadelta": "square_avg",
    "RMSprop": "square_avg",
    "Adam": "exp_avg",
    "AdamW": "exp_avg",
    "Adamax": "exp_avg",
    "NAdam": "exp_avg",
    "RAdam": "exp_avg",
    "ASGD": "ax",
    "Rprop": "prev",
}


COUPLED = ("SGD", "Adagrad", "Adadelta", "RMSprop", "Adam", "Adamax", "NAdam", "RAdam", "ASGD")


def _decay_by_sign(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    penalty = (-1 if o.maximize else 1) * o.weight_decay * np.sign(p)
    stepped: Step = right(self, p, g + penalty, held, with_options(o, weight_decay=0.0))
    return stepped


def _of_coupled(name: str) -> tuple[Fault, ...]:
    """What can be wrong with λ p in the gradient."""
    spoils = f"state {FIRST[name]}"
    return (
        Fault(
            f"{name}: decay left out",
            "weight decay is in the loss, but not in the gradient",
            name,
            decay_told(lambda p, o: 0.0),
            spoils,
            "g ← g + λ p",
            "weight decay > 0",
        ),
        Fault(
            f"{name}: biases spared the decay",
            "weight decay is applied to matrices only",
            name,
            decay_told(lambda p, o: o.weight_decay if p.ndim > 1 else 0.0),
            spoils,
            "g ← g + λ p for every parameter, or a group of its own for biases on both sides",
            "weight decay > 0, a bias",
        ),
        Fault(
            f"{name}: decay doubled",
            "2 λ p, the derivative of λ‖p‖², is added to the gradient",
            name,
            decay_told(lambda p, o: 2 * o.weight_decay),
            spoils,
            "g ← g + λ p: the penalty is λ/2 ‖p‖²",
            "weight decay > 0",
        ),
        Fault(
            f"{name}: decay by sign",
            "λ sign(p), the derivative of λ‖p‖₁, is added to the gradient",
            name,
            decayed(_decay_by_sign),
            spoils,
            "g ← g + λ p",
            "weight decay > 0",
        ),
        Fault(
            f"{name}: decay of the wrong sign",
            "weight decay is subtracted from the gradient, and so lets weights grow",
            name,
            decay_told(lambda p, o: -o.weight_decay),
            spoils,
            "g ← g + λ p",
            "weight decay > 0",
        ),
        Fault(
            f"{name}: decay climbs too",
            "the gradient is negated after the decay was added, so the penalty is climbed as well",
            name,
            decay_told(lambda p, o: (-1 if o.maximize else 1) * o.weight_decay),
            spoils,
            "g ← −g, then g ← g + λ p",
            "maximize, weight decay > 0",
        ),
    )


def _decoupled_for_coupled(
    right: Method, self: Any, p: Array, g: Array, held: Params, o: Any
) -> Step:
    stepped: Step = right(self, p, g, held, with_options(o, decoupled_weight_decay=True))
    return stepped


def _coupled_for_decoupled(
    right: Method, self: Any, p: Array, g: Array, held: Params, o: Any
) -> Step:
    stepped: Step = right(self, p, g, held, with_options(o, decoupled_weight_decay=False))
    return stepped


def _decay_not_scaled(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    bare = with_options(o, weight_decay=0.0)
    stepped: Step = right(self, p * (1 - o.weight_decay), g, held, bare)
    return stepped


def _decay_afterwards(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    stepped, after = right(self, p, g, held, with_options(o, weight_decay=0.0))
    return stepped * (1 - o.lr * o.weight_decay), after


def _decoupled(name: str, first: str = "") -> tuple[Fault, ...]:
    """What goes wrong where decay is decoupled."""
    needs = f"{first}weight decay > 0"
    right = "p ← (1 − lr λ) p, then the rule's step with g as it is"
    return (
        Fault(
            f"{name}: coupled decay for decoupled",
            "λ p is added to the gradient, and so averaged and divided by √v",
            name,
            decayed(_coupled_for_decoupled, decoupled=True),
            "state exp_avg",
            right,
            needs,
        ),
        Fault(
            f"{name}: decoupled decay not scaled by lr",
            "the parameter is multiplied by 1 − λ",
            name,
            decayed(_decay_not_scaled, decoupled=True),
            "parameter",
            right,
            f"{needs}, lr other than 1",
        ),
        Fault(
            f"{name}: decoupled decay after the step",
            "the parameter is decayed together with the step just made",
            name,
            decayed(_decay_afterwards, decoupled=True),
            "parameter",
            right,
            needs,
        ),
        Fault(
            f"{name}: decoupled decay left out",
            "the parameter is not decayed",
            name,
            decay_told(lambda p, o: 0.0, decoupled=True),
            "parameter",
            right,
            needs,
        ),
        Fault(
            f"{name}: biases spared the decoupled decay",
            "only matrices are decayed",
            name,
            decay_told(lambda p, o: o.weight_decay if p.ndim > 1 else 0.0, decoupled=True),
            "parameter",
            "decay every parameter, or none of a group on both sides",
            f"{needs}, a bias",
        ),
        Fault(
            f"{name}: decoupled decay climbs",
            "with maximize the decay lets the parameter grow",
            name,
            decay_told(lambda p, o: (-1 if o.maximize else 1) * o.weight_decay, decoupled=True),
            "parameter",
            "the decay shrinks the parameter whether the rule climbs or descends",
            f"maximize, {needs}",
        ),
    )


def _coupled_taken(name: str) -> Fault:
    return Fault(
        f"{name}: decoupled decay for coupled",
        "the parameter is multiplied by 1 − lr λ, where λ p should be added to the gradient",
        name,
        decayed(_decoupled_for_coupled),
        "state exp_avg",
        "g ← g + λ p",
        "weight decay > 0",
    )


DECAY = (
    *(fault for name in COUPLED for fault in _of_coupled(name)),
    *(_coupled_taken(name) for name in ("Adam", "NAdam", "RAdam")),
    *_decoupled("AdamW"),
    *(f for name in ("NAdam", "RAdam") for f in _decoupled(name, "decoupled_weight_decay, ")),
)
