"""Schedules that let the learning rate fall, in steps or steadily, or by any function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from reference.optim.checks import require
from reference.optim.optimizer import Optimizer
from reference.optim.schedulers.scheduler import Scheduler, per_group


class StepLR(Scheduler):
    """Every ``step_size`` counts the rate falls by a factor: ``lr = base · γ^⌊t / step_size⌋``.

    Args:
        optimizer: whose learning rates it starts from.
        step_size: counts from one fall to the next.
        gamma: γ.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        super().__init__(optimizer)
        require(self.name, "step_size", step_size, step_size > 0, "at least 1")
        self.step_size = step_size
        self.gamma = gamma

    def next_lr(self, count: int, group: int, lr: float) -> float:
        return lr * self.gamma if count % self.step_size == 0 else lr


class MultiStepLR(Scheduler):
    """At each milestone the rate falls by a factor: ``lr = base · γ^(milestones ≤ t)``.

    Args:
        optimizer: whose learning rates it starts from.
        milestones: the counts at which it falls; one that is there twice counts twice, and
            0 counts at once: the first rate is then base · γ.
        gamma: γ.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        super().__init__(optimizer)
        self.milestones = Counter(milestones)
        self.gamma = gamma

    def first_lr(self, group: int) -> float:
        return self.next_lr(0, group, self.base_lrs[group])

    def next_lr(self, count: int, group: int, lr: float) -> float:
        return lr * self.gamma ** self.milestones[count] if count in self.milestones else lr


class ExponentialLR(Scheduler):
    """At each count the rate falls by a factor: ``lr = base · γ^t``.

    Args:
        optimizer: whose learning rates it starts from.
        gamma: γ.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        super().__init__(optimizer)
        self.gamma = gamma

    def next_lr(self, count: int, group: int, lr: float) -> float:
        return lr * self.gamma


class LinearLR(Scheduler):
    """The rate goes along a straight line from one factor to another, then stays: a warm-up.

    ::

        lr = base · (a + (b − a) · min(t, T) / T)

    The recurrence multiplies by the ratio of two neighbours on the line::

        (a T + t (b − a)) / (a T + (t − 1)(b − a)) = 1 + (b − a) / (a T + (t − 1)(b − a))

    Args:
        optimizer: whose learning rates it starts from.
        start_factor: a, at count 0; above 0, since the recurrence cannot leave 0.
        end_factor: b, from count T on.
        total_iters: T.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        super().__init__(optimizer)
        fits = 0 < start_factor <= 1
        require(self.name, "start_factor", start_factor, fits, "above 0 and at most 1")
        require(self.name, "end_factor", end_factor, 0 <= end_factor <= 1, "between 0 and 1")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters

    def first_lr(self, group: int) -> float:
        return self.base_lrs[group] * self.start_factor

    def next_lr(self, count: int, group: int, lr: float) -> float:
        if count > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (count - 1) * rise
        return lr * (1.0 + rise / before)


class PolynomialLR(Scheduler):
    """The rate falls to 0 along a power: ``lr = base · (1 − min(t, T) / T)^power``.

    The recurrence multiplies by the ratio of two neighbours.

    Args:
        optimizer: whose learning rates it starts from.
        total_iters: T, the count from which the rate is 0.
        power: 1 for a straight line.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0) -> None:
        super().__init__(optimizer)
        self.total_iters = total_iters
        self.power = power

    def next_lr(self, count: int, group: int, lr: float) -> float:
        if count > self.total_iters:
            return lr
        now, before = 1.0 - count / self.total_iters, 1.0 - (count - 1) / self.total_iters
        factor: float = (now / before) ** self.power
        return lr * factor


class LambdaLR(Scheduler):
    """Any function of the count: ``lr = base · f(t)``.

    Args:
        optimizer: whose learning rates it starts from.
        lr_lambda: f, or one for each group.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
    ) -> None:
        super().__init__(optimizer)
        self.lr_lambdas = per_group(self.name, "lr_lambda", lr_lambda, len(self.groups))

    def first_lr(self, group: int) -> float:
        return self.next_lr(0, group, self.base_lrs[group])

    def next_lr(self, count: int, group: int, lr: float) -> float:
        factor: float = self.lr_lambdas[group](count)
        return self.base_lrs[group] * factor
