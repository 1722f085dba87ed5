"""One update rule or schedule on both sides, step by step.

An update rule makes each step from where PyTorch's is, so nothing adds up: what is compared are
the parameters and all that the rule remembers, after every step. Gradients are random, some entries
of them exactly 0, some tensors have none, and the learning rate changes at every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

import reference
import torch_impl
from compare.base.conversion import to_array, to_tensor
from compare.base.quantities import Array, Observation, parameter, state
from compare.catalogue.entries.entry import Entry, Variant
from compare.catalogue.layer_against_torch import generator
from compare.measure.meter import Meter
from compare.measure.rounding import unit_roundoff
from compare.measure.step_records import StepOutcome, compare_step
from compare.measure.tolerances import Tolerance, make
from compare.results.checked import Checked
from reference.optim.schedulers import Scheduler

SHAPES = {
    "0.weight": (3, 4),
    "0.bias": (3,),
    "1.weight": (2, 3),
    "scale": (),
    "unused": (2,),
    "2.weight": (3, 4),
}

STEPS = 8

#: Counts of a schedule.
COUNTS = 60

#: Whose learning rates a schedule decides: one with its own first rate, one with the common one.
GROUPS: list[dict[str, Any]] = [{"params": ["a"], "lr": 0.3}, {"params": ["b"]}]
FIRST_LR = 0.7

#: Further options of the update rules whose rates a schedule decides.
RULES: dict[str, dict[str, Any]] = {"SGD": {"momentum": 0.9}, "Adam": {}}

#: Options that schedules decide.
SCHEDULED = ("lr", "momentum", "betas")

Params = dict[str, Array]
State = dict[str, Params]


class TorchRule:
    """An optimizer of PyTorch over named parameters, one tensor at a time."""

    def __init__(self, entry: Entry, variant: Variant, params: Params) -> None:
        self.tensors = {name: torch.nn.Parameter(to_tensor(p)) for name, p in params.items()}
        kind = getattr(torch.optim, entry.name)
        options = {key: value for key, value in variant.options.items() if key != "groups"}
        groups = self._groups(variant.options.get("groups", ({},)))
        self.optimizer = kind(groups, **options, foreach=False)

    def _groups(self, groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Each group with its tensors; those that none names are in the one without names."""
        named = {name for group in groups for name in group.get("params", ())}
        others = [name for name in self.tensors if name not in named]
        return [
            dict(group) | {"params": [self.tensors[name] for name in group.get("params", others)]}
            for group in groups
        ]

    def step(self, grads: Params, changes: Sequence[Mapping[str, Any]]) -> None:
        for group, change in zip(self.optimizer.param_groups, changes, strict=True):
            group.update(change)
        for name, tensor in self.tensors.items():
            tensor.grad = to_tensor(grads[name]) if name in grads else None
        self.optimizer.step()

    def params(self) -> Params:
        return {name: to_array(tensor) for name, tensor in self.tensors.items()}

    def state(self) -> State:
        held: dict[Tensor, dict[str, Any]] = self.optimizer.state
        return {
            name: {key: to_array(value) for key, value in held[tensor].items() if value is not None}
            for name, tensor in self.tensors.items()
            if held.get(tensor)
        }


@dataclass(frozen=True)
class RuleStep:
    """One step of an update rule.

    Attributes:
        params: the parameters before it.
        state: what the rule remembers before it.
        grads: the gradients.
        changes: what its options are in this step, by group.
        expected: PyTorch's state and parameters after it.
    """

    params: Params
    state: State
    grads: Params
    changes: list[dict[str, Any]]
    expected: Observation


def check(
    entry: Entry,
    variant: Variant,
    dtype: str = "float32",
    tolerance: Tolerance | None = None,
    seed: int = 0,
    rule: reference.Optimizer | None = None,
    to_the_first: bool = False,
) -> Checked:
    """Compare one variant of an update rule over several steps.

    Args:
        entry: what to compare.
        variant: one of its variants.
        dtype: float32 or float64.
        tolerance: how far the two may differ; None computes it.
        seed: of parameters and gradients.
        rule: the reference's side, if it is not the reference's own.
        to_the_first: whether the first step that fails is the last one.
    """
    tolerance = tolerance or make(None)
    ours = _counting(rule) if rule else rule_of(entry, variant)
    meter = Meter(tolerance.multiple)
    with np.errstate(all="ignore"):
        steps = record(entry, variant, dtype, seed)
        if steps[0].state:
            start_rule(ours, steps[0], tolerance).judge(meter, 0)
        for number, made in enumerate(steps, 1):
            held = step_rule(ours, made, tolerance)
            held.judge(meter, number)
            if held.differing or (to_the_first and meter.failed):
                break
    return Checked(entry.name, variant.label, dtype, "lockstep", meter.multiple, meter.metrics())


