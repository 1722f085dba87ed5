"""RAdam: Adam that waits until its root mean square is worth dividing by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.adam import MomentOptimizer

#: The least number of averaged squares whose variance is of use; the paper has 4, PyTorch 5.
ENOUGH = 5.0


class RAdam(MomentOptimizer):
    r"""RAdam: ``p ← p − lr · r · m̂ / √v̂``, and ``p ← p − lr · m̂`` while v rests on too few squares.

    In the first steps v is a mean of few squares, so 1/√v varies widely and the steps with it:
    why Adam wants a warm-up. A running mean over t steps is about as good as a plain mean over

        ρₜ = ρ∞ − 2 t β₂^t / (1 − β₂^t),    ρ∞ = 2 / (1 − β₂) − 1

    squares: the length of the plain mean with the same centre of mass, ρ∞ for t → ∞. For normal
    gradients a mean of ρ squares is χ² with ρ degrees of freedom up to scale, and the variance
    of 1/√v is, to first order, proportional to ρ / ((ρ − 2)(ρ − 4)): infinite up to ρ = 4. The
    step is scaled to have the variance it will have in the end:

        r² = (ρₜ − 4)(ρₜ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρₜ)

    and up to ρ = 5 it goes without v, as plain momentum.

    ε is added to √v *before* the correction, √v̂ = (√v + ε) / √(1 − β₂^t), unlike Adam's.

    Args:
        lr: the learning rate.
        betas: β₁ and β₂.
        eps: ε.
        weight_decay: λ.
        decoupled_weight_decay: whether the decay is decoupled, as in AdamW.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State:
        ``step``: t, ``exp_avg``: m, ``exp_avg_sq``: v.

    Source:
        Liu et al., On the Variance of the Adaptive Learning Rate and Beyond, arXiv 1908.03265,
        algorithm 2; https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html
    """

    def __init__(
        self,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
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
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(options, groups)

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        t, step = self.count(held)
        m, v = self.moments(g, held, o)
        beta1, beta2 = o.betas
        along = m / (1 - beta1**t)
        rho_end = 2 / (1 - beta2) - 1
        rho = rho_end - 2 * t * beta2**t / (1 - beta2**t)
        if rho > ENOUGH:
            rate = _rectification(rho, rho_end) * (1 - beta2**t) ** 0.5
            along = rate * along / (np.sqrt(v) + o.eps)
        return p - o.lr * along, {"step": step, "exp_avg": m, "exp_avg_sq": v}


def _rectification(rho: Any, rho_end: Any) -> Any:
    """The factor r, from how many squares v is worth now and in the end."""
    now = (rho - 4) * (rho - 2) / rho
    end = (rho_end - 4) * (rho_end - 2) / rho_end
    return (now / end) ** 0.5
