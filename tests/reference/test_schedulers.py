"""Every schedule beside its twin in ``torch.optim.lr_scheduler``, two hundred steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import reference
from reference import (
    SGD,
    Adam,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    OneCycleLR,
    Optimizer,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from reference.optim import Position, Scheduler
from tests.support.optimizer_checks import Options
from torch_impl import eager_optimizers

STEPS = 200
RTOL = 1e-15
GROUPS: list[Options] = [{"params": ["a"], "lr": 0.3}, {"params": ["b"]}, {"lr": 1e-3}]
ONE: list[Options] = [{}]
COUNTS = {"one group": ONE, "three groups": GROUPS}


def pair(
    name: str, groups: list[Options], **options: Any
) -> tuple[Optimizer, torch.optim.Optimizer]:
    """The same optimizer on both sides, with a tensor for each group."""
    ours: Optimizer = getattr(reference, name)(lr=0.7, groups=groups, **options)
    theirs = [dict(group) | {"params": [torch.nn.Parameter(torch.ones(1))]} for group in groups]
    with eager_optimizers():
        twin = getattr(torch.optim, name)(theirs, lr=0.7, **options)
    assert isinstance(twin, torch.optim.Optimizer)
    return ours, twin


def sequence(schedule: Scheduler, steps: int = STEPS) -> Iterator[Position]:
    position = schedule.init()
    yield position
    for _ in range(steps - 1):
        position = schedule.step(position)
        yield position


def side_by_side(
    schedule: Scheduler, twin: torch.optim.Optimizer, theirs: Any
) -> Iterator[tuple[int, Position, list[float]]]:
    """At each count the reference's position and the learning rates of PyTorch's groups."""
    with eager_optimizers():
        for t, position in enumerate(sequence(schedule)):
            if t > 0:
                twin.step()
                theirs.step()
            yield t, position, [group["lr"] for group in twin.param_groups]


def assert_same(actual: Any, expected: Any, t: int) -> None:
    """Make sure that two rates, or what else is scheduled, are the same to 1e-15."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    error, allowed = np.abs(actual - expected), RTOL * np.abs(expected)
    assert (error <= allowed).all(), f"count {t}: is {actual}, but should be {expected}"


def check(schedule: Scheduler, twin: torch.optim.Optimizer, theirs: Any) -> None:
    """Compare two hundred counts."""
    for t, position, expected in side_by_side(schedule, twin, theirs):
        assert position.count == t
        assert_same(position.lrs, expected, t)


def wavy(t: int) -> float:
    return 1.5 + math.sin(t)


SCHEDULES: list[tuple[str, Options]] = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.97}),
    ("MultiStepLR", {"milestones": [3, 50, 50, 120], "gamma": 0.3}),
    ("MultiStepLR", {"milestones": [0, 10]}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("ExponentialLR", {"gamma": 1.01}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "total_iters": 150}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 77}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 13, "eta_min": 1e-4}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7, "T_mult": 2, "eta_min": 1e-4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 150, "power": 2.5}),
    ("LambdaLR", {"lr_lambda": wavy}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": STEPS, "cycle_momentum": False}),
]


@pytest.mark.parametrize("groups", COUNTS)
@pytest.mark.parametrize(("name", "options"), SCHEDULES)
def test_agrees_with_torch(name: str, options: Options, groups: str) -> None:
    ours, twin = pair("SGD", COUNTS[groups])
    schedule = getattr(reference, name)(ours, **options)
    their_schedule = getattr(torch.optim.lr_scheduler, name)(twin, **options)
    check(schedule, twin, their_schedule)


