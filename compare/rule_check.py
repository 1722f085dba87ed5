"""One update rule or schedule on both sides, step by step.

An update rule makes each step from where PyTorch's is, so nothing adds up: what is compared are
the parameters and all that the rule remembers, after every step. Gradients are random, some entries
of them exactly 0, some tensors have none, and the learning rate changes at every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

import reference
import torch_impl
from compare.arrays import to_array, to_tensor
from compare.checked import Checked
from compare.entries.entry import Entry, Variant
from compare.layer_check import generator
from compare.meter import Meter, structure
from compare.observation import Array, Observation, parameter, state
from compare.rounding import unit_roundoff
from compare.tolerances import Tolerance, make

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

Params = dict[str, Array]
State = dict[str, Params]


class TorchRule:
    """An optimizer of PyTorch over named parameters, one tensor at a time."""

    def __init__(self, entry: Entry, variant: Variant, params: Params) -> None:
        self.tensors = {name: torch.nn.Parameter(to_tensor(p)) for name, p in params.items()}
        kind = getattr(torch.optim, entry.name)
        self.optimizer = kind(self.tensors.values(), **variant.options, foreach=False)

    def step(self, grads: Params, lr: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = lr
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


def check(
    entry: Entry,
    variant: Variant,
    dtype: str = "float32",
    tolerance: Tolerance | None = None,
    seed: int = 0,
    rule: reference.Optimizer | None = None,
) -> Checked:
    """Compare one variant of an update rule over several steps.

    Args:
        entry: what to compare.
        variant: one of its variants.
        dtype: float32 or float64.
        tolerance: how far the two may differ; None computes it.
        seed: of parameters and gradients.
        rule: the reference's side, if it is not the reference's own.
    """
    tolerance = tolerance or make(None)
    ours = rule or getattr(reference, entry.name)(**variant.options)
    ours.scalar_dtype = str(torch.get_default_dtype()).removeprefix("torch.")
    rng = generator(entry, variant, seed)
    meter = Meter(tolerance.multiple)
    first = {name: np.asarray(rng.standard_normal(s), dtype) for name, s in SHAPES.items()}
    with torch_impl.eager_optimizers(), np.errstate(all="ignore"):
        theirs = TorchRule(entry, variant, first)
        base = theirs.optimizer.defaults["lr"]
        for step in range(1, STEPS + 1):
            params, held = theirs.params(), theirs.state()
            grads, lr = _gradients(rng, step, dtype), base * (1.0 + 0.5 * math.sin(step))
            theirs.step(grads, lr)
            lifted = {name: _lifted(tolerance, one) for name, one in held.items()}
            seen = ours.step(
                _lifted(tolerance, params), _lifted(tolerance, grads), lifted, [{"lr": lr}]
            )
            _compare(meter, step, tolerance, seen, (theirs.params(), theirs.state()))
            if any(gauge.structure for gauge in meter.gauges.values()):
                break
    return Checked(entry.name, variant.label, dtype, "lockstep", meter.multiple, meter.metrics())


def _compare(
    meter: Meter,
    step: int,
    tolerance: Tolerance,
    seen: tuple[Params, State],
    reached: tuple[Params, State],
) -> None:
    actual, expected = _named(*seen), _named(*reached)
    differing = structure(actual, expected)
    if differing:
        meter.reject(step, differing)
        return
    pairs = {name: tolerance.split(value, expected[name]) for name, value in actual.items()}
    plain = {name: value for name, (value, _) in pairs.items()}
    meter.add(step, plain, expected, {name: unit for name, (_, unit) in pairs.items()})


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
        seed: of the metrics that a plateau is told of.
        plant: gives the reference's side, if it is not the reference's own, for its own.
    """
    meter = Meter(make(None).multiple)
    groups: list[dict[str, Any]] = [{"params": ["a"], "lr": 0.3}, {"params": ["b"]}]
    tensors = [torch.nn.Parameter(torch.ones(1)) for _ in groups]
    metrics = _wandering(generator(entry, variant, seed))
    with torch_impl.eager_optimizers():
        twin = torch.optim.SGD(
            [group | {"params": [tensor]} for group, tensor in zip(groups, tensors, strict=True)],
            lr=0.7,
            momentum=0.9,
        )
        theirs = getattr(torch.optim.lr_scheduler, entry.name)(twin, **variant.options)
        rule = reference.SGD(0.7, momentum=0.9, groups=groups)
        ours = plant(getattr(reference, entry.name)(rule, **variant.options))
        position = ours.init()
        for count in range(COUNTS):
            _compare_options(meter, count, position.changes, twin)
            twin.step()
            metric = [float(metrics[count])] if entry.name == "ReduceLROnPlateau" else []
            if count < COUNTS - 1:
                theirs.step(*metric)
                position = ours.step(position, *metric)
    return Checked(
        entry.name, variant.label, "float64", "lockstep", meter.multiple, meter.metrics()
    )


def _compare_options(
    meter: Meter,
    count: int,
    changes: Sequence[Mapping[str, Any]],
    twin: torch.optim.Optimizer,
) -> None:
    """What the schedule decides, the learning rates first."""
    actual, expected = {}, {}
    for key in changes[0]:
        for number, (ours, theirs) in enumerate(zip(changes, twin.param_groups, strict=True)):
            actual[f"{key} of group {number}"] = np.array(ours[key])
            expected[f"{key} of group {number}"] = np.array(theirs[key])
    u = unit_roundoff(np.dtype("float64"))
    meter.add(count + 1, actual, expected, {name: np.abs(v) * u for name, v in expected.items()})


def _wandering(rng: np.random.Generator) -> Array:
    """Metrics that rise and fall by quarters, so that some are exactly as good as the best."""
    steps: Array = rng.integers(-2, 3, COUNTS) / 4
    return 2.0 + steps.cumsum()
