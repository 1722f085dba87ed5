"""What a case's training consists of, where that depends on how long it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from compare.cases import datasets
from compare.cases.case import Case


@dataclass(frozen=True)
class Plan:
    """The schedules of a training, step by step.

    Attributes:
        schedules: name and options of each, one after the other.
        milestones: the counts of steps at which the second begins, the third, and so on.
    """

    schedules: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    milestones: list[int] = field(default_factory=list)


def plan(case: Case) -> Plan:
    """The case's schedules for as many steps as its epochs have, each phase at least one of them.

    Raises:
        CannotCompare: the package that ships the data is not installed.
    """
    if not case.phases:
        return Plan()
    ends, share = [0], 0.0
    for phase in case.phases:
        share += phase.share
        ends.append(max(ends[-1] + 1, round(share * steps(case))))
    schedules = [
        (phase.schedule, {**phase.options, phase.span: end - start})
        for phase, start, end in zip(case.phases, ends, ends[1:], strict=False)
    ]
    return Plan(schedules, ends[1:-1])


def steps(case: Case) -> int:
    """How many steps the training has."""
    samples = len(datasets.DATASETS[case.data]().inputs)
    return case.epochs * math.ceil(samples / min(case.batch_size or samples, samples))
