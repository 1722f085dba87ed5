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
        remarks: on what could not be compared.
    """

    section: Section
    method: str
    looked_at: int
    remarks: tuple[str, ...] = ()


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
    places = {name: entries(name, value) for name, value in weights.items()}
    total = sum(map(len, places.values()))
    done = iter(range(1, total + 1))
    meter = _Meter(allowance, seen, weights)
    for name, value in weights.items():
        if not meter.fits(name):
            continue
        found = []
        for one in sampled(differentiator, name, places[name]):
            found.append(one)
            progress(next(done), total)
        meter.at_entries(name, places[name], found, spread[name])
        v = np.random.default_rng(len(name)).standard_normal(value.shape)
        meter.along(name, v, differentiator.along({name: v}), spread[name])
    method = "complex step" if differentiator.analytic else "central differences"
    section = Section(title, meter.metrics(places))
    return Measured(section, method, total, meter.left_out(title))


class _Meter:
    """Compares a gradient with derivatives, entry by entry and along a direction."""

    def __init__(self, allowance: Allowance, seen: Seen, weights: Mapping[str, Array]) -> None:
        self._allowance, self._seen, self._weights = allowance, seen, weights
        self._meter = Meter(allowance.multiple)
        self._dtype = coarsest(*(value.dtype.name for value in weights.values()))
        largest = max(float(np.abs(g).max(initial=0)) for g in seen.gradients.values())
        self._rounding = largest * unit_roundoff(np.dtype(self._dtype)) * allowance.multiple
        self._corners: list[str] = []

    def fits(self, name: str) -> bool:
        """Whether a gradient has its parameter's shape; if not, that is noted."""
        found, wanted = self._seen.gradients[name].shape, self._weights[name].shape
        if found != wanted:
            self._meter.reject(0, {gradient(name): f"shape is {found}, but should be {wanted}"})
        return found == wanted

    def at_entries(
        self, name: str, places: list[tuple[int, ...]], found: list[Derivative], spread: Array
    ) -> None:
        picked = tuple(np.array(places).T) if places[0] else ()
        slack = np.broadcast_to(self._seen.slack[name], spread.shape)
        actual = self._seen.gradients[name].astype(np.float64)
        parts = (np.atleast_1d(one[picked]) for one in (actual, spread, slack + self._rounding))
        self._add(gradient(name), found, *parts)
        if corners := sum(one.jump > 0 for one in found):
            self._corners.append(f"{corners:,} of {len(found):,} entries of {name}")

    def along(self, name: str, v: Array, found: Derivative, spread: Array) -> None:
        actual = np.sum(self._seen.gradients[name] * v)
        slack = np.sum(self._seen.slack[name] * np.abs(v)) + self._rounding * math.sqrt(v.size)
        parts = actual, np.sqrt(np.sum((spread * v) ** 2)), slack
        self._add(f"{gradient(name)} along a direction", [found], *map(np.atleast_1d, parts))

    def _add(
        self, quantity: str, found: list[Derivative], actual: Array, spread: Array, slack: Array
    ) -> None:
        expected = {quantity: np.array([one.value for one in found])}
        error = ESTIMATE * np.array([one.error for one in found])
        units = self._allowance.units(
            expected, {quantity: spread}, {quantity: slack + error}, self._dtype
        )
        corner = np.array([one.jump > 0 for one in found])  # nothing there to hold it against
        units[quantity] = np.where(corner, np.inf, units[quantity])
        self._meter.add(0, {quantity: actual}, expected, units)

    def left_out(self, title: str) -> tuple[str, ...]:
        """That entries were at a corner."""
        if not self._corners:
            return ()
        return (
            f"not compared at {title}, {', '.join(self._corners)}: the loss has a corner there, "
            f"such as a ReLU whose input is exactly 0, and so no derivative; with torch_loss, they "
            f"are held against PyTorch's convention",
        )

    def metrics(self, places: Mapping[str, list[tuple[int, ...]]]) -> tuple[Metrics, ...]:
        """What was measured, each entry with its place in the whole tensor."""
        indices = {gradient(name): several for name, several in places.items()}
        return tuple(
            _placed(metrics, indices[metrics.quantity]) if metrics.quantity in indices else metrics
            for metrics in self._meter.metrics()
        )


def _placed(metrics: Metrics, places: list[tuple[int, ...]]) -> Metrics:
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
