"""Faults of the rules that divide by a root, or a maximum, without correcting it."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import (
    Step,
    begun,
    kept,
    step,
    step_told,
    told,
    update,
    with_options,
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


def _adadelta(root: Any) -> Any:
    """A step that is ``lr · root(u, v, ε) · g``, and u kept of it."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = right(self, p, g, held, o)
        delta = root(held["acc_delta"], after["square_avg"], o.eps) * g
        u = o.rho * held["acc_delta"] + (1 - o.rho) * delta * delta
        return p - o.lr * delta, after | {"acc_delta": u}

    return update(wrong)


DELTA = "Δ = √(u + ε) / √(v + ε) · g, then u ← ρ u + (1 − ρ) Δ²"

ADADELTA = (
    Fault(
        "Adadelta: eps outside the roots",
        "the step is (√u + ε) / (√v + ε) · g",
        "Adadelta",
        _adadelta(lambda u, v, eps: (np.sqrt(u) + eps) / (np.sqrt(v) + eps)),
        "state acc_delta",
        DELTA,
    ),
    Fault(
        "Adadelta: roots missing",
        "the step is (u + ε) / (v + ε) · g",
        "Adadelta",
        _adadelta(lambda u, v, eps: (u + eps) / (v + eps)),
        "state acc_delta",
        DELTA,
    ),
    Fault(
        "Adadelta: no units given back",
        "the step is g / √(v + ε), as in RMSprop",
        "Adadelta",
        step(
            lambda self, p, g, held, after, o: p - o.lr * g / np.sqrt(after["square_avg"] + o.eps)
        ),
        "parameter",
        DELTA,
    ),
    Fault(
        "Adadelta: steps remembered with lr in them",
        "u is the mean of (lr Δ)²",
        "Adadelta",
        kept(
            "acc_delta",
            lambda self, g, held, after, o: (
                o.rho * held["acc_delta"]
                + o.lr * o.lr * (after["acc_delta"] - o.rho * held["acc_delta"])
            ),
        ),
        "state acc_delta",
        DELTA,
        "lr other than 1",
    ),
    Fault(
        "Adadelta: u of gradients",
        "u is the mean of g², the same as v",
        "Adadelta",
        kept("acc_delta", lambda self, g, held, after, o: after["square_avg"]),
        "state acc_delta",
        DELTA,
    ),
    Fault(
        "Adadelta: u not kept",
        "u starts from 0 at each step",
        "Adadelta",
        begun(lambda self, p, g, held, o: {"acc_delta": 0 * p}),
        "state acc_delta",
        DELTA,
        "more than one step",
    ),
    Fault(
        "Adadelta: u updated first",
        "the step is made with the u that already has it in it",
        "Adadelta",
        step(
            lambda self, p, g, held, after, o: (
                p
                - o.lr
                * (np.sqrt(after["acc_delta"] + o.eps) / np.sqrt(after["square_avg"] + o.eps) * g)
            )
        ),
        "parameter",
        DELTA,
    ),
    Fault(
        "Adadelta: ρ and 1 − ρ swapped",
        "v is (1 − ρ) v + ρ g²",
        "Adadelta",
        told(rho=lambda o: 1 - o.rho),
        "state square_avg",
        "v ← ρ v + (1 − ρ) g²",
        "ρ other than 1/2",
    ),
    Fault(
        "Adadelta: learning rate ignored",
        "the step is Δ, whatever lr",
        "Adadelta",
        told(lr=lambda o: 1.0),
        "parameter",
        "p ← p − lr Δ",
        "lr other than 1",
    ),
)


def _eps_outside(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    with np.errstate(all="ignore"):
        _, after = right(self, p, g, held, with_options(o, eps=0.0))
    m_hat = after["exp_avg"] / (1 - o.betas[0] ** self.count(held)[0])
    return p - o.lr * m_hat / (after["exp_inf"] + o.eps), after


def _adamax(divided: Any) -> Any:
    """A step that is ``lr · divided(m, u, 1 − β₁^t, 1 − β₂^t)``."""

    def wrong(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Array:
        t, _ = self.count(held)
        first, last = 1 - o.betas[0] ** t, 1 - o.betas[1] ** t
        stepped: Array = p - o.lr * divided(after["exp_avg"], after["exp_inf"], first, last)
        return stepped

    return step(wrong)


LARGEST = "u ← max(β₂ u, |g| + ε)"
INFINITE = "p ← p − lr · m / (1 − β₁^t) / u"

ADAMAX = (
    Fault(
        "Adamax: eps outside the maximum",
        "ε is added to u where it divides",
        "Adamax",
        update(_eps_outside),
        "state exp_inf",
        LARGEST,
    ),
    Fault(
        "Adamax: m not corrected",
        "the step is m / u",
        "Adamax",
        _adamax(lambda m, u, c1, c2: m / u),
        "parameter",
        INFINITE,
    ),
    Fault(
        "Adamax: u corrected too",
        "u is divided by 1 − β₂^t, which a maximum does not need",
        "Adamax",
        _adamax(lambda m, u, c1, c2: m / c1 / (u / c2)),
        "parameter",
        INFINITE,
    ),
    Fault(
        "Adamax: root of u",
        "the step is divided by √u",
        "Adamax",
        _adamax(lambda m, u, c1, c2: m / c1 / np.sqrt(u)),
        "parameter",
        INFINITE,
    ),
    Fault(
        "Adamax: u averaged",
        "u is β₂ u + (1 − β₂) |g|",
        "Adamax",
        kept(
            "exp_inf",
            lambda self, g, held, after, o: (
                o.betas[1] * held["exp_inf"] + (1 - o.betas[1]) * np.abs(g)
            ),
        ),
        "state exp_inf",
        LARGEST,
    ),
    Fault(
        "Adamax: u never forgets",
        "u is the largest |g| of all steps",
        "Adamax",
        kept(
            "exp_inf",
            lambda self, g, held, after, o: np.maximum(held["exp_inf"], np.abs(g) + o.eps),
        ),
        "state exp_inf",
        LARGEST,
        "more than one step",
    ),
    Fault(
        "Adamax: maximum of g without its size",
        "u is max(β₂ u, g), which a negative gradient never enters",
        "Adamax",
        kept(
            "exp_inf",
            lambda self, g, held, after, o: np.maximum(o.betas[1] * held["exp_inf"], g + o.eps),
        ),
        "state exp_inf",
        LARGEST,
        "a negative gradient",
    ),
    Fault(
        "Adamax: betas swapped",
        "β₂ is used for m and β₁ for u",
        "Adamax",
        told(betas=lambda o: o.betas[::-1]),
        "state exp_avg",
        "m ← β₁ m + (1 − β₁) g, u ← max(β₂ u, |g| + ε)",
    ),
)

ROOTS = (*RMSPROP, *ADAGRAD, *ADADELTA, *ADAMAX)
