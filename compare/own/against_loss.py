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

#: Why an entry is not compared.
CORNER = (
    "the loss has a corner there, such as a ReLU whose input is exactly 0, and so no derivative; "
    "with torch_loss, they are held against PyTorch's convention"
)
UNKNOWN = (
    "no derivative can be read from the values of the loss there; with torch_loss, they are held "
    "against autograd"
)

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Measured:
    """What was found at some weights.

    Attributes:
        section: what was measured.
        method: how the loss was differentiated.
        looked_at: entries that were looked at one by one.
        seen: the user's side.
        units: of what is allowed for the gradients, without the error of the derivative.
        remarks: on what could not be compared.
    """

    section: Section
    method: str
    looked_at: int
    seen: Seen
    units: Mapping[str, Array]
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
    section = Section(title, meter.metrics())
    return Measured(section, method, total, seen, meter.units(spread), meter.left_out(title))


class _Meter:
    """Compares a gradient with derivatives, entry by entry and along a direction."""

    def __init__(self, allowance: Allowance, seen: Seen, weights: Mapping[str, Array]) -> None:
        self._allowance, self._seen, self._weights = allowance, seen, weights
        self._meter = Meter(allowance.multiple)
        held_in = (value.dtype.name for value in weights.values())
        self._dtype = coarsest(*held_in, *seen.dtypes.values())
        largest = max(float(np.abs(g).max(initial=0)) for g in seen.gradients.values())
        self._rounding = largest * unit_roundoff(np.dtype(self._dtype)) * allowance.multiple
        self._places: dict[str, list[tuple[int, ...]]] = {}
        self._left_out: dict[str, list[str]] = {CORNER: [], UNKNOWN: []}

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
        reasons = [_reason(one) for one in found]
        self._places[gradient(name)] = [
            place for place, reason in zip(places, reasons, strict=True) if not reason
        ]
        self._add(gradient(name), found, *parts)
        for reason, told in self._left_out.items():
            if count := reasons.count(reason):
                told.append(f"{count:,} of {len(found):,} entries of {name}")

    def along(self, name: str, v: Array, found: Derivative, spread: Array) -> None:
        actual = np.sum(self._seen.gradients[name] * v)
        slack = np.sum(self._seen.slack[name] * np.abs(v)) + self._rounding * math.sqrt(v.size)
        parts = actual, np.sqrt(np.sum((spread * v) ** 2)), slack
        self._add(f"{gradient(name)} along a direction", [found], *map(np.atleast_1d, parts))

    def _add(
        self, quantity: str, found: list[Derivative], actual: Array, spread: Array, slack: Array
    ) -> None:
        """Compare where there is a derivative; where there is none, nothing is compared."""
        kept = np.array([not _reason(one) for one in found])
        if not kept.any():
            self._meter.leave_out(quantity)
            return
        expected = {quantity: np.array([one.value for one in found])[kept]}
        error = ESTIMATE * np.array([one.error for one in found])
        units = self._allowance.units(
            expected, {quantity: spread[kept]}, {quantity: (slack + error)[kept]}, self._dtype
        )
        self._meter.add(0, {quantity: actual[kept]}, expected, units)

    def units(self, spread: Mapping[str, Array]) -> dict[str, Array]:
        """The units of the tolerance around the gradients themselves."""
        gradients = {name: g.astype(np.float64) for name, g in self._seen.gradients.items()}
        slack = {name: one + self._rounding for name, one in self._seen.slack.items()}
        return self._allowance.units(gradients, spread, slack, self._dtype)

    def left_out(self, title: str) -> tuple[str, ...]:
        """Which entries were not compared, and why."""
        return tuple(
            f"not compared at {title}, {', '.join(told)}: {reason}"
            for reason, told in self._left_out.items()
            if told
        )

    def metrics(self) -> tuple[Metrics, ...]:
        """What was measured, each entry with its place in the whole tensor."""
        return tuple(
            _placed(metrics, self._places[metrics.quantity])
            if metrics.quantity in self._places
            else metrics
            for metrics in self._meter.metrics()
        )


def _reason(found: Derivative) -> str:
    """Why there is nothing to hold an entry against; empty if there is."""
    if found.jump > 0:
        return CORNER
    return "" if math.isfinite(found.value) and math.isfinite(found.error) else UNKNOWN


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
