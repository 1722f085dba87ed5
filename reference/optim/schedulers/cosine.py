"""Schedules along a cosine."""

from __future__ import annotations

import math

from reference.optim.checks import require
from reference.optim.optimizer import Optimizer
from reference.optim.schedulers.scheduler import Scheduler


class CosineAnnealingLR(Scheduler):
    r"""The rate falls from its base to ``eta_min`` along half a cosine, and rises again.

    ::

        lr = η + (base − η) · (1 + cos(π t / T)) / 2

    Flat at both ends: long at a high rate, then long at a low one. The recurrence multiplies what
    is above η by the ratio of two neighbours,

        lr ← η + (lr − η) · (1 + cos(π t / T)) / (1 + cos(π (t − 1) / T)) ,

    which is 0/0 one count after each minimum (t − 1 an odd multiple of T). There lr = η, and
    the closed form gives the step up: (base − η)(1 − cos(π / T)) / 2, since cos(π + x) = −cos x.

    Args:
        optimizer: whose learning rates it starts from.
        T_max: T, the count of the first minimum.
        eta_min: η, the lowest rate.

    Source:
        Loshchilov and Hutter, SGDR, arXiv 1608.03983, equation 5;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 (PyTorch's name)
        eta_min: float = 0.0,
    ) -> None:
        super().__init__(optimizer)
        require(self.name, "T_max", T_max, T_max > 0, "at least 1")
        self.T_max = T_max
        self.eta_min = eta_min

    def next_lr(self, count: int, group: int, lr: float) -> float:
        if (count - 1 - self.T_max) % (2 * self.T_max) == 0:
            height = self.base_lrs[group] - self.eta_min
            return lr + height * (1 - math.cos(math.pi / self.T_max)) / 2
        now = 1 + math.cos(math.pi * count / self.T_max)
        before = 1 + math.cos(math.pi * (count - 1) / self.T_max)
        return now / before * (lr - self.eta_min) + self.eta_min


class CosineAnnealingWarmRestarts(Scheduler):
    r"""The rate falls along half a cosine, jumps back to its base and falls again.

    Each fall takes T_mult times as long as the one before it.

    ::

        lr = η + (base − η) · (1 + cos(π s / S)) / 2

    with S the length of the present fall (T₀, then T₀ T_mult, T₀ T_mult², …) and s the counts since
    it began. It never reaches η: s goes up to S − 1.

    Args:
        optimizer: whose learning rates it starts from.
        T_0: the length of the first fall.
        T_mult: by how much each fall is longer than the one before.
        eta_min: η.

    Source:
        Loshchilov and Hutter, SGDR, arXiv 1608.03983, equation 5;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803 (PyTorch's name)
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
    ) -> None:
        super().__init__(optimizer)
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            fits = isinstance(value, int) and value >= 1
            require(self.name, name, value, fits, "a whole number of at least 1")
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min

    def first_lr(self, group: int) -> float:
        return self.next_lr(0, group, self.base_lrs[group])

    def next_lr(self, count: int, group: int, lr: float) -> float:
        since, length = self._fall(count)
        height = self.base_lrs[group] - self.eta_min
        return self.eta_min + height * (1 + math.cos(math.pi * since / length)) / 2

    def _fall(self, count: int) -> tuple[int, int]:
        """Counts since the present fall began, and its length."""
        since, length = count, self.T_0
        while since >= length:
            since -= length
            length *= self.T_mult
        return since, length
