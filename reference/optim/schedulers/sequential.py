"""Schedules one after the other, such as a warm-up and then a cosine."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from reference.optim.checks import require
from reference.optim.optimizer import Optimizer
from reference.optim.schedulers.scheduler import Position, Scheduler


@dataclass(frozen=True)
class Stage(Position):
    """Where in a sequence one is.

    Attributes:
        schedule: which schedule it is.
        within: where in that schedule one is.
    """

    schedule: int
    within: Position


class SequentialLR(Scheduler):
    """One schedule after the other; each begins anew, at its own count 0, at its milestone.

    Every schedule starts from the optimizer's learning rates, not from where the one before ended.
    Warm-up, then cosine::

        warmup = LinearLR(optimizer, start_factor=0.01, total_iters=100)
        cosine = CosineAnnealingLR(optimizer, T_max=900)
        schedule = SequentialLR(optimizer, [warmup, cosine], milestones=[100])

    Args:
        optimizer: whose learning rates it starts from.
        schedulers: the schedules, in order; none that needs a metric.
        milestones: the counts at which the second begins, the third, and so on.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Scheduler], milestones: Sequence[int]
    ) -> None:
        super().__init__(optimizer)
        for scheduler in schedulers:
            fits = isinstance(scheduler, Scheduler)
            need = "one that needs no metric"
            require(self.name, "a scheduler", type(scheduler).__name__, fits, need)
            fits = scheduler.groups is optimizer.groups
            require(self.name, "a scheduler", scheduler.name, fits, "one of the same optimizer")
        need = f"one fewer than the {len(schedulers)} schedulers"
        fits = len(schedulers) > 0 and len(milestones) == len(schedulers) - 1
        require(self.name, "milestones", list(milestones), fits, need)
        need = "in ascending order"
        require(
            self.name, "milestones", list(milestones), sorted(milestones) == [*milestones], need
        )
        self.schedulers = list(schedulers)
        self.milestones = list(milestones)

    def init(self) -> Stage:
        return self._stage(0)

    def step(self, position: Position) -> Stage:
        count = position.count + 1
        if not isinstance(position, Stage) or count in self.milestones:
            return self._stage(count)
        within = self.schedulers[position.schedule].step(position.within)
        return Stage(count, within.changes, position.schedule, within)

    def _stage(self, count: int) -> Stage:
        """The beginning of the schedule whose turn it is at ``count``."""
        schedule = bisect_right(self.milestones, count)
        within = self.schedulers[schedule].init()
        return Stage(count, within.changes, schedule, within)
