"""Faults that any update rule can have."""

from __future__ import annotations

from typing import Any

from compare.faults.changes.methods import around
from compare.faults.changes.rules import Step, before, steps, update, with_options
from compare.faults.fault import Fault, Method
from compare.faults.optim.decay import FIRST
from compare.faults.table import Right, Row, faults
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

    def wrong(right: Method, self: Any, params: Params, grads: Params, *rest: Any) -> Any:
        stepped, held = right(self, params, grads, *rest)
        return stepped | {name: params[name] for name in which(params, grads)}, held

    return steps(wrong)


def _given(which: slice) -> Any:
    """Of the parameters that have a gradient, those."""
    return lambda params, grads: [name for name in params if name in grads][which]


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


_SHARED = {**steps(_by_shape), **update(_from_shape)}


def _zeros_for_none(right: Method, self: Any, params: Params, grads: Params, *rest: Any) -> Any:
    return right(self, params, {n: grads.get(n, 0 * p) for n, p in params.items()}, *rest)


def _stale(right: Method, self: Any, params: Params, grads: Params, *rest: Any) -> Any:
    last = vars(self).get("_last", {})
    vars(self)["_last"] = grads
    return right(self, params, {n: last.get(n, 0 * g) for n, g in grads.items()}, *rest)


def _everywhere(name: str) -> tuple[Fault, ...]:
    """What can be wrong with every rule, whatever its arithmetic."""
    return faults(name, Right("p ← p − step"),
        Row("update uphill", "the step is added where it should be subtracted", "parameter",
            update(_uphill)),
        Right("update every parameter that has a gradient"),
        Row("biases never updated", "the parameters called bias stay as they were", "parameter",
            _still(_biases), needs="a bias"),
        Row("first parameter never updated", "the first parameter stays as it was", "parameter",
            _still(_given(slice(1)))),
        Row("last parameter never updated", "the last parameter stays as it was", "parameter",
            _still(_given(slice(-1, None)))),
        Right("compute the gradient, then make the step with it"),
        Row("gradient of the step before",
            "each step is made with the gradient that the one before should have had",
            f"state {FIRST[name]}", steps(_stale), needs="more than one step"),
    )  # fmt: skip


_OF_LR = faults(SCALED, Right("p ← p − lr · step, with lr in no other place"),
    Row("learning rate applied twice",
        "the step is scaled by lr², once in the gradient and once in the update", "parameter",
        update(_twice), needs="lr other than 1"),
)  # fmt: skip


def _of_state(name: str) -> tuple[Fault, ...]:
    """What can be wrong where there is a state for each parameter."""
    step, missing, momentum, decay = "state step", "state step", "", ""
    if name == "SGD":
        step, momentum, decay = "state momentum_buffer", ", momentum > 0", ", momentum or decay"
        missing = f"{step} or parameter"
    return faults(name, Right("keep a state for each parameter, by its name"),
        Row("state shared by parameters of one shape",
            "what is remembered is kept by shape, so parameters of one shape have it in common",
            step, _SHARED, needs=f"two parameters of one shape{momentum}"),
        Right("leave a parameter without a gradient alone, and its state too"),
        Row("missing gradient taken for 0",
            "a parameter without a gradient is updated as if its gradient were 0", missing,
            steps(_zeros_for_none), needs=f"a parameter without a gradient in some step{decay}"),
    )  # fmt: skip


def _maximize_ignored(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
    return right(self, p, g, held, with_options(o, maximize=False))


def _of_maximize(name: str) -> tuple[Fault, ...]:
    return faults(name, Right("g ← −g before all else"),
        Row("maximize ignored", "the rule descends although it should climb",
            f"state {FIRST[name]}", before(_maximize_ignored), needs="maximize"),
    )  # fmt: skip


def _like_last(right: Method, self: Any, changes: Any) -> Any:
    options = right(self, changes)
    return [options[-1]] * len(options)


def _of_groups(name: str) -> tuple[Fault, ...]:
    first = f"state {FIRST_OF_OPTIONS.get(name, FIRST[name])}"
    spoils = " or ".join([first, *ONLY_THERE.get(name, ()), "parameter"])
    return faults(name, Right("update each parameter with the options of its own group"),
        Row("options of one group for all",
            "every parameter is updated with the options of the last group", spoils,
            around("_options", _like_last), needs="two groups with options of their own"),
    )  # fmt: skip


#: What a rule remembers first of its options, where that is not the gradient.
FIRST_OF_OPTIONS = {"NAdam": "mu_product", "ASGD": "eta"}

#: What it remembers of a parameter only if an option of its group says so.
ONLY_THERE = dict.fromkeys(("Adam", "AdamW"), ("state max_exp_avg_sq",))
ONLY_THERE["RMSprop"] = ("state momentum_buffer",)

RULES = (
    *(fault for name in EVERY for fault in _of_groups(name)),
    *(fault for name in EVERY for fault in _everywhere(name)),
    *_OF_LR,
    *(fault for name in EVERY for fault in _of_state(name)),
    *(fault for name in EVERY for fault in _of_maximize(name)),
)
