"""Faults of Adagrad."""

from __future__ import annotations

import numpy as np

from compare.faults.fault import Fault
from compare.faults.rule_changes import (
    begun,
    kept,
    step,
    step_told,
    told,
)

ADAGRAD = (
    Fault(
        "Adagrad: eps inside the root",
        "the step is g / √(s + ε)",
        "Adagrad",
        step(
            lambda self, p, g, held, after, o: (
                p
                - o.lr / (1 + held["step"].item() * o.lr_decay) * g / np.sqrt(after["sum"] + o.eps)
            )
        ),
        "parameter",
        "p ← p − lr · g / (√s + ε)",
    ),
    Fault(
        "Adagrad: eps missing",
        "the step is g / √s",
        "Adagrad",
        step_told(eps=lambda o: 0.0),
        "parameter",
        "p ← p − lr · g / (√s + ε)",
        "an entry whose gradients have all been 0, or are as small as ε",
    ),
    Fault(
        "Adagrad: root missing",
        "the step is g / (s + ε)",
        "Adagrad",
        step(
            lambda self, p, g, held, after, o: (
                p - o.lr / (1 + held["step"].item() * o.lr_decay) * g / (after["sum"] + o.eps)
            )
        ),
        "parameter",
        "p ← p − lr · g / (√s + ε)",
    ),
    Fault(
        "Adagrad: divided by the old sum",
        "the root is of the sum before this gradient's square is added",
        "Adagrad",
        step(
            lambda self, p, g, held, after, o: (
                p
                - o.lr / (1 + held["step"].item() * o.lr_decay) * g / (np.sqrt(held["sum"]) + o.eps)
            )
        ),
        "parameter",
        "s ← s + g², then p ← p − lr · g / (√s + ε)",
    ),
    Fault(
        "Adagrad: squares not kept",
        "s is the newest square",
        "Adagrad",
        begun(lambda self, p, g, held, o: {"sum": 0 * p}),
        "state sum",
        "s ← s + g²",
        "more than one step, or a first accumulator above 0",
    ),
    Fault(
        "Adagrad: squares averaged",
        "s is 0.9 s + 0.1 g², as in RMSprop",
        "Adagrad",
        kept("sum", lambda self, g, held, after, o: 0.9 * held["sum"] + (1 - 0.9) * g * g),
        "state sum",
        "s ← s + g²",
    ),
    Fault(
        "Adagrad: sum of |g|",
        "s sums the gradients' sizes, not their squares",
        "Adagrad",
        kept("sum", lambda self, g, held, after, o: held["sum"] + np.abs(g)),
        "state sum",
        "s ← s + g²",
    ),
    Fault(
        "Adagrad: lr_decay ignored",
        "the learning rate does not fall",
        "Adagrad",
        told(lr_decay=lambda o: 0.0),
        "parameter",
        "lrₜ = lr / (1 + (t − 1) η)",
        "lr_decay > 0, more than one step",
    ),
    Fault(
        "Adagrad: lr_decay one step early",
        "the first step has the learning rate lr / (1 + η)",
        "Adagrad",
        step(
            lambda self, p, g, held, after, o: (
                p
                - o.lr
                / (1 + after["step"].item() * o.lr_decay)
                * g
                / (np.sqrt(after["sum"]) + o.eps)
            )
        ),
        "parameter",
        "lrₜ = lr / (1 + (t − 1) η)",
        "lr_decay > 0",
    ),
)
