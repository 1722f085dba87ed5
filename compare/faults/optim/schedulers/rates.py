"""Faults of learning rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from compare.faults.changes.methods import around, instead
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults

BY_COUNT = (
    "StepLR", "MultiStepLR", "ExponentialLR", "LinearLR", "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts", "PolynomialLR", "LambdaLR", "OneCycleLR",
)  # fmt: skip


def _frozen(right: Method, self: Any, position: Any, *metric: float) -> Any:
    return replace(right(self, position, *metric), changes=position.changes)


def _seldom(right: Method, self: Any, position: Any) -> Any:
    """One count for every third step."""
    waited = vars(self)["_waited"] = vars(self).get("_waited", 0) + 1
    return position if waited % 3 else right(self, position)


def _late(right: Method, self: Any, position: Any) -> Any:
    """Every count but the first has the options of the one before."""
    held = vars(self).setdefault("_held", position)
    vars(self)["_held"] = right(self, held)
    return replace(held, count=position.count + 1)


def _one_for_all(right: Method, self: Any, *given: Any) -> Any:
    found = right(self, *given)
    return replace(found, changes=(found.changes[0],) * len(found.changes))


#: What can be wrong with every schedule, whatever its formula.
_EVERYWHERE = faults(BY_COUNT, Right("make the step with count 0, then move the schedule on"),
    Row("stepped before the update",
        "the schedule moves on before the first step, which so has the second one's rate", "lr",
        around("init", lambda right, self: self.step(right(self)))),
    Right("move the schedule on after every step, the first included"),
    Row("one step late", "the rate of count t is used at count t + 1", "lr",
        around("step", _late)),
    Right("move the schedule on after each batch, if it counts batches"),
    Row("stepped by epoch for by batch",
        "the schedule moves on at every third step only, after an epoch of three batches", "lr",
        around("step", _seldom)),
    Right("each group has a rate of its own, from its own first one"),
    Row("one rate for all groups", "all groups get the first group's rate", "lr",
        {**around("init", _one_for_all), **around("step", _one_for_all)},
        needs="groups with different rates"),
)  # fmt: skip


NEVER = (
    Right("hand the schedule's rate to each step of the update rule"),
    Row("never applied", "the rate stays what it is at count 0", "lr", around("step", _frozen)),
)


def _next(function: Callable[[Any, int, int, float], float]) -> Changes:
    """Another rate: ``function(self, count, group, lr)``, from the one before or anew."""
    return instead("next_lr", function)


def _count(function: Callable[[Any, int], int]) -> Changes:
    """The right rate of another count."""
    return around(
        "next_lr",
        lambda right, self, count, group, lr: right(self, function(self, count), group, lr),
    )


def _anew(function: Callable[[Any, int, float], float]) -> Changes:
    """The rate at each count, the first included, as ``function(self, count, base)``."""

    def next_lr(self: Any, count: int, group: int, lr: float) -> float:
        return function(self, count, self.base_lrs[group])

    return {
        **instead("next_lr", next_lr),
        **instead("first_lr", lambda self, group: function(self, 0, self.base_lrs[group])),
    }


def _falling(where: Callable[[Any, int], bool], power: int = 1) -> Changes:
    """A rate that is multiplied by γ^power at those counts."""
    return _next(
        lambda self, count, group, lr: lr * self.gamma**power if where(self, count) else lr
    )


def _polynomial(function: Callable[[int, int, float], float]) -> Changes:
    """Base · ``function(t, T, power)``."""
    return _anew(lambda self, count, base: base * function(count, self.total_iters, self.power))


def _straight(self: Any, count: int, length: int, end: float | None = None) -> float:
    """From the first factor to the last one on a straight line, which goes on beyond it."""
    start, end = float(self.start_factor), float(self.end_factor if end is None else end)
    return start + (end - start) * count / length


def _to_one(self: Any, count: int, group: int, lr: float) -> Any:
    length = self.total_iters
    return self.base_lrs[group] * _straight(self, min(count, length), length, end=1.0)


def _short(self: Any, count: int, base: float) -> float:
    length = self.total_iters - 1
    return base * _straight(self, min(count, length), length)


def _line(self: Any, count: int, start: float) -> float:
    part: float = min(count, self.total_iters) / self.total_iters
    return start + (float(self.end_factor) - start) * part


def _cosine(self: Any, count: int) -> Any:
    return (1 + math.cos(math.pi * count / self.T_max)) / 2


def _between(function: Callable[[Any, int], float]) -> Changes:
    """The least rate, and ``function(self, count)`` of what the first one is above it."""
    return _anew(
        lambda self, count, base: self.eta_min + (base - self.eta_min) * function(self, count)
    )


def _fall(self: Any, since: int, length: int, base: float) -> float:
    part: float = (1 + math.cos(math.pi * since / length)) / 2
    return float(self.eta_min) + (base - float(self.eta_min)) * part


STEP = "lr = base · γ^⌊t / step_size⌋"
COSINE = "lr = η + (base − η)(1 + cos(π t / T)) / 2"
LINEAR = "lr = base · (a + (b − a) · min(t, T) / T)"
RESTARTS = "lr = η + (base − η)(1 + cos(π s / S)) / 2; S grows by T_mult at each restart"
POLYNOMIAL = "lr = base · (1 − min(t, T) / T)^power"


def _milestones_as_lengths(self: Any, count: int, group: int, lr: float) -> Any:
    return lr * self.gamma ** sum(
        count == sum(sorted(self.milestones.elements())[: k + 1])
        for k in range(self.milestones.total())
    )


DECAYS = faults(
    "StepLR", Right(STEP),
    Row("gamma at every count", "the rate falls at each count", "lr",
        _next(lambda self, count, group, lr: lr * self.gamma), needs="step_size > 1"),
    Row("one count early", "the first fall is at step_size − 1", "lr",
        _count(lambda self, count: count + 1)),
    Row("gamma applied twice", "each fall is by γ²", "lr",
        _falling(lambda self, count: count % self.step_size == 0, power=2)),
    Row("falls once", "the rate falls at step_size and never again", "lr",
        _falling(lambda self, count: count == self.step_size)),
    Row("fall in proportion", "lr = base · γ^(t / step_size), without whole steps", "lr",
        _anew(lambda self, count, base: base * self.gamma ** (count / self.step_size)),
        needs="step_size > 1"),
    "MultiStepLR", Right("lr = base · γ^(milestones ≤ t)"),
    Row("one count early", "the rate falls a count before each milestone", "lr",
        _count(lambda self, count: count + 1)),
    Row("one count late", "the rate falls a count after each milestone", "lr",
        _count(lambda self, count: count - 1)),
    Row("milestone that counts twice counted once", "repetitions are dropped", "lr",
        _falling(lambda self, count: count in self.milestones),
        needs="a milestone that is there twice"),
    Right("milestones are counts from the start"),
    Row("milestones as lengths", "each milestone counts from the one before", "lr",
        _next(_milestones_as_lengths), needs="more than one milestone"),
    "ExponentialLR", Right("lr = base · γ^t"),
    Row("gamma applied twice", "each count multiplies by γ²", "lr",
        _next(lambda self, count, group, lr: lr * self.gamma**2)),
    Row("not compounded", "the rate is base · γ at all counts", "lr",
        _next(lambda self, count, group, lr: self.base_lrs[group] * self.gamma),
        needs="more than two steps"),
    Row("compounded twice", "the last rate is multiplied by γ^t", "lr",
        _next(lambda self, count, group, lr: lr * self.gamma**count)),
    Row("falls by a difference", "each count subtracts base (1 − γ)", "lr",
        _next(lambda self, count, group, lr: lr - self.base_lrs[group] * (1 - self.gamma)),
        needs="more than two steps"),
    "LinearLR", Right(LINEAR),
    Row("warm-up from 0", "the first rate is 0, whatever start_factor", "lr",
        _anew(lambda self, count, base: base * _line(self, count, 0.0))),
    Row("does not end", "the line goes on after total_iters", "lr",
        _anew(lambda self, count, base: base * _straight(self, count, self.total_iters))),
    Row("end factor ignored", "the line ends at 1, whatever end_factor", "lr",
        _next(_to_one), needs="end_factor other than 1"),
    Row("ends one count early", "the line has total_iters − 1 counts", "lr", _anew(_short)),
    "PolynomialLR", Right(POLYNOMIAL),
    Row("power ignored", "the rate falls along a straight line", "lr",
        _polynomial(lambda t, end, power: 1 - min(t, end) / end), needs="power other than 1"),
    Row("starts again", "after total_iters the rate is base again", "lr",
        _polynomial(lambda t, end, power: (1 - t % end / end) ** power)),
    Row("one minus the power", "lr = base (1 − (t / T)^power)", "lr",
        _polynomial(lambda t, end, power: 1 - (min(t, end) / end) ** power),
        needs="power other than 1"),
    "LambdaLR", Right("lr = base · f(t)"),
    Row("compounded", "f(t) multiplies the last rate, not the first", "lr",
        _next(lambda self, count, group, lr: lr * self.lr_lambdas[group](count))),
    Right("lr = base · f(t), each group with its own f"),
    Row("one function for all groups", "the first group's f is that of all", "lr",
        _next(lambda self, count, group, lr: self.base_lrs[group] * self.lr_lambdas[0](count)),
        needs="a function for each group"),
    Right("lr = base · f(t)"),
    Row("rate for factor", "f(t) is taken for the rate itself", "lr",
        _next(lambda self, count, group, lr: self.lr_lambdas[group](count)),
        needs="a base other than 1"),
)  # fmt: skip


def _restarts_one_count_late(right: Method, self: Any, count: int) -> Any:
    return (
        (count % (self.T_0 + 1), self.T_0)
        if self.T_mult == 1
        else right(self, count - 1)
        if count > self.T_0
        else (count, self.T_0)
    )


def _least_rate_ignored(right: Method, self: Any, count: int, group: int, lr: float) -> Any:
    return (
        right(self, count, group, lr) * self.base_lrs[group] - self.eta_min * self.base_lrs[group]
    ) / (self.base_lrs[group] - self.eta_min)


COSINES = faults(
    "CosineAnnealingLR", Right(COSINE),
    Row("least rate ignored", "the rate falls to 0", "lr",
        _anew(lambda self, count, base: base * _cosine(self, count)), needs="eta_min > 0"),
    Row("least rate added", "lr = η + base (1 + cos(π t / T)) / 2", "lr",
        _anew(lambda self, count, base: self.eta_min + base * _cosine(self, count)),
        needs="eta_min > 0"),
    Row("whole period in T_max", "the rate is back at its start at T_max", "lr",
        _between(lambda self, count: _cosine(self, 2 * count))),
    Row("quarter period", "lr = η + (base − η) cos(π t / 2T)", "lr",
        _between(lambda self, count: math.cos(math.pi * count / 2 / self.T_max))),
    Row("half missing", "lr = η + (base − η)(1 + cos(π t / T))", "lr",
        _between(lambda self, count: 2 * _cosine(self, count))),
    Row("stays at its least", "after T_max the rate does not rise again", "lr",
        _between(lambda self, count: _cosine(self, min(count, self.T_max))),
        needs="more than T_max steps"),
    Row("ends one count early", "the least rate is at T_max − 1", "lr",
        _between(lambda self, count: (1 + math.cos(math.pi * count / (self.T_max - 1))) / 2)),
    "CosineAnnealingWarmRestarts", Right(RESTARTS),
    Row("length not multiplied", "all falls are as long", "lr",
        _anew(lambda self, count, base: _fall(self, count % self.T_0, self.T_0, base)),
        needs="T_mult > 1"),
    Row("restarts one count late", "a fall has its least count", "lr",
        around("_fall", _restarts_one_count_late)),
    Row("never restarts", "the cosine goes on and rises again", "lr",
        _anew(lambda self, count, base: _fall(self, count, self.T_0, base))),
    Row("least rate ignored", "the rate falls towards 0", "lr",
        around("next_lr", _least_rate_ignored), needs="eta_min > 0"),
)  # fmt: skip


RATES = (*_EVERYWHERE, *faults(BY_COUNT, *NEVER), *DECAYS, *COSINES)
