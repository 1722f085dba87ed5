"""Faults of the running means m and v, the same in all rules that have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.fault import Fault, Method
from compare.faults.rule_changes import Step, begun, kept, step_with, told, update
from reference import Array, Params

MEANS = "m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²"


def corrections(self: Any, held: Params, o: Any) -> tuple[float, float]:
    """1 − β₁^t and 1 − β₂^t of this step."""
    t, _ = self.count(held)
    return 1 - o.betas[0] ** t, 1 - o.betas[1] ** t


def _together(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
    """One count for all tensors that goes up with each of them."""
    calls = vars(self).get("_calls", 0)
    vars(self)["_calls"] = calls + 1
    stepped, _ = right(self, p, g, held | {"step": held["step"] + calls}, o)
    return stepped, right(self, p, g, held, o)[1]


def _moment(name: str, function: Any) -> Any:
    """The rule with another mean: ``function(β, old, g)``."""
    position = ("exp_avg", "exp_avg_sq").index(name)

    def moments(right: Method, self: Any, g: Array, held: Params, o: Any) -> tuple[Array, Array]:
        found = list(right(self, g, held, o))
        found[position] = function(o.betas[position], held[name], g)
        return found[0], found[1]

    return {"moments": lambda right: lambda *args: moments(right, *args)}


def _faults(name: str) -> tuple[Fault, ...]:
    """What goes wrong in m and v, the same in all rules that have them."""
    means = (
        ("gradient enters m whole", "m is β₁ m + g", "exp_avg", lambda b, m, g: b * m + g),
        ("gradient enters v whole", "v is β₂ v + g²", "exp_avg_sq", lambda b, v, g: b * v + g * g),
        (
            "β₁ and 1 − β₁ swapped", "m is (1 − β₁) m + β₁ g", "exp_avg",
            lambda b, m, g: (1 - b) * m + b * g,
        ),
        (
            "β₂ and 1 − β₂ swapped", "v is (1 − β₂) v + β₂ g²", "exp_avg_sq",
            lambda b, v, g: (1 - b) * v + b * g * g,
        ),
        ("v of |g|", "v is the mean of |g|, not of g²", "exp_avg_sq",
         lambda b, v, g: b * v + (1 - b) * np.abs(g)),
        ("v of (1 − β₂) squared", "v is β₂ v + ((1 − β₂) g)²", "exp_avg_sq",
         lambda b, v, g: b * v + ((1 - b) * g) * ((1 - b) * g)),
    )  # fmt: skip
    return (
        *(
            Fault(f"{name}: {what}", does, name, _moment(key, mean), f"state {key}", MEANS)
            for what, does, key, mean in means
        ),
        Fault(
            f"{name}: betas swapped",
            "β₂ is used for m and β₁ for v",
            name,
            told(betas=lambda o: o.betas[::-1]),
            "state mu_product" if name == "NAdam" else "state exp_avg",
            MEANS,
        ),
        Fault(
            f"{name}: moments reset",
            "m and v start from 0 at each step, so a step is about lr sign(g)",
            name,
            begun(lambda self, p, g, held, o: {"exp_avg": 0 * p, "exp_avg_sq": 0 * p}),
            "state exp_avg",
            "keep m and v from one step to the next",
            "more than one step",
        ),
        Fault(
            f"{name}: corrected m kept",
            "m̂ is written back in place of m",
            name,
            kept(
                "exp_avg",
                lambda self, g, held, after, o: after["exp_avg"] / corrections(self, held, o)[0],
            ),
            "state exp_avg",
            "m goes on uncorrected; m̂ is used once and forgotten",
        ),
        Fault(
            f"{name}: corrected v kept",
            "v̂ is written back in place of v",
            name,
            kept(
                "exp_avg_sq",
                lambda self, g, held, after, o: after["exp_avg_sq"] / corrections(self, held, o)[1],
            ),
            "state exp_avg_sq",
            "v goes on uncorrected; v̂ is used once and forgotten",
        ),
        Fault(
            f"{name}: count not kept",
            "every step is the first one to the correction: 1 − β in place of 1 − β^t",
            name,
            step_with(lambda self, held, o: {"step": 0 * held["step"]}),
            "parameter",
            "1 − β^t, t being the number of this step, from 1",
            "more than one step",
        ),
        Fault(
            f"{name}: count one ahead",
            "the correction of the first step is that of the second: t starts at 2",
            name,
            step_with(lambda self, held, o: {"step": held["step"] + 1}),
            "parameter",
            "t = 1 in the first step",
        ),
        Fault(
            f"{name}: one count for all parameters",
            "t goes up with each parameter that is updated, not with each step",
            name,
            update(_together),
            "parameter",
            "count t once for each step",
            "more than one parameter",
        ),
    )  # fmt: skip


MOMENTS = tuple(f for name in ("Adam", "AdamW", "NAdam", "RAdam") for f in _faults(name))