def test_a_function_for_each_group() -> None:
    ours, twin = pair("SGD", GROUPS)
    functions: list[Callable[[int], float]] = [wavy, lambda t: 0.95**t, lambda t: t // 30]
    schedule = reference.LambdaLR(ours, functions)
    their_schedule = torch.optim.lr_scheduler.LambdaLR(twin, functions)
    check(schedule, twin, their_schedule)


CYCLES: list[Options] = [
    {"max_lr": 0.5, "total_steps": STEPS},
    {"max_lr": 0.5, "epochs": 20, "steps_per_epoch": 10, "three_phase": True},
    {"max_lr": 0.5, "total_steps": STEPS, "anneal_strategy": "linear", "pct_start": 0.45},
    {"max_lr": 0.5, "total_steps": STEPS, "three_phase": True, "anneal_strategy": "linear"},
    {"max_lr": 0.5, "total_steps": STEPS, "pct_start": 0.0},
    {"max_lr": 0.5, "total_steps": STEPS, "pct_start": 1.0},
    {"max_lr": [0.5, 0.2, 3.0], "total_steps": STEPS + 30, "div_factor": 10.0,
     "final_div_factor": 50.0, "base_momentum": [0.8, 0.7, 0.6], "max_momentum": 0.9},
]  # fmt: skip


@pytest.mark.parametrize("options", CYCLES)
@pytest.mark.parametrize(("name", "key"), [("SGD", "momentum"), ("Adam", "betas")])
def test_one_cycle_agrees_with_torch_in_momentum_too(name: str, key: str, options: Options) -> None:
    own = {"momentum": 0.9} if name == "SGD" else {}
    ours, twin = pair(name, GROUPS, **own)
    schedule = OneCycleLR(ours, **options)
    their_schedule = torch.optim.lr_scheduler.OneCycleLR(twin, **options)
    for t, position, expected in side_by_side(schedule, twin, their_schedule):
        assert_same(position.lrs, expected, t)
        held = [group[key] for group in twin.param_groups]
        assert_same([change[key] for change in position.changes], held, t)


@pytest.mark.parametrize("total", [1, 2, 9])
def test_a_cycle_ends_where_that_of_torch_does(total: int) -> None:
    ours, twin = pair("SGD", ONE, momentum=0.9)
    schedule = OneCycleLR(ours, 0.5, total, pct_start=0.7)
    with eager_optimizers():
        theirs = torch.optim.lr_scheduler.OneCycleLR(twin, 0.5, total, pct_start=0.7)
        twin.step()
        position = schedule.init()
        for t in range(total):
            assert_same(position.lrs, [group["lr"] for group in twin.param_groups], t)
            position = schedule.step(position)
            theirs.step()
        assert_same(position.lrs, [group["lr"] for group in twin.param_groups], total)
        with pytest.raises(ValueError, match="Tried to step"):
            theirs.step()
    with pytest.raises(ValueError, match=f"the count is {total + 1}, but should be at most"):
        schedule.step(position)


METRICS = {
    "noisy": [math.exp(-t / 20) + 0.05 * math.sin(37.0 * t) for t in range(STEPS)],
    "flat": [1.0] * STEPS,
    "rising": [float(t) for t in range(STEPS)],
    "nan": [float("nan") if t % 3 else 1.0 / (t + 1) for t in range(STEPS)],
    "negative": [-1.0 - t % 5 for t in range(STEPS)],
}
PLATEAUS: list[Options] = [
    {},
    {"mode": "max", "patience": 3, "factor": 0.5, "min_lr": [0.01, 0.02, 1e-4]},
    {"patience": 2, "cooldown": 4, "threshold": 0.1, "threshold_mode": "abs", "factor": 0.8},
    {"mode": "max", "patience": 0, "threshold": 0.1, "threshold_mode": "abs", "eps": 1e-3},
    {"patience": 1, "cooldown": 1, "threshold": 0.2, "min_lr": 0.05, "factor": 0.9},
    {"patience": 0, "factor": 0.5, "eps": 0.15},  # exactly what the rate of 0.3 would fall by
]


@pytest.mark.parametrize("metrics", METRICS)
@pytest.mark.parametrize("options", PLATEAUS)
def test_plateau_agrees_with_torch(options: Options, metrics: str) -> None:
    ours, twin = pair("SGD", GROUPS)
    schedule = ReduceLROnPlateau(ours, **options)
    their_schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(twin, **options)
    position = schedule.init()
    for t, metric in enumerate(METRICS[metrics]):
        assert position.count == t
        assert_same(position.lrs, [group["lr"] for group in twin.param_groups], t)
        position = schedule.step(position, metric)
        their_schedule.step(metric)
        assert (position.bad, position.cooldown) == (
            their_schedule.num_bad_epochs,
            their_schedule.cooldown_counter,
        )


def test_plateaus_are_reached_in_the_test_above() -> None:
    for options in PLATEAUS:
        schedule = ReduceLROnPlateau(SGD(0.7, groups=GROUPS), **options)
        position = schedule.init()
        for metric in METRICS["flat"]:
            position = schedule.step(position, metric)
        assert position.lrs != schedule.base_lrs


SEQUENCES: list[tuple[list[tuple[str, Options]], list[int]]] = [
    ([("LinearLR", {"start_factor": 0.01, "total_iters": 20}),
      ("CosineAnnealingLR", {"T_max": 180, "eta_min": 1e-5})], [20]),
    ([("LinearLR", {"start_factor": 0.1, "total_iters": 10}),
      ("CosineAnnealingWarmRestarts", {"T_0": 30, "T_mult": 2})], [12]),
    ([("ExponentialLR", {"gamma": 0.9}), ("StepLR", {"step_size": 5}),
      ("PolynomialLR", {"total_iters": 40, "power": 2.0})], [30, 60]),
    ([("LambdaLR", {"lr_lambda": wavy}), ("MultiStepLR", {"milestones": [5, 9]}),
      ("LinearLR", {"start_factor": 0.5})], [3, 100]),
    ([("LinearLR", {"start_factor": 0.5}), ("ExponentialLR", {"gamma": 0.9})], [0]),
    ([("ExponentialLR", {"gamma": 0.9})], []),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "milestones"), SEQUENCES)
