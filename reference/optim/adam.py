"""Adam: momentum divided by the gradient's root mean square, both corrected for their start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.checks import require_at_least_zero, require_betas
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer


class MomentOptimizer(Optimizer):
    r"""What Adam and its relatives share: running means of g and of g².

    ::

        m ← β₁ m + (1 − β₁) g,    v ← β₂ v + (1 − β₂) g²

    **Why they need correction.** Both start at 0, and written out the first is

        mₜ = (1 − β₁) Σᵢ β₁^(t−i) gᵢ ,   i = 1 … t

    whose weights sum to (1 − β₁)(1 + β₁ + … + β₁^(t−1)) = 1 − β₁^t, not to 1. If all gradients
    have the same mean, m's is too small by just that factor, so m̂ = m / (1 − β₁^t) is unbiased, and
    v̂ = v / (1 − β₂^t) likewise. t counts from 1, else the first step divides by 0. At β₂ = 0.999
    the first v is a thousandth of g²: with v alone uncorrected the first step would be 32 times
    too long, with neither corrected 0.1/√0.001 = 3.2 times. The corrected means are used and
    forgotten; m and v themselves go on.

    State:
        ``step``: t, ``exp_avg``: m, ``exp_avg_sq``: v.
    """

    def check(self, options: Options) -> None:
        require_at_least_zero(self.name, options, "lr", "eps", "weight_decay")
        require_betas(self.name, options)

    def fresh(self, p: Array, o: Any) -> Params:
        return {
            "step": self.scalar(p, 0),
            "exp_avg": np.zeros_like(p),
            "exp_avg_sq": np.zeros_like(p),
        }

    def moments(self, g: Array, held: Params, o: Any) -> tuple[Array, Array]:
        """The running means m and v after this step."""
        beta1, beta2 = o.betas
        m = beta1 * held["exp_avg"] + (1 - beta1) * g
        v = beta2 * held["exp_avg_sq"] + (1 - beta2) * g * g
        return m, v


class Adam(MomentOptimizer):
    r"""Adam: ``p ← p − lr · m̂ / (√v̂ + ε)``.

    The means m̂ and v̂, and why they are corrected, see :class:`MomentOptimizer`. m̂/√v̂ is 1 for a
    steady gradient of any size and less for a noisy one, so lr is about the length of a step in
    each entry. Only where gradients suddenly grow is it more: after many zeros the first one moves
    (1 − β₁)/√(1 − β₂) = 3.2 times lr at the default betas. A gradient scaled by c makes the same
    steps, so Adam hides the mistake of taking a sum for a mean.

    ε keeps 0/0 from happening and limits the step where gradients are near 0. It is outside the
    root and added *after* the correction: √(v̂ + ε) would be felt by gradients below √ε = 1e-4, not
    1e-8; √v + ε before the correction would make ε weigh 1/√(1 − β₂^t) as much, 32 times at first.

    With *amsgrad* the root is of the largest v so far. The paper corrects nothing, so there the
    rate of no entry ever grows. PyTorch divides that largest v by this step's 1 − β₂^t, which rises
    to 1, so that the rate can still grow in the first steps.

    Args:
        lr: the learning rate.
        betas: β₁ and β₂, what is left of the means after each step.
        eps: ε.
        weight_decay: λ, coupled unless said otherwise. In Adam coupled decay is divided by √v̂ as
            the rest of the gradient is.
        amsgrad: whether to divide by the largest v.
        maximize: climb instead of descend.
        decoupled_weight_decay: whether the decay is decoupled, which makes this AdamW.
        groups: parameters with options of their own.

    State:
        ``step``: t, ``exp_avg``: m, ``exp_avg_sq``: v, ``max_exp_avg_sq``: with amsgrad, the
        largest v.

    Source:
        Kingma and Ba, Adam: A Method for Stochastic Optimization, arXiv 1412.6980, algorithm 1
        and section 3; Reddi, Kale and Kumar, On the Convergence of Adam and Beyond,
        arXiv 1904.09237, algorithm 2;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    def __init__(
        self,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(options, groups)

    def fresh(self, p: Array, o: Any) -> Params:
        largest = {"max_exp_avg_sq": np.zeros_like(p)} if o.amsgrad else {}
        return super().fresh(p, o) | largest

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        t, step = self.count(held)
        m, v = self.moments(g, held, o)
        after = held | {"step": step, "exp_avg": m, "exp_avg_sq": v}
        if o.amsgrad:
            v = np.maximum(held["max_exp_avg_sq"], v)
            after["max_exp_avg_sq"] = v
        beta1, beta2 = o.betas
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        return p - o.lr * m_hat / (np.sqrt(v_hat) + o.eps), after


class AdamW(Adam):
    r"""Adam with decoupled weight decay: ``p ← (1 − lr·λ) p``, then Adam's step.

    Why decoupled: see :mod:`reference.optim.optimizer`. PyTorch scales the decay by lr, so it
    follows the schedule; the paper scales it by the schedule's multiplier alone.

    Args:
        lr: the learning rate.
        betas: β₁ and β₂, what is left of the means after each step.
        eps: ε.
        weight_decay: λ.
        amsgrad: whether to divide by the largest v.
        maximize: climb instead of descend; the decay still shrinks.
        groups: parameters with options of their own.

    State:
        As for :class:`Adam`.

    Source:
        Loshchilov and Hutter, arXiv 1711.05101, algorithm 2;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
    """

    def __init__(
        self,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
            groups=groups,
        )
