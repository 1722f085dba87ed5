"""The user's gradients against the derivative of the user's own loss, where there is no other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from compare.derivative import Derivative
from compare.meter import Meter
from compare.metrics import Metrics
from compare.observation import Array, gradient
from compare.own.allowance import Allowance, coarsest
from compare.own.gradients import Seen
from compare.own.numeric import Differentiator, entries, sampled
from compare.own.report import Section
from compare.own.subject import Subject
from compare.rounding import unit_roundoff

#: So many runs at slightly different weights tell how far rounding goes.
RUNS = 4

#: A derivative by differences may be off by so many times its own estimate.
ESTIMATE = 16.0

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Measured:
    """What was found at some weights.

    Attributes:
        section: what was measured.
        method: how the loss was differentiated.
        looked_at: entries that were looked at one by one.
        wrong: the parameters whose gradients differ.
    """

    section: Section
    method: str
    looked_at: int
    wrong: tuple[str, ...]


def measure(
    subject: Subject,
    allowance: Allowance,
    weights: Mapping[str, Array],
    title: str,
    progress: Progress,
) -> Measured:
    """Hold the gradients at some weights against the derivative of the loss there."""
    rate = subject.source.rates[0]
    seen = subject.see(weights, rate)
    spread = _spread(subject, weights, rate, seen)
    differentiator = Differentiator(subject.loss, weights)
    meter = Meter(allowance.multiple)
    places = {name: entries(name, value) for name, value in weights.items()}
    total, done = sum(map(len, places.values())), 0
    found: list[Metrics] = []
    method = "complex step" if differentiator.analytic else "central differences"
    dtype = coarsest(*(value.dtype.name for value in weights.values()))
    whole = max(float(np.abs(g).max(initial=0)) for g in seen.gradients.values())
    for name, value in weights.items():
        actual = seen.gradients[name]
        if actual.shape != value.shape:
            reason = f"shape is {actual.shape}, but should be {value.shape}"
            meter.reject(0, {gradient(name): reason})
            done += len(places[name])
            continue
        slack = np.broadcast_to(seen.slack[name], value.shape)
        derivatives = []
        for one in sampled(differentiator, name, places[name]):
            derivatives.append(one)
            done += 1
            progress(done, total)
        picked = tuple(np.array(places[name]).T) if value.ndim else ()
        actual_entries = np.atleast_1d(actual[picked].astype(float))
        quantity = gradient(name)
        _add(
            meter,
            allowance,
            quantity,
            actual_entries,
            derivatives,
            np.atleast_1d(spread[name][picked]),
            np.atleast_1d(slack[picked]),
            whole,
            dtype,
        )
        v = np.random.default_rng(len(name)).standard_normal(value.shape)
        along = differentiator.along({name: v})
        _add(
            meter,
            allowance,
            f"{quantity} along a direction",
            np.atleast_1d((actual * v).sum()),
            [along],
            np.atleast_1d(np.sqrt(((spread[name] * v) ** 2).sum())),
            np.atleast_1d((slack * np.abs(v)).sum()),
            whole * math.sqrt(value.size),
            dtype,
        )
    for metrics in meter.metrics():
        name = metrics.quantity.removeprefix(gradient(""))
        found.append(
            _placed(metrics, places[name], weights[name].shape) if name in places else metrics
        )
    wrong = tuple(
        name
        for name in weights
        if any(
            gauge.structure or not gauge.highest <= allowance.multiple
            for quantity, gauge in meter.gauges.items()
            if quantity in (gradient(name), f"{gradient(name)} along a direction")
        )
    )
    return Measured(Section(title, tuple(found)), method, total, wrong)


def _add(
    meter: Meter,
    allowance: Allowance,
    quantity: str,
    actual: Array,
    derivatives: list[Derivative],
    spread: Array,
    slack: Array,
    whole: float,
    dtype: str,
) -> None:
    expected = np.array([one.value for one in derivatives])
    error = ESTIMATE * np.array([one.error for one in derivatives])
    largest = whole * unit_roundoff(np.dtype(dtype)) * allowance.multiple
    units = allowance.units({"": expected}, {"": spread}, {"": slack + error + largest}, dtype)[""]
    meter.add(0, {quantity: actual}, {quantity: expected}, {quantity: units})


def _placed(metrics: Metrics, places: list[tuple[int, ...]], shape: tuple[int, ...]) -> Metrics:
    """The metrics with each entry's place in the whole tensor."""
    records = tuple(replace(record, index=places[record.index[0]]) for record in metrics.records)
    return replace(metrics, records=records)


def _spread(
    subject: Subject, weights: Mapping[str, Array], rate: float | None, seen: Seen
) -> dict[str, Array]:
    """How far the gradients move as each weight is off by rounding, for a relative error of 1."""
    rng = np.random.default_rng(0)
    squares = {name: np.zeros(found.shape) for name, found in seen.gradients.items()}
    for _ in range(RUNS):
        moved, sizes = {}, []
        for name, value in weights.items():
            size = math.sqrt(unit_roundoff(value.dtype))
            noise = 1 + size * rng.standard_normal(value.shape)
            moved[name] = (value * noise).astype(value.dtype)
            sizes.append(size)
        found = subject.see(moved, rate).gradients
        for name, g in found.items():
            squares[name] += ((g.astype(float) - seen.gradients[name]) / max(sizes)) ** 2
    return {name: np.sqrt(square / RUNS) for name, square in squares.items()}
