"""Adadelta: steps in the parameter's own units, without a learning rate to choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.checks import require, require_at_least_zero
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer


class Adadelta(Optimizer):
    r"""Adadelta: the ratio of how large steps were to how large gradients were, times the gradient.

    ::

        v ← ρ v + (1 − ρ) g²
        Δ = √(u + ε) / √(v + ε) · g
        u ← ρ u + (1 − ρ) Δ²
        p ← p − lr · Δ

    Adagrad's sum only grows; a running mean v forgets, with a memory of about 1/(1 − ρ) steps. g/√v
    is a pure number, whatever units p has, yet it is added to p; Newton's step g/L″ has p's units.
    The root mean square of past steps, √u, gives them back. v is taken after this
    step's update and u before it, since u's own update needs Δ.

    ε is *inside* both roots, as in the paper: u starts at 0, and with ε outside the first step
    and so all steps would be far smaller: the first step is √ε/√(v + ε) · g.

    Args:
        lr: a factor on the paper's step; 1 is the paper.
        rho: ρ, what is left of the means after each step.
        eps: ε.
        weight_decay: λ of coupled decay.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State:
        ``step``: t, ``square_avg``: v, and ``acc_delta``: u.

    Source:
        Zeiler, ADADELTA: An Adaptive Learning Rate Method, arXiv 1212.5701, algorithm 1;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
    """

    def __init__(
        self,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(options, groups)

    def check(self, options: Options) -> None:
        require_at_least_zero(self.name, options, "lr", "eps", "weight_decay")
        rho = options["rho"]
        require(self.name, "rho", rho, 0 <= rho <= 1, "between 0 and 1")

    def fresh(self, p: Array, o: Any) -> Params:
        return {
            "step": self.scalar(p, 0),
            "square_avg": np.zeros_like(p),
            "acc_delta": np.zeros_like(p),
        }

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        _, step = self.count(held)
        v = o.rho * held["square_avg"] + (1 - o.rho) * g * g
        u = held["acc_delta"]
        delta = np.sqrt(u + o.eps) / np.sqrt(v + o.eps) * g
        u = o.rho * u + (1 - o.rho) * delta * delta
        return p - o.lr * delta, {"step": step, "square_avg": v, "acc_delta": u}
