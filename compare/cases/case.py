"""What a case is: everything that determines a comparison, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: How each loss makes one number of its terms.
LOSSES = {"CrossEntropyLoss": "mean", "HalfSquaredErrorLoss": "sum", "MSELoss": "mean"}


@dataclass(frozen=True)
class Phase:
    """A part of the training in which one schedule decides the learning rate, step by step.

    Attributes:
        schedule: name of the schedule, the same on both sides.
        share: of all steps of the training, so that it follows where ``epochs`` is changed.
        span: the schedule's option that takes the number of its steps.
        options: the schedule's other options.
    """

    schedule: str
    share: float
    span: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Everything that determines a comparison.

    Attributes:
        name: what the case is called.
        summary: one line for the list of cases.
        network: name of the network's class, the same in ``reference`` and ``torch_impl``.
        arguments: the constructor arguments of that class.
        loss: name of the loss, the same on both sides.
        lr: learning rate.
        data: name of the data set, see :mod:`compare.cases.datasets`.
        goal: when the task counts as learned, see :mod:`compare.cases.goals`.
        epochs: passes over the data.
        batch_size: samples per step; None is all of them.
        dtype: of all arithmetic on both sides.
        seed: of the first weights, of the order of the samples and of dropout.
        init: how the first weights are drawn, see :mod:`reference.support.init`.
        optimizer: name of the update rule, the same on both sides.
        options: of the update rule, beside the learning rate.
        groups: parameters with options of their own; one without ``params`` has all others.
        phases: the learning rate's schedules, one after the other; none keeps it as it is.
        max_norm: to which all gradients together are clipped; None does not.
        clip_value: to which each entry of a gradient is clipped; None does not.
    """

    name: str
    summary: str
    network: str
    loss: str
    lr: float
    data: str
    goal: str
    epochs: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int | None = None
    dtype: str = "float64"
    seed: int = 0
    init: str = "default"
    optimizer: str = "SGD"
    options: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[Mapping[str, Any], ...] = ()
    phases: tuple[Phase, ...] = ()
    max_norm: float | None = None
    clip_value: float | None = None
