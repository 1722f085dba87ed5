"""RMSprop: gradients divided by their running root mean square."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.checks import require_at_least_zero
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer


class RMSprop(Optimizer):
    r"""RMSprop: ``p ← p − lr · g / (√v + ε)`` with a running mean v of g².

    ::

        v ← α v + (1 − α) g²

    The sign of the gradient alone would make steps of one size for each entry, but a mini-batch's
    sign is mostly noise: with gradients 0.1 nine times and −0.9 once, signs move far where the mean
    does not move at all. Dividing by a size that is about the same in neighbouring batches keeps
    them balanced, and a mean that forgets, unlike Adagrad's sum, follows a landscape that changes.

    v starts at 0 and, unlike in Adam, is not corrected for it: step t is 1/√(1 − α^t) times too
    long, the first one ten times at α = 0.99.

    *Centred*, the root is of the variance, E[g²] − E[g]², with a running mean ḡ beside v::

        ḡ ← α ḡ + (1 − α) g,    p ← p − lr · g / (√(v − ḡ²) + ε)

    (At α = 0 the variance is 0, up to rounding of either sign.) With *momentum* the quotients, not
    the gradients, are summed; lr stays outside::

        b ← μ b + g / (√v + ε),    p ← p − lr · b

    ε stands outside the root, so that it is a gradient's size, not a square's.

    Args:
        lr: the learning rate.
        alpha: α, what is left of the means after each step.
        eps: ε.
        weight_decay: λ of coupled decay.
        momentum: μ.
        centered: whether to divide by the root of the variance.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State:
        ``step``: t, ``square_avg``: v, ``grad_avg``: ḡ if centred, ``momentum_buffer``: b with
        momentum.

    Source:
        Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6e (2012); Graves,
        arXiv 1308.0850, equations 38 to 41 (centred);
        https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
    """

    def __init__(
        self,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(options, groups)

    def check(self, options: Options) -> None:
        names = ("lr", "eps", "momentum", "weight_decay", "alpha")
        require_at_least_zero(self.name, options, *names)

    def fresh(self, p: Array, o: Any) -> Params:
        held = {"step": self.scalar(p, 0), "square_avg": np.zeros_like(p)}
        if o.momentum > 0:
            held["momentum_buffer"] = np.zeros_like(p)
        if o.centered:
            held["grad_avg"] = np.zeros_like(p)
        return held

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        _, step = self.count(held)
        v = o.alpha * held["square_avg"] + (1 - o.alpha) * g * g
        after = held | {"step": step, "square_avg": v}
        if o.centered:
            mean = o.alpha * held["grad_avg"] + (1 - o.alpha) * g
            after["grad_avg"] = mean
            v = v - mean * mean
        along = g / (np.sqrt(v) + o.eps)
        if o.momentum > 0:
            along = o.momentum * held["momentum_buffer"] + along
            after["momentum_buffer"] = along
        return p - o.lr * along, after
