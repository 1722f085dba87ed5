"""A schedule that waits: the rate falls when something no longer improves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reference.optim.checks import require
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer
from reference.optim.schedulers.scheduler import Position, per_group


@dataclass(frozen=True)
class Plateau(Position):
    """Where one is, and what has been seen on the way.

    Attributes:
        best: the best metric so far.
        bad: counts since it was last improved, those of a cooldown not included.
        cooldown: counts in which a metric that does not improve is ignored.
    """

    best: float
    bad: int = 0
    cooldown: int = 0


class ReduceLROnPlateau:
    """After ``patience`` counts without improvement, the next one lowers the rate by a factor.

    A metric is better if it is below the best by the threshold: ``best · (1 − threshold)``, or
    ``best − threshold``; above, ``best · (1 + threshold)`` or ``best + threshold``, if it is to be
    maximised. (A negative best is thus "improved" relatively by what is worse: use ``abs``.) NaN is
    never better.

    Args:
        optimizer: whose learning rates it starts from.
        mode: ``min`` or ``max``, what is good.
        factor: of the rate, below 1.
        patience: how many counts without improvement are forgiven.
        threshold: the least that counts as improvement.
        threshold_mode: ``rel`` or ``abs``.
        cooldown: counts to wait after the rate has been lowered.
        min_lr: the lowest rate, or one for each group.
        eps: the rate stays if it would fall by no more than this.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        self.name = type(self).__name__
        require(self.name, "mode", mode, mode in ("min", "max"), "'min' or 'max'")
        fits = threshold_mode in ("rel", "abs")
        require(self.name, "threshold_mode", threshold_mode, fits, "'rel' or 'abs'")
        require(self.name, "factor", factor, factor < 1, "below 1")
        self.base_lrs: list[float] = [group.options["lr"] for group in optimizer.groups]
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lrs = per_group(self.name, "min_lr", min_lr, len(self.base_lrs))
        self.eps = eps

    def init(self) -> Plateau:
        """The position before the first step, with the worst of all metrics for the best."""
        worst = math.inf if self.mode == "min" else -math.inf
        return Plateau(0, tuple({"lr": lr} for lr in self.base_lrs), worst)

    def step(self, position: Plateau, metric: float) -> Plateau:
        """The position one step later.

        Args:
            position: where one was.
            metric: what the step achieved.
        """
        better = self._is_better(metric, position.best)
        best = metric if better else position.best
        bad = 0 if better or position.cooldown > 0 else position.bad + 1
        cooldown = max(position.cooldown - 1, 0)
        changes = position.changes
        if bad > self.patience:
            changes = tuple(self._lowered(group, last["lr"]) for group, last in enumerate(changes))
            bad, cooldown = 0, self.cooldown
        return Plateau(position.count + 1, changes, best, bad, cooldown)

    def _lowered(self, group: int, lr: float) -> Options:
        lower = max(lr * self.factor, self.min_lrs[group])
        return {"lr": lower if lr - lower > self.eps else lr}

    def _is_better(self, metric: float, best: float) -> bool:
        sign = -1.0 if self.mode == "min" else 1.0
        margin = sign * self.threshold
        limit = best * (1.0 + margin) if self.threshold_mode == "rel" else best + margin
        return metric < limit if self.mode == "min" else metric > limit
