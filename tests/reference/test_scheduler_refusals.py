"""What schedules refuse, and how they say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import reference
from reference import (
    SGD,
    Adagrad,
    CosineAnnealingLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from tests.reference.test_schedulers import sequence, wavy

PLAIN = SGD(0.1)
REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: StepLR(PLAIN, 0), "StepLR: step_size is 0, but should be at least 1"),
    (
        lambda: LinearLR(PLAIN, start_factor=0.0),
        "LinearLR: start_factor is 0.0, but should be",
    ),
    (lambda: LinearLR(PLAIN, start_factor=1.5), "LinearLR: start_factor is 1.5"),
    (lambda: LinearLR(PLAIN, end_factor=1.5), "LinearLR: end_factor is 1.5"),
    (lambda: CosineAnnealingLR(PLAIN, 0), "CosineAnnealingLR: T_max is 0"),
    (lambda: reference.CosineAnnealingWarmRestarts(PLAIN, 0), "Restarts: T_0 is 0"),
    (lambda: reference.CosineAnnealingWarmRestarts(PLAIN, 1, 0), "Restarts: T_mult is 0"),
    (
        lambda: reference.LambdaLR(PLAIN, [wavy, wavy]),
        "LambdaLR: lr_lambda is .* one for each",
    ),
    (lambda: ReduceLROnPlateau(PLAIN, "least"), "Plateau: mode is 'least'"),
    (lambda: ReduceLROnPlateau(PLAIN, threshold_mode="x"), "Plateau: threshold_mode is 'x'"),
    (lambda: ReduceLROnPlateau(PLAIN, factor=1.0), "Plateau: factor is 1.0, but should be below 1"),
    (lambda: ReduceLROnPlateau(PLAIN, min_lr=[0.1, 0.2]), r"Plateau: min_lr is \[0.1, 0.2\]"),
    (lambda: OneCycleLR(PLAIN, 0.1), "OneCycleLR: epochs and steps_per_epoch is"),
    (
        lambda: OneCycleLR(PLAIN, 0.1, epochs=3),
        r"steps_per_epoch is \(3, None\), but should be both given, or total_steps",
    ),
    (lambda: OneCycleLR(PLAIN, 0.1, 0), "OneCycleLR: the number of steps is 0"),
    (lambda: OneCycleLR(PLAIN, 0.1, None, -3, -3), "OneCycleLR: the number of steps"),
    (lambda: OneCycleLR(PLAIN, 0.1, None, 0, 5), "OneCycleLR: the number of steps is 0"),
    (lambda: OneCycleLR(PLAIN, 0.1, None, 5, 0), "OneCycleLR: the number of steps is 0"),
    (lambda: OneCycleLR(PLAIN, 0.1, 9, max_momentum=[0.9] * 2), "OneCycleLR: max_momentum is"),
    (lambda: OneCycleLR(PLAIN, 0.1, 9, base_momentum=[0.8] * 2), "OneCycleLR: base_momentum is"),
    (lambda: OneCycleLR(PLAIN, 0.1, 9, pct_start=1.5), "OneCycleLR: pct_start is 1.5"),
    (lambda: OneCycleLR(PLAIN, 0.1, 9, anneal_strategy="x"), "OneCycleLR: anneal_strategy is 'x'"),
    (lambda: OneCycleLR(PLAIN, [0.1, 0.2], 9), r"OneCycleLR: max_lr is \[0.1, 0.2\]"),
    (lambda: OneCycleLR(Adagrad(0.1), 0.1, 9), "OneCycleLR: optimizer is .* momentum or betas"),
    (lambda: list(sequence(OneCycleLR(PLAIN, 0.1, 9))), "OneCycleLR: the count is 10"),
    (lambda: OneCycleLR(PLAIN, 0.1, 10, pct_start=0.1).init(), "OneCycleLR: pct_start is 0.1"),
    (lambda: SequentialLR(PLAIN, [], []), "SequentialLR: milestones is"),
    (lambda: SequentialLR(PLAIN, [StepLR(PLAIN, 3)], [3]), "SequentialLR: milestones is"),
    (
        lambda: SequentialLR(PLAIN, [StepLR(SGD(0.1), 3)], []),
        "SequentialLR: a scheduler is",
    ),
    (lambda: SequentialLR(PLAIN, [StepLR(PLAIN, 3)] * 3, [9, 3]), "SequentialLR: milestones is"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_refuses_what_makes_no_sense(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_refuses_a_plateau_within_a_sequence() -> None:
    plateau: Any = ReduceLROnPlateau(PLAIN)
    with pytest.raises(ValueError, match="a scheduler is 'ReduceLROnPlateau'"):
        SequentialLR(PLAIN, [plateau], [])
