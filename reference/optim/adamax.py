"""Adamax: Adam with the largest gradient in place of the root mean square."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.checks import require_at_least_zero, require_betas
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer


class Adamax(Optimizer):
    r"""Adamax: ``p ← p − lr · m̂ / u`` with u the largest |g|, forgotten at rate β₂.

    ::

        m ← β₁ m + (1 − β₁) g,    u ← max(β₂ u, |g| + ε),    m̂ = m / (1 − β₁^t)

    Adam's √v is a 2-norm of past gradients. Take a k-norm instead, v = β₂^k v + (1 − β₂^k) |g|^k,
    and the k-th root of its sum (1 − β₂^k) Σ β₂^(k(t−i)) |gᵢ|^k tends for k → ∞ to the largest
    β₂^(t−i) |gᵢ|, for in a sum of large powers only the largest counts, and (1 − β₂^k)^(1/k) → 1.
    That largest is u, and since it needs no mean it needs no correction either.

    Only m is averaged from 0 and is corrected as in Adam. ε is within the maximum, added to |g|,
    so u is never 0; the paper has none.

    Args:
        lr: the learning rate.
        betas: β₁ and β₂, what is left of m and of u after each step.
        eps: ε.
        weight_decay: λ of coupled decay.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State:
        ``step``: t, ``exp_avg``: m, ``exp_inf``: u.

    Source:
        Kingma and Ba, arXiv 1412.6980, section 7.1 and algorithm 2;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html
    """

    def __init__(
        self,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(options, groups)

    def check(self, options: Options) -> None:
        require_at_least_zero(self.name, options, "lr", "eps", "weight_decay")
        require_betas(self.name, options)

    def fresh(self, p: Array, o: Any) -> Params:
        return {
            "step": self.scalar(p, 0),
            "exp_avg": np.zeros_like(p),
            "exp_inf": np.zeros_like(p),
        }

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        t, step = self.count(held)
        beta1, beta2 = o.betas
        m = beta1 * held["exp_avg"] + (1 - beta1) * g
        u = np.maximum(beta2 * held["exp_inf"], np.abs(g) + o.eps)
        m_hat = m / (1 - beta1**t)
        return p - o.lr * m_hat / u, {"step": step, "exp_avg": m, "exp_inf": u}
