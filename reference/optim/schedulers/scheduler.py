"""Schedules: the options of each group, step by step.

A schedule is stateless, as an optimizer is. It begins at a :class:`Position` and goes from one to
the next; what a position says is handed to the optimizer for that step::

    schedule = StepLR(optimizer, step_size=30)
    position = schedule.init()
    for batch in batches:
        params, state = optimizer.step(params, gradients(batch), state, position.changes)
        position = schedule.step(position)

The first step is made with count 0, and the schedule moves on *after* the step, as in PyTorch.
Whether a count is a batch or an epoch is a matter of when ``step`` is called.

Most schedules have a closed form, lr = f(count). PyTorch computes many by recurrence instead, the
next rate from the last, which keeps whatever else changed the rate in between. The two differ by
rounding, which adds up; here the recurrences are followed, and each docstring has
the closed form.

Source:
    https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from reference.optim.checks import require
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer

T = TypeVar("T")


@dataclass(frozen=True)
class Position:
    """Where in a schedule one is.

    Attributes:
        count: how many steps have been made.
        changes: for the next step, the options of each group that the schedule decides.
    """

    count: int
    changes: tuple[Options, ...]

    @property
    def lrs(self) -> list[float]:
        """The learning rate of each group."""
        return [change["lr"] for change in self.changes]


class Scheduler:
    """A schedule: ``position = init()``, then ``position = step(position)``.

    A schedule of learning rates alone defines :meth:`next_lr`, and :meth:`first_lr` if it does not
    begin with the optimizer's own rate.

    Args:
        optimizer: whose groups and learning rates it starts from. It is not changed.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.name = type(self).__name__
        self.groups = optimizer.groups
        self.base_lrs: list[float] = [group.options["lr"] for group in optimizer.groups]

    def init(self) -> Position:
        """The position before the first step."""
        return Position(0, tuple(self.first(group) for group in range(len(self.groups))))

    def step(self, position: Position) -> Position:
        """The position one step later."""
        count = position.count + 1
        changes = (self.next(count, group, last) for group, last in enumerate(position.changes))
        return Position(count, tuple(changes))

    def first(self, group: int) -> Options:
        """What the schedule decides of a group's options at count 0."""
        return {"lr": self.first_lr(group)}

    def next(self, count: int, group: int, last: Mapping[str, Any]) -> Options:
        """What it decides at ``count``, given what it did one step earlier."""
        return {"lr": self.next_lr(count, group, last["lr"])}

    def first_lr(self, group: int) -> float:
        """The learning rate of a group at count 0."""
        return self.base_lrs[group]

    def next_lr(self, count: int, group: int, lr: float) -> float:
        """The learning rate of a group at ``count``, given the one before."""
        raise NotImplementedError


def per_group(owner: str, name: str, value: T | list[T] | tuple[T, ...], groups: int) -> list[T]:
    """An option for each group, from a list of them or one for all.

    Raises:
        ValueError: the list is not as long as there are groups.
    """
    if not isinstance(value, list | tuple):
        return [value] * groups
    require(owner, name, value, len(value) == groups, f"one for each of {groups} groups")
    return list(value)