def rule_of(entry: Entry, variant: Variant) -> reference.Optimizer:
    """The reference's side of a variant."""
    return _counting(getattr(reference, entry.name)(**variant.options))


def _counting(rule: reference.Optimizer) -> reference.Optimizer:
    """The rule, which from now on counts its steps in PyTorch's default dtype."""
    rule.scalar_dtype = str(torch.get_default_dtype()).removeprefix("torch.")
    return rule


def record(entry: Entry, variant: Variant, dtype: str, seed: int = 0) -> list[RuleStep]:
    """PyTorch's steps, with all that each of them starts from."""
    rng = generator(entry, variant, seed)
    first = {name: np.asarray(rng.standard_normal(s), dtype) for name, s in SHAPES.items()}
    steps = []
    with torch_impl.eager_optimizers(), np.errstate(all="ignore"):
        theirs = TorchRule(entry, variant, first)
        groups = [dict(group) for group in theirs.optimizer.param_groups]
        for step in range(1, STEPS + 1):
            params, held = theirs.params(), theirs.state()
            grads, changes = _gradients(rng, step, dtype), [_changes(one, step) for one in groups]
            theirs.step(grads, changes)
            reached = _named(theirs.params(), theirs.state())
            steps.append(RuleStep(params, held, grads, changes, reached))
    return steps


def _changes(group: Mapping[str, Any], step: int) -> dict[str, Any]:
    """What a schedule might make of a group's options: another rate, another momentum."""
    wave = math.sin(step)
    changes: dict[str, Any] = {"lr": group["lr"] * (1.0 + 0.5 * wave)}
    if group.get("momentum"):
        changes["momentum"] = group["momentum"] * (1.0 - 0.1 * abs(wave))
    if "betas" in group:
        first, second = group["betas"]
        changes["betas"] = (first * (1.0 - 0.1 * abs(wave)), second)
    return changes


def start_rule(rule: reference.Optimizer, made: RuleStep, tolerance: Tolerance) -> StepOutcome:
    """Compare what the reference's rule remembers before the first step with PyTorch's."""

    def run(seen: Observation) -> None:
        seen |= _named({}, rule.init(_lifted(tolerance, made.params)))

    return compare_step(run, _named({}, made.state), tolerance.split)


def step_rule(rule: reference.Optimizer, made: RuleStep, tolerance: Tolerance) -> StepOutcome:
    """Let the reference's rule make one step, and compare it with PyTorch's."""
    return compare_step(
        lambda seen: run_rule(rule, made, tolerance, seen), made.expected, tolerance.split
    )


def run_rule(
    rule: reference.Optimizer, made: RuleStep, tolerance: Tolerance, seen: Observation
) -> None:
    """Let the reference's rule make one step, and put all that comes of it into ``seen``."""
    lifted = {name: _lifted(tolerance, one) for name, one in made.state.items()}
    params, grads = _lifted(tolerance, made.params), _lifted(tolerance, made.grads)
    seen |= _named(*rule.step(params, grads, lifted, made.changes))


def _named(params: Mapping[str, Array], held: Mapping[str, Params]) -> Observation:
    """State first, then parameters, as in one step."""
    seen = {state(name, key): v for name, entry in held.items() for key, v in entry.items()}
    return seen | {parameter(name): value for name, value in params.items()}


def _lifted(tolerance: Tolerance, arrays: Params) -> Params:
    return {name: tolerance.lift(value) for name, value in arrays.items()}


def _gradients(rng: np.random.Generator, step: int, dtype: str) -> Params:
    """Gradients of several sizes, a fifth of the entries exactly 0.

    One tensor's are all 0 at first, another has one at every third step only, the last never.
    """
    grads = {}
    for name, shape in SHAPES.items():
        size = 10.0 ** rng.integers(-3, 2)
        drawn = size * rng.standard_normal(shape) * (rng.random(shape) > 0.2)
        grads[name] = np.asarray(drawn * (name != "0.bias" or step > 3), dtype)
    absent = {"unused"} | ({"1.weight"} if step % 3 != 1 else set())
    return {name: g for name, g in grads.items() if name not in absent}