def test_sequences_agree_with_torch(
    parts: list[tuple[str, Options]], milestones: list[int]
) -> None:
    ours, twin = pair("SGD", GROUPS)
    schedule = SequentialLR(
        ours, [getattr(reference, name)(ours, **options) for name, options in parts], milestones
    )
    lr_scheduler = torch.optim.lr_scheduler
    theirs = [getattr(lr_scheduler, name)(twin, **options) for name, options in parts]
    their_schedule = lr_scheduler.SequentialLR(twin, theirs, milestones)
    check(schedule, twin, their_schedule)


CLOSED: list[tuple[str, Options, Callable[[int], float]]] = [
    ("StepLR", {"step_size": 7, "gamma": 0.5}, lambda t: 0.5 ** (t // 7)),
    ("MultiStepLR", {"milestones": [3, 50, 50], "gamma": 0.3},
     lambda t: 0.3 ** ((t >= 3) + 2 * (t >= 50))),
    ("ExponentialLR", {"gamma": 0.97}, lambda t: 0.97**t),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.7, "total_iters": 150},
     lambda t: 0.01 + 0.69 * min(t, 150) / 150),
    ("CosineAnnealingLR", {"T_max": 13}, lambda t: math.cos(math.pi * t / 26) ** 2),
    ("CosineAnnealingWarmRestarts", {"T_0": 13},
     lambda t: math.cos(math.pi * (t % 13) / 26) ** 2),
    ("PolynomialLR", {"total_iters": 150, "power": 2.0}, lambda t: max(1 - t / 150, 0) ** 2),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 200, "div_factor": 10.0, "pct_start": 0.505,
                    "final_div_factor": 10.0, "anneal_strategy": "linear"},
     lambda t: 0.1 + 0.9 * t / 100 if t <= 100 else 1 - 0.99 * (t - 100) / 99),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "formula"), CLOSED)
def test_closed_form(name: str, options: Options, formula: Callable[[int], float]) -> None:
    """Written out anew, without PyTorch: recurrences drift from it by rounding alone."""
    schedule = getattr(reference, name)(SGD(0.7, momentum=0.5), **options)
    for t, position in enumerate(sequence(schedule)):
        assert abs(position.lrs[0] - 0.7 * formula(t)) <= 1e-12


def test_warm_up_then_cosine_rises_and_falls() -> None:
    optimizer = Adam(1e-3)
    warmup = LinearLR(optimizer, start_factor=0.01, total_iters=10)
    cosine = CosineAnnealingLR(optimizer, T_max=90)
    positions = sequence(SequentialLR(optimizer, [warmup, cosine], [10]), 101)
    rates = [position.lrs[0] for position in positions]
    assert np.diff(rates[:11]).min() > 0 > np.diff(rates[10:]).max()
    np.testing.assert_allclose([rates[0], rates[10]], [1e-5, 1e-3], rtol=1e-15)
    assert 0 <= rates[100] < 1e-18


def test_a_schedule_leaves_the_optimizer_alone_and_steers_its_steps() -> None:
    optimizer = SGD(0.5, momentum=0.9)
    schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=10, div_factor=4.0)
    position = schedule.init()
    params, state = optimizer.step({"p": np.ones(1)}, {"p": np.ones(1)}, {}, position.changes)
    assert params["p"] == 0.75
    assert optimizer.groups[0].options["lr"] == 0.5
    again, _ = optimizer.step({"p": np.ones(1)}, {"p": np.ones(1)}, {})
    assert again["p"] == 0.5
    assert schedule.step(position) == schedule.step(position)
    assert state["p"]["momentum_buffer"] == 1.0


class SteppedBefore(StepLR):
    """The schedule moved on before the update."""

    def init(self) -> Position:
        return Position(0, self.step(super().init()).changes)


class AheadByOne(StepLR):
    def next_lr(self, count: int, group: int, lr: float) -> float:
        return super().next_lr(count + 1, group, lr)


class FromTheSquare(ExponentialLR):
    """γ^t on the rate of the step before, not on the first."""

    def next_lr(self, count: int, group: int, lr: float) -> float:
        return float(lr * self.gamma**count)


@pytest.mark.parametrize(
    ("faulty", "name", "options"),
    [
        (SteppedBefore, "StepLR", {"step_size": 1, "gamma": 0.97}),
        (AheadByOne, "StepLR", {"step_size": 7}),
        (FromTheSquare, "ExponentialLR", {"gamma": 0.999}),
    ],
)
def test_comparison_fails_on_faults(
    faulty: Callable[..., Scheduler], name: str, options: Options
) -> None:
    ours, twin = pair("SGD", ONE)
    their_schedule = getattr(torch.optim.lr_scheduler, name)(twin, **options)
    with pytest.raises(AssertionError, match=r"count .* is .* but should be"):
        check(faulty(ours, **options), twin, their_schedule)
