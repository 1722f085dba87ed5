"""Faults that any update rule can have."""

from __future__ import annotations

from typing import Any

from compare.faults.changes import around
from compare.faults.decay import FIRST
from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import (
    Step,
    before,
    steps,
    update,
    with_options,
)
from reference import Array, Params

EVERY = (
    "SGD", "Adagrad", "Adadelta", "RMSprop", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Rprop",
    "ASGD",
)  # fmt: skip

#: Those whose step is lr times something else.
SCALED = tuple(name for name in EVERY if name not in ("Rprop", "ASGD"))


def _uphill(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    stepped, after = right(self, p, g, held, o)
    return p + (p - stepped), after


def _twice(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    _, after = right(self, p, g, held, o)
    return right(self, p, g, held, with_options(o, lr=o.lr * o.lr))[0], after


def _still(which: Any) -> Any:
    """The parameters that ``which`` picks by name and value stay as they are."""

    def wrong(
        right: Method, self: Any, params: Params, grads: Params, state: Any, changes: Any
    ) -> Any:
        stepped, held = right(self, params, grads, state, changes)
        return stepped | {name: params[name] for name in which(params, grads)}, held

    return steps(wrong)


def _first(params: Params, grads: Params) -> list[str]:
    return [name for name in params if name in grads][:1]


def _last(params: Params, grads: Params) -> list[str]:
    return [name for name in params if name in grads][-1:]


def _biases(params: Params, grads: Params) -> list[str]:
    return [name for name in params if name.endswith("bias")]


def _by_shape(right: Method, self: Any, params: Params, grads: Params, *rest: Any) -> Any:
    vars(self)["_seen"] = {}
    return right(self, params, grads, *rest)


def _from_shape(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    seen = vars(self).setdefault("_seen", {})
    stepped, after = right(self, p, g, seen.get(p.shape, held), o)
    seen[p.shape] = after
    return stepped, after


def _zeros_for_none(right: Method, self: Any, params: Params, grads: Params, *rest: Any) -> Any:
    return right(self, params, {n: grads.get(n, 0 * p) for n, p in params.items()}, *rest)


def _stale(right: Method, self: Any, params: Params, grads: Params, *rest: Any) -> Any:
    last = vars(self).get("_last", {})
    vars(self)["_last"] = grads
    return right(self, params, {n: last.get(n, 0 * g) for n, g in grads.items()}, *rest)


def _everywhere(name: str) -> tuple[Fault, ...]:
    """What can be wrong with every rule, whatever its arithmetic."""
    return (
        Fault(
            f"{name}: update uphill",
            "the step is added where it should be subtracted",
            name,
            update(_uphill),
            "parameter",
            "p ← p − step",
        ),
        Fault(
            f"{name}: biases never updated",
            "the parameters called bias stay as they were",
            name,
            _still(_biases),
            "parameter",
            "update every parameter that has a gradient",
            "a bias",
        ),
        Fault(
            f"{name}: first parameter never updated",
            "the first parameter stays as it was",
            name,
            _still(_first),
            "parameter",
            "update every parameter that has a gradient",
        ),
        Fault(
            f"{name}: last parameter never updated",
            "the last parameter stays as it was",
            name,
            _still(_last),
            "parameter",
            "update every parameter that has a gradient",
        ),
        Fault(
            f"{name}: gradient of the step before",
            "each step is made with the gradient that the one before should have had",
            name,
            steps(_stale),
            f"state {FIRST[name]}",
            "compute the gradient, then make the step with it",
            "more than one step",
        ),
    )


def _of_lr(name: str) -> Fault:
    return Fault(
        f"{name}: learning rate applied twice",
        "the step is scaled by lr², once in the gradient and once in the update",
        name,
        update(_twice),
        "parameter",
        "p ← p − lr · step, with lr in no other place",
        "lr other than 1",
    )


def _of_state(name: str) -> tuple[Fault, ...]:
    """What can be wrong where there is a state for each parameter."""
    return (
        Fault(
            f"{name}: state shared by parameters of one shape",
            "what is remembered is kept by shape, so parameters of one shape have it in common",
            name,
            {**steps(_by_shape), **update(_from_shape)},
            f"state {'momentum_buffer' if name == 'SGD' else 'step'}",
            "keep a state for each parameter, by its name",
            "two parameters of one shape" + (", momentum > 0" if name == "SGD" else ""),
        ),
        Fault(
            f"{name}: missing gradient taken for 0",
            "a parameter without a gradient is updated as if its gradient were 0",
            name,
            steps(_zeros_for_none),
            f"state {'momentum_buffer or parameter' if name == 'SGD' else 'step'}",
            "leave a parameter without a gradient alone, and its state too",
            "a parameter without a gradient in some step"
            + (", momentum or decay" if name == "SGD" else ""),
        ),
    )


def _of_maximize(name: str) -> Fault:
    return Fault(
        f"{name}: maximize ignored",
        "the rule descends although it should climb",
        name,
        before(
            lambda right, self, p, g, held, o: right(
                self, p, g, held, with_options(o, maximize=False)
            )
        ),
        f"state {FIRST[name]}",
        "g ← −g before all else",
        "maximize",
    )


def _like_last(right: Method, self: Any, changes: Any) -> Any:
    options = right(self, changes)
    return [options[-1]] * len(options)


def _of_groups(name: str) -> Fault:
    return Fault(
        f"{name}: options of one group for all",
        "every parameter is updated with the options of the last group",
        name,
        around("_options", _like_last),
        " or ".join(
            [
                f"state {FIRST_OF_OPTIONS.get(name, FIRST[name])}",
                *ONLY_THERE.get(name, ()),
                "parameter",
            ]
        ),
        "update each parameter with the options of its own group",
        "two groups with options of their own",
    )


#: What a rule remembers first of its options, where that is not the gradient.
FIRST_OF_OPTIONS = {"NAdam": "mu_product", "ASGD": "eta"}

#: What it remembers of a parameter only if an option of its group says so.
ONLY_THERE = {
    "RMSprop": ("state momentum_buffer",),
    "Adam": ("state max_exp_avg_sq",),
    "AdamW": ("state max_exp_avg_sq",),
}

RULES = (
    *(_of_groups(name) for name in EVERY),
    *(fault for name in EVERY for fault in _everywhere(name)),
    *(_of_lr(name) for name in SCALED),
    *(fault for name in EVERY for fault in _of_state(name)),
    *(_of_maximize(name) for name in EVERY),
)