def check_schedule(
    entry: Entry,
    variant: Variant,
    seed: int = 0,
    plant: Callable[[Any], Any] = lambda schedule: schedule,
) -> Checked:
    """Compare what a schedule decides of two groups over many counts; they are float64 numbers.

    Args:
        entry: what to compare.
        variant: one of its variants.
        seed: of the metric that some schedules go by.
        plant: gives the reference's side, if it is not the reference's own, for its own.
    """
    meter = Meter(make(None).multiple)
    recorded = record_schedule(entry, variant, seed)
    ours = plant(schedule_of(entry, variant))
    for count, held in enumerate(against_schedule(ours, recorded), 1):
        held.judge(meter, count)
    return Checked(
        entry.name, variant.label, "float64", "lockstep", meter.multiple, meter.metrics()
    )


def schedule_of(entry: Entry, variant: Variant) -> Scheduler:
    """The reference's side of a variant."""
    schedule: Scheduler = _made(reference, entry.name, _scheduled(variant), variant.options)
    return schedule


def _made(library: Any, name: str, optimizer: Any, options: Mapping[str, Any]) -> Any:
    """A schedule of either side; those that it is made of are told by their names and options."""
    options = dict(options)
    if "schedulers" in options:
        parts = options["schedulers"]
        options["schedulers"] = [_made(library, kind, optimizer, own) for kind, own in parts]
    return getattr(library, name)(optimizer, **options)


def _scheduled(variant: Variant) -> reference.Optimizer:
    """The update rule whose options a schedule decides."""
    name = variant.given.get("optimizer", "SGD")
    rule: reference.Optimizer = getattr(reference, name)(FIRST_LR, groups=GROUPS, **RULES[name])
    return rule


@dataclass(frozen=True)
class Rates:
    """Learning rates of PyTorch, count by count.

    Attributes:
        expected: what it decides of each group, the learning rates first.
        metrics: what each step of the schedule but the last is given, if it is given anything.
        options: of each group, before the schedule decides.
    """

    expected: list[Observation]
    metrics: list[tuple[float, ...]]
    options: list[dict[str, Any]]


def record_schedule(entry: Entry, variant: Variant, seed: int = 0) -> Rates:
    """What PyTorch's schedule gives."""
    drawn = _wandering(generator(entry, variant, seed))
    given = entry.name == "ReduceLROnPlateau"
    metrics: list[tuple[float, ...]] = [(float(one),) if given else () for one in drawn]
    groups = [group | {"params": [torch.nn.Parameter(torch.ones(1))]} for group in GROUPS]
    found = []
    with torch_impl.eager_optimizers():
        name = _scheduled(variant).name
        twin = getattr(torch.optim, name)(groups, lr=FIRST_LR, **RULES[name])
        theirs = _made(torch.optim.lr_scheduler, entry.name, twin, variant.options)
        for metric in metrics:
            found.append(_options(twin.param_groups))
            twin.step()
            theirs.step(*metric)
    return Rates(found, metrics, [group.options for group in _scheduled(variant).groups])


def against_schedule(schedule: Scheduler, rates: Rates) -> Iterator[StepOutcome]:
    """Let the reference's schedule run, and compare each count with PyTorch's."""
    u = unit_roundoff(np.dtype("float64"))
    position: Any = None
    for count, expected in enumerate(rates.expected):

        def run(seen: Observation, count: int = count) -> None:
            nonlocal position
            last = rates.metrics[count - 1]
            position = schedule.init() if position is None else schedule.step(position, *last)
            pairs = zip(rates.options, position.changes, strict=True)
            seen |= _options([options | changes for options, changes in pairs])

        held = compare_step(run, expected, lambda computed, right: (computed, np.abs(right) * u))
        yield held
        if held.raised:
            return


def _options(groups: Sequence[Mapping[str, Any]]) -> Observation:
    """What a schedule may decide, whether it does or not, by group."""
    return {
        f"{key} of group {number}": np.array(group[key])
        for key in SCHEDULED
        for number, group in enumerate(groups)
        if key in group
    }


def _wandering(rng: np.random.Generator) -> Array:
    """Metrics that rise and fall by quarters, so that some are exactly as good as the best.

    One is no number.
    """
    steps: Array = rng.integers(-2, 3, COUNTS) / 4
    metrics = 2.0 + steps.cumsum()
    metrics[COUNTS // 4] = np.nan
    return metrics
