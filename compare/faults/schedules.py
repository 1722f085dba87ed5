"""Faults of learning rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from compare.faults.changes import around, instead
from compare.faults.fault import Changes, Fault, Method

BY_COUNT = (
    "StepLR", "MultiStepLR", "ExponentialLR", "LinearLR", "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts", "PolynomialLR", "LambdaLR", "OneCycleLR",
)  # fmt: skip


def _ahead(right: Method, self: Any) -> Any:
    return self.step(right(self))


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


def _everywhere(name: str) -> tuple[Fault, ...]:
    """What can be wrong with every schedule, whatever its formula."""
    return (
        Fault(
            f"{name}: stepped before the update",
            "the schedule moves on before the first step, which so has the second one's rate",
            name,
            around("init", _ahead),
            "lr",
            "make the step with count 0, then move the schedule on",
        ),
        Fault(
            f"{name}: one step late",
            "the rate of count t is used at count t + 1",
            name,
            around("step", _late),
            "lr",
            "move the schedule on after every step, the first included",
        ),
        Fault(
            f"{name}: stepped by epoch for by batch",
            "the schedule moves on at every third step only, after an epoch of three batches",
            name,
            around("step", _seldom),
            "lr",
            "move the schedule on after each batch, if it counts batches",
        ),
        Fault(
            f"{name}: one rate for all groups",
            "all groups get the first group's rate",
            name,
            {**around("init", _one_for_all), **around("step", _one_for_all)},
            "lr",
            "each group has a rate of its own, from its own first one",
            "groups with different rates",
        ),
    )


def never(name: str) -> Fault:
    """A schedule that is there and not used."""
    return Fault(
        f"{name}: never applied",
        "the rate stays what it is at count 0",
        name,
        around("step", _frozen),
        "lr",
        "hand the schedule's rate to each step of the update rule",
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


def of_rate(
    name: str, what: str, does: str, changes: Changes, remedy: str, needs: str = ""
) -> Fault:
    """A fault that spoils the learning rate."""
    return Fault(f"{name}: {what}", does, name, changes, "lr", remedy, needs)


def _poly(self: Any, count: int, base: float) -> float:
    rest: float = 1 - min(count, self.total_iters) / self.total_iters
    return base * rest


def _line(self: Any, count: int, start: float) -> float:
    part: float = min(count, self.total_iters) / self.total_iters
    return start + (float(self.end_factor) - start) * part


def _cosine(self: Any, count: int) -> float:
    part: float = (1 + math.cos(math.pi * count / self.T_max)) / 2
    return part


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

DECAYS = (
    of_rate("StepLR", "gamma at every count", "the rate falls at each count",
           _next(lambda self, count, group, lr: lr * self.gamma), STEP, "step_size > 1"),
    of_rate("StepLR", "one count early", "the first fall is at step_size − 1",
           _count(lambda self, count: count + 1), STEP),
    of_rate("StepLR", "gamma applied twice", "each fall is by γ²",
           _next(lambda self, count, group, lr: (
               lr * self.gamma**2 if count % self.step_size == 0 else lr)), STEP),
    of_rate("StepLR", "falls once", "the rate falls at step_size and never again",
           _next(lambda self, count, group, lr: (
               lr * self.gamma if count == self.step_size else lr)), STEP),
    of_rate("StepLR", "fall in proportion", "lr = base · γ^(t / step_size), without whole steps",
           _anew(lambda self, count, base: base * self.gamma ** (count / self.step_size)), STEP,
           "step_size > 1"),
    of_rate("MultiStepLR", "one count early", "the rate falls a count before each milestone",
           _count(lambda self, count: count + 1), "lr = base · γ^(milestones ≤ t)"),
    of_rate("MultiStepLR", "one count late", "the rate falls a count after each milestone",
           _count(lambda self, count: count - 1), "lr = base · γ^(milestones ≤ t)"),
    of_rate("MultiStepLR", "milestone that counts twice counted once", "repetitions are dropped",
           _next(lambda self, count, group, lr: (
               lr * self.gamma if count in self.milestones else lr)),
           "lr = base · γ^(milestones ≤ t)", "a milestone that is there twice"),
    of_rate("MultiStepLR", "milestones as lengths", "each milestone counts from the one before",
           _next(lambda self, count, group, lr: lr * self.gamma ** sum(
               count == sum(sorted(self.milestones.elements())[: k + 1])
               for k in range(self.milestones.total()))),
           "milestones are counts from the start", "more than one milestone"),
    of_rate("ExponentialLR", "gamma applied twice", "each count multiplies by γ²",
           _next(lambda self, count, group, lr: lr * self.gamma**2), "lr = base · γ^t"),
    of_rate("ExponentialLR", "not compounded", "the rate is base · γ at all counts",
           _next(lambda self, count, group, lr: self.base_lrs[group] * self.gamma),
           "lr = base · γ^t", "more than two steps"),
    of_rate("ExponentialLR", "compounded twice", "the last rate is multiplied by γ^t",
           _next(lambda self, count, group, lr: lr * self.gamma**count), "lr = base · γ^t"),
    of_rate("ExponentialLR", "falls by a difference", "each count subtracts base (1 − γ)",
           _next(lambda self, count, group, lr: lr - self.base_lrs[group] * (1 - self.gamma)),
           "lr = base · γ^t", "more than two steps"),
    of_rate("LinearLR", "warm-up from 0", "the first rate is 0, whatever start_factor",
           _anew(lambda self, count, base: base * _line(self, count, 0.0)), LINEAR),
    of_rate("LinearLR", "does not end", "the line goes on after total_iters",
           _anew(lambda self, count, base: base * (
               self.start_factor
               + (self.end_factor - self.start_factor) * count / self.total_iters)), LINEAR),
    of_rate("LinearLR", "end factor ignored", "the line ends at 1, whatever end_factor",
           around("next_lr", lambda right, self, count, group, lr: self.base_lrs[group] * (
               self.start_factor
               + (1 - self.start_factor) * min(count, self.total_iters) / self.total_iters)),
           LINEAR, "end_factor other than 1"),
    of_rate("LinearLR", "ends one count early", "the line has total_iters − 1 counts",
           _anew(lambda self, count, base: base * (
               self.start_factor + (self.end_factor - self.start_factor)
               * min(count, self.total_iters - 1) / (self.total_iters - 1))), LINEAR),
    of_rate("PolynomialLR", "power ignored", "the rate falls along a straight line",
           _anew(_poly), POLYNOMIAL, "power other than 1"),
    of_rate("PolynomialLR", "starts again", "after total_iters the rate is base again",
           _anew(lambda self, count, base: base * (
               1 - count % self.total_iters / self.total_iters) ** self.power), POLYNOMIAL),
    of_rate("PolynomialLR", "one minus the power", "lr = base (1 − (t / T)^power)",
           _anew(lambda self, count, base: base * (
               1 - (min(count, self.total_iters) / self.total_iters) ** self.power)), POLYNOMIAL,
           "power other than 1"),
    of_rate("LambdaLR", "compounded", "f(t) multiplies the last rate, not the first",
           _next(lambda self, count, group, lr: lr * self.lr_lambdas[group](count)),
           "lr = base · f(t)"),
    of_rate("LambdaLR", "one function for all groups", "the first group's f is that of all",
           _next(lambda self, count, group, lr: self.base_lrs[group] * self.lr_lambdas[0](count)),
           "lr = base · f(t), each group with its own f", "a function for each group"),
    of_rate("LambdaLR", "rate for factor", "f(t) is taken for the rate itself",
           _next(lambda self, count, group, lr: self.lr_lambdas[group](count)),
           "lr = base · f(t)", "a base other than 1"),
)  # fmt: skip

COSINES = (
    of_rate("CosineAnnealingLR", "least rate ignored", "the rate falls to 0",
           _anew(lambda self, count, base: base * _cosine(self, count)), COSINE,
           "eta_min > 0"),
    of_rate("CosineAnnealingLR", "least rate added", "lr = η + base (1 + cos(π t / T)) / 2",
           _anew(lambda self, count, base: self.eta_min + base * _cosine(self, count)),
           COSINE, "eta_min > 0"),
    of_rate("CosineAnnealingLR", "whole period in T_max", "the rate is back at its start at T_max",
           _between(lambda self, count: _cosine(self, 2 * count)), COSINE),
    of_rate("CosineAnnealingLR", "quarter period", "lr = η + (base − η) cos(π t / 2T)",
           _between(lambda self, count: math.cos(math.pi * count / 2 / self.T_max)), COSINE),
    of_rate("CosineAnnealingLR", "half missing", "lr = η + (base − η)(1 + cos(π t / T))",
           _between(lambda self, count: 2 * _cosine(self, count)), COSINE),
    of_rate("CosineAnnealingLR", "stays at its least", "after T_max the rate does not rise again",
           _between(lambda self, count: _cosine(self, min(count, self.T_max))), COSINE,
           "more than T_max steps"),
    of_rate("CosineAnnealingLR", "ends one count early", "the least rate is at T_max − 1",
           _between(lambda self, count: (1 + math.cos(math.pi * count / (self.T_max - 1))) / 2),
           COSINE),
    of_rate("CosineAnnealingWarmRestarts", "length not multiplied", "all falls are as long",
           _anew(lambda self, count, base: _fall(self, count % self.T_0, self.T_0, base)),
           RESTARTS, "T_mult > 1"),
    of_rate("CosineAnnealingWarmRestarts", "restarts one count late", "a fall has its least count",
           around("_fall", lambda right, self, count: (
               (count % (self.T_0 + 1), self.T_0) if self.T_mult == 1 else right(self, count - 1)
               if count > self.T_0 else (count, self.T_0))), RESTARTS),
    of_rate("CosineAnnealingWarmRestarts", "never restarts", "the cosine goes on and rises again",
           _anew(lambda self, count, base: _fall(self, count, self.T_0, base)), RESTARTS),
    of_rate("CosineAnnealingWarmRestarts", "least rate ignored", "the rate falls towards 0",
           around("next_lr", lambda right, self, count, group, lr: (
               right(self, count, group, lr) * self.base_lrs[group]
               - self.eta_min * self.base_lrs[group]) / (self.base_lrs[group] - self.eta_min)),
           RESTARTS, "eta_min > 0"),
)  # fmt: skip


RATES = (
    *(fault for name in BY_COUNT for fault in _everywhere(name)),
    *(never(name) for name in BY_COUNT),
    *DECAYS,
    *COSINES,
)
