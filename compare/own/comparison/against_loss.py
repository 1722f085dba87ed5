"""The user's gradients against the derivative of the user's own loss, where there is no other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from compare.base.quantities import Array, gradient
from compare.measure.meter import Meter
from compare.measure.metrics import Metrics
from compare.measure.rounding import unit_roundoff
from compare.own.comparison.against_torch import Look
from compare.own.oracle.autograd import Expected
from compare.own.oracle.gradient_tolerance import Allowance, coarsest
from compare.own.oracle.loss_derivative import Progress, Samples, is_derivative, sample
from compare.own.user.gradients import Seen
from compare.own.user.network import Subject
from compare.referee.derivative import Derivative
from compare.results.own_report import Section

#: So many runs at slightly different weights tell how far rounding goes.
RUNS = 4

#: A derivative by differences may be off by so many times its own estimate.
ESTIMATE = 16.0

#: How a comparison of a whole gradient is called.
ALONG = "along a direction"

#: Why an entry is not compared.
CORNER = (
    "the loss has a corner there, such as a ReLU whose input is exactly 0, and so no derivative; "
    "with torch_loss, they are compared with PyTorch's convention"
)
UNKNOWN = (
    "no derivative can be read from the values of the loss there; with torch_loss, they are held "
    "against autograd"
)


@dataclass(frozen=True)
class Alone(Look):
    """What was found at some weights and with some learning rate.

    ``expected`` holds the derivatives that were looked at, and nan elsewhere; ``units`` is what is
    allowed around the gradients themselves, without the errors of the derivatives.

    Attributes:
        samples: the derivatives.
        remarks: on what could not be compared.
    """

    samples: Samples = field(default_factory=lambda: Samples({}))
    remarks: tuple[str, ...] = ()

    def doubt(self, name: str) -> Array:
        return ESTIMATE * self.samples.errors(name, self.weights[name].shape)


def measure(
    subject: Subject,
    allowance: Allowance,
    weights: Mapping[str, Array],
    title: str,
    progress: Progress,
) -> Iterator[Alone]:
    """Hold the gradients at some weights against the derivative of the loss, at each rate."""
    samples: Samples | None = None
    for seen in subject.see_all(weights):
        spread = _spread(subject, weights, seen.lr, seen)
        meter = _Meter(allowance, seen, weights)
        fit = [name for name in weights if meter.fits(name)]
        if samples is None:
            samples = sample(subject.loss, weights, fit, progress)
        for name in fit:
            meter.at_entries(name, samples, spread[name])
            meter.along(name, samples, spread[name])
        left_out = meter.left_out(title) if seen.lr == subject.source.rates[0] else ()
        named = subject.titled(title, seen.lr)
        yield _look(named, seen, weights, samples, meter, spread, left_out)


def _look(
    title: str,
    seen: Seen,
    weights: Mapping[str, Array],
    samples: Samples,
    meter: _Meter,
    spread: Mapping[str, Array],
    left_out: tuple[str, ...],
) -> Alone:
    known = {name: samples.known(name, value.shape) for name, value in weights.items()}
    return Alone(
        title,
        weights,
        seen,
        Expected(math.nan, known),
        meter.units(spread),
        meter.wrong,
        Section(title, meter.metrics()),
        bool(meter.wrong),
        samples=samples,
        remarks=left_out,
    )


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

    def at_entries(self, name: str, samples: Samples, spread: Array) -> None:
        """Compare the entries of a gradient that were looked at."""
        places, found = samples.places[name], samples.entries.get(name, [])
        if not found:
            return
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

    def along(self, name: str, samples: Samples, spread: Array) -> None:
        """Compare the whole gradient in a direction."""
        if name not in samples.along:
            return
        v, found = samples.along[name]
        actual = np.sum(self._seen.gradients[name] * v)
        slack = np.sum(self._seen.slack[name] * np.abs(v)) + self._rounding * math.sqrt(v.size)
        parts = actual, np.sqrt(np.sum((spread * v) ** 2)), slack
        self._add(f"{gradient(name)} {ALONG}", [found], *map(np.atleast_1d, parts))

    @property
    def wrong(self) -> tuple[str, ...]:
        """The parameters whose gradients differ."""
        return tuple(name for name in self._weights if self._differs(name))

    def _differs(self, name: str) -> bool:
        gauges = (self._meter.gauges.get(f"{gradient(name)}{end}") for end in ("", f" {ALONG}"))
        return any(
            one.structure is not None or not one.highest <= self._meter.multiple
            for one in gauges
            if one is not None
        )

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
    """Why there is nothing to compare an entry with; empty if there is."""
    if found.jump > 0:
        return CORNER
    return "" if is_derivative(found) else UNKNOWN


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
