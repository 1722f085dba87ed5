"""ASGD: gradient descent, and the average of where it has been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.checks import require_at_least_zero
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer


class ASGD(Optimizer):
    r"""Averaged stochastic gradient descent.

    ::

        p ← (1 − λ ηₜ) p − ηₜ g
        a ← a + μₜ (p − a)
        ηₜ₊₁ = lr / (1 + λ lr t)^α,    μₜ₊₁ = 1 / max(1, t − t₀)

    With noisy gradients p ends up jumping about the minimum. The mean of where it has been is
    as near to it as any method can come, if the rate falls slower than 1/t (α below 1). While
    μ = 1, a is p itself; from step t₀ + 3 on μ is 1/2, 1/3, …, which makes a the mean of the steps
    since: the mean of n + 1 numbers is that of n, moved 1/(n + 1) of the way to the last.

    The network is trained at p; a, in the state as ``ax``, is what to use in the end. Step t takes
    the η and μ that step t − 1 left, so a changed lr is felt one step late. λ decays p directly
    (it is the strong convexity the rate assumes); ``weight_decay`` is added to g besides.

    Args:
        lr: the first rate.
        lambd: λ.
        alpha: α, the power by which the rate falls.
        t0: t₀, when averaging begins.
        weight_decay: of coupled decay.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State:
        ``step``: t, ``eta``: η and ``mu``: μ of the next step, ``ax``: a.

    Source:
        Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, SIAM J. Control
        Optim. 30 (1992); Bottou, Large-Scale Machine Learning with Stochastic Gradient Descent
        (COMPSTAT 2010); https://docs.pytorch.org/docs/stable/generated/torch.optim.ASGD.html
    """

    def __init__(
        self,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(options, groups)

    def check(self, options: Options) -> None:
        require_at_least_zero(self.name, options, "lr", "weight_decay")

    def fresh(self, p: Array, o: Any) -> Params:
        return {
            "step": self.scalar(p, 0),
            "eta": self.scalar(p, o.lr),
            "mu": self.scalar(p, 1),
            "ax": np.zeros_like(p),
        }

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        t, step = self.count(held)
        eta, mu = held["eta"].item(), held["mu"].item()
        p = p * (1 - o.lambd * eta) - eta * g
        ax = p.copy() if mu == 1 else held["ax"] + mu * (p - held["ax"])
        eta = o.lr / (1 + o.lambd * o.lr * t) ** o.alpha
        mu = 1 / max(1, t - o.t0)
        after = {
            "step": step,
            "eta": np.full_like(held["eta"], eta),
            "mu": np.full_like(held["mu"], mu),
            "ax": ax,
        }
        return p, after
