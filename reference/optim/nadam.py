"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.adam import MomentOptimizer
from reference.optim.checks import require_at_least_zero
from reference.optim.groups import Options


class NAdam(MomentOptimizer):
    r"""NAdam: Adam that steps along the momentum as it will be, with a momentum that warms up.

    ::

        μₜ = β₁ (1 − ½ · 0.96^(t ψ)),    Πₜ = μ₁ μ₂ … μₜ
        m̂ = μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)
        p ← p − lr · m̂ / (√v̂ + ε)

    Adam's m is μ m_old + (1 − μ) g. Nesterov replaces the old momentum in this step's sum by the
    new one, which is what the next step would do: so μₜ₊₁, the next step's, goes with m, and
    the gradient keeps its own 1 − μₜ. With a μ that changes, the weights of a running mean from 0
    sum to 1 − Πₜ in place of 1 − β₁^t, and each part is corrected for the step it belongs to.
    m itself is averaged with β₁, as in Adam: PyTorch has the schedule of μ in the correction only.

    Args:
        lr: the learning rate.
        betas: β₁ and β₂.
        eps: ε, outside the root.
        weight_decay: λ.
        momentum_decay: ψ, how fast μ rises from β₁/2 to β₁; 0 keeps it at β₁/2.
        decoupled_weight_decay: whether the decay is decoupled, as in AdamW.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State:
        ``step``: t, ``mu_product``: Π, ``exp_avg``: m, ``exp_avg_sq``: v.

    Source:
        Dozat, Incorporating Nesterov Momentum into Adam (ICLR workshop 2016), algorithm 2;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html
    """

    def __init__(
        self,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(options, groups)

    def check(self, options: Options) -> None:
        super().check(options)
        require_at_least_zero(self.name, options, "momentum_decay")

    def fresh(self, p: Array, o: Any) -> Params:
        return super().fresh(p, o) | {"mu_product": self.scalar(p, 1)}

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        t, step = self.count(held)
        m, v = self.moments(g, held, o)
        mu, mu_next = _momentum(t, o), _momentum(t + 1, o)
        product = (held["mu_product"] * mu).item()
        m_hat = mu_next / (1 - product * mu_next) * m + (1 - mu) / (1 - product) * g
        v_hat = v / (1 - o.betas[1] ** t)
        after = {
            "step": step,
            "mu_product": np.full_like(held["mu_product"], product),
            "exp_avg": m,
            "exp_avg_sq": v,
        }
        return p - o.lr * m_hat / (np.sqrt(v_hat) + o.eps), after


def _momentum(t: float, o: Any) -> Any:
    """μ of step t."""
    return o.betas[0] * (1 - 0.5 * 0.96 ** (t * o.momentum_decay))
