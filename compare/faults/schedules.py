"""Faults of learning rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from compare.faults.changes import around, instead, options
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


def _never(name: str) -> Fault:
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


def _fault(
    name: str, what: str, does: str, changes: Changes, remedy: str, needs: str = ""
) -> Fault:
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
    _fault("StepLR", "gamma at every count", "the rate falls at each count",
           _next(lambda self, count, group, lr: lr * self.gamma), STEP, "step_size > 1"),
    _fault("StepLR", "one count early", "the first fall is at step_size − 1",
           _count(lambda self, count: count + 1), STEP),
    _fault("StepLR", "gamma applied twice", "each fall is by γ²",
           _next(lambda self, count, group, lr: (
               lr * self.gamma**2 if count % self.step_size == 0 else lr)), STEP),
    _fault("StepLR", "falls once", "the rate falls at step_size and never again",
           _next(lambda self, count, group, lr: (
               lr * self.gamma if count == self.step_size else lr)), STEP),
    _fault("StepLR", "fall in proportion", "lr = base · γ^(t / step_size), without whole steps",
           _anew(lambda self, count, base: base * self.gamma ** (count / self.step_size)), STEP,
           "step_size > 1"),
    _fault("MultiStepLR", "one count early", "the rate falls a count before each milestone",
           _count(lambda self, count: count + 1), "lr = base · γ^(milestones ≤ t)"),
    _fault("MultiStepLR", "one count late", "the rate falls a count after each milestone",
           _count(lambda self, count: count - 1), "lr = base · γ^(milestones ≤ t)"),
    _fault("MultiStepLR", "milestone that counts twice counted once", "repetitions are dropped",
           _next(lambda self, count, group, lr: (
               lr * self.gamma if count in self.milestones else lr)),
           "lr = base · γ^(milestones ≤ t)", "a milestone that is there twice"),
    _fault("MultiStepLR", "milestones as lengths", "each milestone counts from the one before",
           _next(lambda self, count, group, lr: lr * self.gamma ** sum(
               count == sum(sorted(self.milestones.elements())[: k + 1])
               for k in range(self.milestones.total()))),
           "milestones are counts from the start", "more than one milestone"),
    _fault("ExponentialLR", "gamma applied twice", "each count multiplies by γ²",
           _next(lambda self, count, group, lr: lr * self.gamma**2), "lr = base · γ^t"),
    _fault("ExponentialLR", "not compounded", "the rate is base · γ at all counts",
           _next(lambda self, count, group, lr: self.base_lrs[group] * self.gamma),
           "lr = base · γ^t", "more than two steps"),
    _fault("ExponentialLR", "compounded twice", "the last rate is multiplied by γ^t",
           _next(lambda self, count, group, lr: lr * self.gamma**count), "lr = base · γ^t"),
    _fault("ExponentialLR", "falls by a difference", "each count subtracts base (1 − γ)",
           _next(lambda self, count, group, lr: lr - self.base_lrs[group] * (1 - self.gamma)),
           "lr = base · γ^t", "more than two steps"),
    _fault("LinearLR", "warm-up from 0", "the first rate is 0, whatever start_factor",
           _anew(lambda self, count, base: base * _line(self, count, 0.0)), LINEAR),
    _fault("LinearLR", "does not end", "the line goes on after total_iters",
           _anew(lambda self, count, base: base * (
               self.start_factor
               + (self.end_factor - self.start_factor) * count / self.total_iters)), LINEAR),
    _fault("LinearLR", "end factor ignored", "the line ends at 1, whatever end_factor",
           around("next_lr", lambda right, self, count, group, lr: self.base_lrs[group] * (
               self.start_factor
               + (1 - self.start_factor) * min(count, self.total_iters) / self.total_iters)),
           LINEAR, "end_factor other than 1"),
    _fault("LinearLR", "ends one count early", "the line has total_iters − 1 counts",
           _anew(lambda self, count, base: base * (
               self.start_factor + (self.end_factor - self.start_factor)
               * min(count, self.total_iters - 1) / (self.total_iters - 1))), LINEAR),
    _fault("PolynomialLR", "power ignored", "the rate falls along a straight line",
           _anew(_poly), POLYNOMIAL, "power other than 1"),
    _fault("PolynomialLR", "starts again", "after total_iters the rate is base again",
           _anew(lambda self, count, base: base * (
               1 - count % self.total_iters / self.total_iters) ** self.power), POLYNOMIAL),
    _fault("PolynomialLR", "one minus the power", "lr = base (1 − (t / T)^power)",
           _anew(lambda self, count, base: base * (
               1 - (min(count, self.total_iters) / self.total_iters) ** self.power)), POLYNOMIAL,
           "power other than 1"),
    _fault("LambdaLR", "compounded", "f(t) multiplies the last rate, not the first",
           _next(lambda self, count, group, lr: lr * self.lr_lambdas[group](count)),
           "lr = base · f(t)"),
    _fault("LambdaLR", "rate for factor", "f(t) is taken for the rate itself",
           _next(lambda self, count, group, lr: self.lr_lambdas[group](count)),
           "lr = base · f(t)", "a base other than 1"),
)  # fmt: skip

COSINES = (
    _fault("CosineAnnealingLR", "least rate ignored", "the rate falls to 0",
           _anew(lambda self, count, base: base * _cosine(self, count)), COSINE,
           "eta_min > 0"),
    _fault("CosineAnnealingLR", "least rate added", "lr = η + base (1 + cos(π t / T)) / 2",
           _anew(lambda self, count, base: self.eta_min + base * _cosine(self, count)),
           COSINE, "eta_min > 0"),
    _fault("CosineAnnealingLR", "whole period in T_max", "the rate is back at its start at T_max",
           _between(lambda self, count: _cosine(self, 2 * count)), COSINE),
    _fault("CosineAnnealingLR", "quarter period", "lr = η + (base − η) cos(π t / 2T)",
           _between(lambda self, count: math.cos(math.pi * count / 2 / self.T_max)), COSINE),
    _fault("CosineAnnealingLR", "half missing", "lr = η + (base − η)(1 + cos(π t / T))",
           _between(lambda self, count: 2 * _cosine(self, count)), COSINE),
    _fault("CosineAnnealingLR", "stays at its least", "after T_max the rate does not rise again",
           _between(lambda self, count: _cosine(self, min(count, self.T_max))), COSINE,
           "more than T_max steps"),
    _fault("CosineAnnealingLR", "ends one count early", "the least rate is at T_max − 1",
           _between(lambda self, count: (1 + math.cos(math.pi * count / (self.T_max - 1))) / 2),
           COSINE),
    _fault("CosineAnnealingWarmRestarts", "length not multiplied", "all falls are as long",
           _anew(lambda self, count, base: _fall(self, count % self.T_0, self.T_0, base)),
           RESTARTS, "T_mult > 1"),
    _fault("CosineAnnealingWarmRestarts", "restarts one count late", "a fall has its least count",
           around("_fall", lambda right, self, count: (
               (count % (self.T_0 + 1), self.T_0) if self.T_mult == 1 else right(self, count - 1)
               if count > self.T_0 else (count, self.T_0))), RESTARTS),
    _fault("CosineAnnealingWarmRestarts", "never restarts", "the cosine goes on and rises again",
           _anew(lambda self, count, base: _fall(self, count, self.T_0, base)), RESTARTS),
    _fault("CosineAnnealingWarmRestarts", "least rate ignored", "the rate falls towards 0",
           around("next_lr", lambda right, self, count, group, lr: (
               right(self, count, group, lr) * self.base_lrs[group]
               - self.eta_min * self.base_lrs[group]) / (self.base_lrs[group] - self.eta_min)),
           RESTARTS, "eta_min > 0"),
)  # fmt: skip


def _phases(function: Callable[[Any], tuple[float, ...]]) -> Changes:
    """OneCycleLR with its phases ending at other counts."""

    def phase(self: Any, count: int) -> tuple[int, float]:
        ends = function(self)
        number = next((i for i, end in enumerate(ends) if count <= end), len(ends) - 1)
        start = ends[number - 1] if number else 0.0
        return number, (count - start) / (ends[number] - start)

    return instead("_phase", phase)


def _one_cycle(function: Callable[[Any, int, dict[str, Any], int], dict[str, Any]]) -> Changes:
    def wrong(right: Method, self: Any, count: int, group: int, last: Any) -> Any:
        return function(self, count, right(self, count, group, last), group)

    return around("next", wrong)


def _ends(*lrs: Callable[[tuple[float, ...]], float]) -> Changes:
    """OneCycleLR between other rates, each from the right ones."""

    def wrong(right: Method, self: Any, count: int, group: int, last: Any) -> Any:
        own = self.lrs[group]
        phase, part = self._phase(count)
        ends = [own[0], own[1], *own[2:]]
        ends[0] = lrs[0](own)
        ends[-1] = lrs[1](own)
        lr = self.anneal(ends[phase], ends[phase + 1], part)
        return right(self, count, group, last) | {"lr": lr}

    return around("next", wrong)


def _other_anneal(right: Method, self: Any, count: int, group: int, last: Any) -> Any:
    phase, part = self._phase(count)
    start, end = self.lrs[group][phase : phase + 2]
    middle = self.anneal(0.0, 1.0, 0.25)
    line = abs(middle - 0.25) < 1e-9
    lr = end + (start - end) / 2 * (math.cos(math.pi * part) + 1)
    return right(self, count, group, last) | {"lr": lr if line else (end - start) * part + start}


CYCLE = "low = max_lr / div_factor, peak = max_lr, end = low / final_div_factor"

ONE_CYCLE = (
    _fault("OneCycleLR", "starts from 0", "the first phase begins at 0, not at low",
           _ends(lambda own: 0.0, lambda own: own[-1]), CYCLE),
    _fault("OneCycleLR", "ends at the first rate", "the last phase ends at low",
           _ends(lambda own: own[0], lambda own: own[0]), CYCLE),
    _fault("OneCycleLR", "end from the peak", "the last rate is max_lr / final_div_factor",
           _ends(lambda own: own[0], lambda own: own[-1] * own[1] / own[0]), CYCLE),
    _fault("OneCycleLR", "line for cosine", "cosine and line are taken for each other",
           around("next", _other_anneal), "anneal_strategy: cos or linear"),
    _fault("OneCycleLR", "phases one count longer", "the first phase ends at f S, not f S − 1",
           _phases(lambda self: (self.ends[0] + 1, *self.ends[1:])),
           "phases end at f S − 1 and S − 1, counts being from 0"),
    _fault("OneCycleLR", "cycle one count longer", "the last phase ends at S, not S − 1",
           _phases(lambda self: (*self.ends[:-1], self.ends[-1] + 1)),
           "phases end at f S − 1 and S − 1, counts being from 0"),
    Fault("OneCycleLR: momentum with the rate",
          "momentum rises and falls as the rate does, where it should do the opposite",
          "OneCycleLR",
          _one_cycle(lambda self, count, found, group: found | {
              name: self.momenta[group][0] + self.momenta[group][1] - value
              for name, value in found.items() if name == "momentum"}),
          "momentum", "momentum is least where the rate is greatest", "cycle_momentum"),
    Fault("OneCycleLR: momentum not cycled",
          "momentum stays what it is at count 0",
          "OneCycleLR",
          _one_cycle(lambda self, count, found, group: found | {
              name: self.momenta[group][0] for name in found if name == "momentum"}),
          "momentum", "momentum goes from max_momentum to base_momentum and back",
          "cycle_momentum"),
)  # fmt: skip


def _patience(more: int) -> Changes:
    def wrong(right: Method, self: Any, position: Any, metric: float) -> Any:
        self.patience += more
        try:
            return right(self, position, metric)
        finally:
            self.patience -= more

    return around("step", wrong)


def _against_last(right: Method, self: Any, position: Any, metric: float) -> Any:
    return replace(right(self, position, metric), best=metric)


def _first_best(right: Method, self: Any, position: Any, metric: float) -> Any:
    after = right(self, position, metric)
    return replace(after, best=position.best) if position.count else after


def _bad_kept(right: Method, self: Any, position: Any, metric: float) -> Any:
    after = right(self, position, metric)
    return (
        replace(after, bad=max(after.bad, position.bad))
        if not self._is_better(metric, position.best) or after.changes != position.changes
        else replace(after, bad=position.bad)
    )


def _other_mode(right: Method, self: Any, metric: float, best: float) -> bool:
    return bool(metric > best) if self.mode == "min" else bool(metric < best)


PLATEAU = tuple(
    _fault("ReduceLROnPlateau", what, does, changes, remedy, needs)
    for what, does, changes, remedy, needs in (
        ("patience off by one", "the rate falls at count patience, not at the next one",
         _patience(-1), "lower the rate when bad > patience", "a plateau"),
        ("patience one too long", "one count more is forgiven",
         _patience(1), "lower the rate when bad > patience", "a plateau"),
        ("cooldown ignored", "counts after a fall are held against the metric",
         options("step", cooldown=0), "no count is bad during the cooldown", "cooldown > 0"),
        ("lowest rate ignored", "the rate falls below min_lr",
         around("_lowered", lambda right, self, group, lr: {"lr": lr * self.factor}),
         "max(lr · factor, min_lr)", "a rate that reaches min_lr, or one that cannot fall more"),
        ("compared with the last", "the metric is compared with the one before, not the best",
         around("step", _against_last), "best ← the better of best and metric", ""),
        ("best never improved", "the metric is always compared with the first one",
         around("step", _first_best), "best ← the better of best and metric", ""),
        ("bad counts not reset", "an improvement does not forgive the counts before it",
         around("step", _bad_kept), "bad ← 0 at an improvement", "an improvement after bad counts"),
        ("mode reversed", "what is good is taken for bad",
         around("_is_better", _other_mode), "min: lower is better, max: higher is", ""),
        ("lowered by the factor's square", "a fall is by factor²",
         around("_lowered", lambda right, self, group, lr: {
             "lr": max(lr * self.factor**2, self.min_lrs[group])}),
         "lr ← lr · factor", ""),
    )
)  # fmt: skip

SCHEDULES = (
    *(fault for name in BY_COUNT for fault in _everywhere(name)),
    *(_never(name) for name in (*BY_COUNT, "ReduceLROnPlateau")),
    *DECAYS,
    *COSINES,
    *ONE_CYCLE,
    *PLATEAU,
)
