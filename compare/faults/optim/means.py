"""Faults of the running means m and v, the same in all rules that have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.rules import Step, afresh, kept, step_with, told, update
from compare.faults.fault import Changes, Fault, Method
from compare.faults.table import Right, Row, faults
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


def _corrected(key: str, which: int) -> Changes:
    return kept(key, lambda self, g, held, after, o: after[key] / corrections(self, held, o)[which])


def _count(change: Callable[[Array], Array]) -> Changes:
    """The step with the correction of another count."""
    return step_with(lambda self, held, o: {"step": change(held["step"])})


def _faults(name: str) -> tuple[Fault, ...]:
    """What goes wrong in m and v, the same in all rules that have them."""
    return faults(name, Right(MEANS),
        Row("gradient enters m whole", "m is β₁ m + g", "state exp_avg",
            _moment("exp_avg", lambda b, m, g: b * m + g)),
        Row("gradient enters v whole", "v is β₂ v + g²", "state exp_avg_sq",
            _moment("exp_avg_sq", lambda b, v, g: b * v + g * g)),
        Row("β₁ and 1 − β₁ swapped", "m is (1 − β₁) m + β₁ g", "state exp_avg",
            _moment("exp_avg", lambda b, m, g: (1 - b) * m + b * g)),
        Row("β₂ and 1 − β₂ swapped", "v is (1 − β₂) v + β₂ g²", "state exp_avg_sq",
            _moment("exp_avg_sq", lambda b, v, g: (1 - b) * v + b * g * g)),
        Row("v of |g|", "v is the mean of |g|, not of g²", "state exp_avg_sq",
            _moment("exp_avg_sq", lambda b, v, g: b * v + (1 - b) * np.abs(g))),
        Row("v of (1 − β₂) squared", "v is β₂ v + ((1 − β₂) g)²", "state exp_avg_sq",
            _moment("exp_avg_sq", lambda b, v, g: b * v + ((1 - b) * g) * ((1 - b) * g))),
        Row("betas swapped", "β₂ is used for m and β₁ for v",
            "state mu_product" if name == "NAdam" else "state exp_avg",
            told(betas=lambda o: o.betas[::-1])),
        Right("keep m and v from one step to the next"),
        Row("moments reset", "m and v start from 0 at each step, so a step is about lr sign(g)",
            "state exp_avg", afresh("exp_avg", "exp_avg_sq"), needs="more than one step"),
        Right("m goes on uncorrected; m̂ is used once and forgotten"),
        Row("corrected m kept", "m̂ is written back in place of m", "state exp_avg",
            _corrected("exp_avg", 0)),
        Right("v goes on uncorrected; v̂ is used once and forgotten"),
        Row("corrected v kept", "v̂ is written back in place of v", "state exp_avg_sq",
            _corrected("exp_avg_sq", 1)),
        Right("1 − β^t, t being the number of this step, from 1"),
        Row("count not kept",
            "every step is the first one to the correction: 1 − β in place of 1 − β^t", "parameter",
            _count(lambda t: 0 * t), needs="more than one step"),
        Right("t = 1 in the first step"),
        Row("count one ahead",
            "the correction of the first step is that of the second: t starts at 2", "parameter",
            _count(lambda t: t + 1)),
        Right("count t once for each step"),
        Row("one count for all parameters",
            "t goes up with each parameter that is updated, not with each step", "parameter",
            update(_together), needs="more than one parameter"),
    )  # fmt: skip


MOMENTS = tuple(f for name in ("Adam", "AdamW", "NAdam", "RAdam") for f in _faults(name))
