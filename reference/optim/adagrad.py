"""Adagrad: a learning rate for each entry, from the size of all its gradients so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.checks import require, require_at_least_zero
from reference.optim.groups import Options, assign
from reference.optim.optimizer import Optimizer, State
from reference.optim.precision import in_precision_of


class Adagrad(Optimizer):
    r"""Adagrad: divide each entry's gradient by the root of the sum of its squares.

    ::

        s ← s + g²,    p ← p − lrₜ · g / (√s + ε),    lrₜ = lr / (1 + (t − 1) η)

    An entry whose gradients are c times as large has a root c times as large, and makes the same
    steps: the scale of each entry drops out. A rare feature, whose gradient is mostly 0, keeps a
    small s and so learns fast when it does appear. As s only grows, steps shrink like 1/√t.

    ε stands outside the root. It keeps 0/0 from happening where there was no gradient yet. Inside,
    √(s + ε), it would matter for all |g| below √ε = 1e-5 rather than below ε = 1e-10.

    Args:
        lr: the learning rate.
        lr_decay: η, how fast the rate falls beside what s does; the first step has the full lr.
        weight_decay: λ of coupled decay.
        initial_accumulator_value: s before the first step, in all groups alike.
        eps: ε.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State, from the start as in PyTorch:
        ``step``: t, and ``sum``: s.

    Source:
        Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and Stochastic
        Optimization, JMLR 12 (2011), figure 1 with diagonal matrices;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
    """

    def __init__(
        self,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(options, groups)
        for group in self.groups:  # PyTorch ignores a group's own; silence would mislead
            own = group.options["initial_accumulator_value"]
            need = f"that of all groups, {initial_accumulator_value!r}"
            fits = own == initial_accumulator_value
            require(self.name, "initial_accumulator_value", own, fits, need)

    def check(self, options: Options) -> None:
        names = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        require_at_least_zero(self.name, options, *names)

    def init(self, params: Params) -> State:
        index = assign(self.name, self.groups, params)
        return {
            name: self.fresh(p, in_precision_of(p, self.groups[index[name]].options))
            for name, p in params.items()
        }

    def fresh(self, p: Array, o: Any) -> Params:
        return {
            "step": self.scalar(p, 0),
            "sum": np.zeros_like(p) + o.initial_accumulator_value,
        }

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        t, step = self.count(held)
        s = held["sum"] + g * g
        lr = o.lr / (1 + (t - 1) * o.lr_decay)
        return p - lr * g / (np.sqrt(s) + o.eps), {"step": step, "sum": s}
