"""Measuring: each quantity of one side against the other's, epoch after epoch.

What is no number never passes. A value that is not a number differs from everything, an infinite
one from all but the same infinity. Where what is allowed is negative, infinite or not a number,
nothing can be judged: that comparison is *unjudged*, which is neither a failure nor agreement; its
other entries are compared all the same.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Mapping

import numpy as np

from compare.base.quantities import Array, Observation
from compare.measure.history import Thinned
from compare.measure.metrics import Difference, Metrics, ratio
from compare.measure.tolerances import largest_finite

#: A scaling that a check must notice, or it shows nothing.
NOTICEABLE = 0.05


class Gauge:
    """Collects the comparisons of one quantity.

    Attributes:
        highest: the largest ratio so far; −1 before the first.
    """

    def __init__(self, quantity: str) -> None:
        self.quantity = quantity
        self.shape: tuple[int, ...] = ()
        self.checks = 0
        self.vacuous = 0
        self.unjudged = 0
        self.detectable = Thinned()
        self.largest = 0.0
        self.records: list[Difference] = []
        self.highest = -1.0
        self.structure: str | None = None
        self.structure_epoch = 0

    def count(self, tensor: Array, allowed: float) -> None:
        """Note one more comparison of a tensor, and how much of a change it would have noticed."""
        self.shape = tensor.shape
        self.checks += 1
        if self.detectable.due:
            self.largest = largest_finite(tensor)
        judged = 0 <= allowed < math.inf
        detectable = allowed / self.largest if judged and self.largest > 0 else math.inf
        self.unjudged += not judged
        self.vacuous += not detectable < NOTICEABLE
        self.detectable.add(detectable)

    def note(self, difference: Difference, multiple: float) -> None:
        """Keep a difference that is larger than all before it.

        One that is hardly larger takes the place of the one before, so that a slow rise does not
        fill the memory; but the first beyond the limit stays.
        """
        beyond = [record.ratio > multiple for record in self.records[-2:]]
        alike = len(set(beyond)) == 1 and beyond[0] == (difference.ratio > multiple)
        if alike and len(beyond) == 2 and difference.ratio < 1.1 * self.highest:
            self.records.pop()
        self.records.append(difference)
        self.highest = difference.ratio

    def metrics(self) -> Metrics:
        return Metrics(
            self.quantity,
            self.shape,
            self.checks,
            self.vacuous,
            statistics.median(self.detectable.values) if self.checks else math.inf,
            tuple(self.records),
            self.structure,
            self.structure_epoch,
            self.unjudged,
        )


class Meter:
    """Compares whole observations and remembers, for each quantity, what matters of it.

    Args:
        multiple: how many units a difference may have.
    """

    def __init__(self, multiple: float) -> None:
        self.multiple = multiple
        self.gauges: dict[str, Gauge] = {}

    def metrics(self) -> tuple[Metrics, ...]:
        """What was measured so far, in the order in which it is computed."""
        return tuple(gauge.metrics() for gauge in self.gauges.values())

    @property
    def failed(self) -> bool:
        """Whether anything so far differs by more than is allowed."""
        return any(
            gauge.structure is not None or not gauge.highest <= self.multiple
            for gauge in self.gauges.values()
        )

    def reject(self, epoch: int, reasons: Mapping[str, str]) -> None:
        """Note quantities that could not be compared at all, and why."""
        for name, reason in reasons.items():
            gauge = self._gauge(name)
            gauge.structure, gauge.structure_epoch = reason, epoch

    def leave_out(self, quantity: str) -> None:
        """Note a quantity of which nothing can be compared; it stays undecided."""
        self._gauge(quantity)

    def add(
        self, epoch: int, actual: Observation, expected: Observation, units: Observation
    ) -> Array:
        """Compare two observations with the same keys and shapes, in the order of the first.

        All quantities are laid end to end, so that a step of many small tensors costs no more
        calls than one of a few large ones.

        Returns:
            The largest difference of each quantity, in units.
        """
        with np.errstate(all="ignore"):
            flat = _Flat(
                list(actual.values()),
                [expected[name] for name in actual],
                [units[name] for name in actual],
                self.multiple,
            )
        highest, detectable = list(map(float, flat.highest)), list(map(float, flat.detectable))
        vacuous, unjudged = list(map(int, flat.vacuous)), list(map(int, flat.unjudged))
        for position, (name, tensor) in enumerate(actual.items()):
            gauge = self._gauge(name)
            gauge.shape = tensor.shape
            gauge.checks += 1
            gauge.vacuous += vacuous[position]
            gauge.unjudged += unjudged[position]
            gauge.detectable.add(detectable[position])
            if highest[position] > gauge.highest:
                gauge.note(flat.difference(position, tensor.shape, epoch), self.multiple)
        return flat.highest

    def add_evenly(
        self, epoch: int, actual: Observation, expected: Observation, units: Mapping[str, float]
    ) -> bool:
        """Compare like :meth:`add`, with one unit for all entries of a quantity.

        Returns:
            Whether all differences are finite.
        """
        with np.errstate(all="ignore"):
            finite = [
                self._add_evenly(epoch, name, actual[name], expected[name], unit)
                for name, unit in units.items()
            ]
        return all(finite)

    def _add_evenly(
        self, epoch: int, name: str, actual: Array, expected: Array, unit: float
    ) -> bool:
        gauge = self._gauge(name)
        error, allowed = np.abs(actual - expected), self.multiple * unit
        largest = float(error.max())
        finite = largest < math.inf
        if not finite:
            error = np.where(actual == expected, 0.0, error)  # equal infinities
            largest = float(error.max())
            finite = largest < math.inf
        known = 0 <= allowed < math.inf or not finite
        if known and ratio(largest, unit) > gauge.highest:
            gauge.note(_worst(epoch, error, actual, expected, unit, allowed), self.multiple)
        gauge.count(expected, allowed)
        return finite

    def _gauge(self, quantity: str) -> Gauge:
        gauge = self.gauges.get(quantity)
        if gauge is None:
            gauge = self.gauges[quantity] = Gauge(quantity)
        return gauge


class _Flat:
    """One observation of both sides, laid end to end."""

    def __init__(
        self, actual: list[Array], expected: list[Array], units: list[Array], multiple: float
    ) -> None:
        sizes = [tensor.size for tensor in expected]
        self.starts = np.cumsum([0, *sizes[:-1]])
        self.ends = self.starts + sizes
        self.actual = _join(actual)
        self.expected = _join(expected)
        self.units = _join(units) + 0.0  # those that are −0 become 0
        error = np.abs(self.actual - self.expected)
        size = np.abs(self.expected)
        if not error.max() < np.inf:
            alike = (self.actual == self.expected) & np.isinf(self.actual)
            error, self.units = np.where(alike, 0.0, error), np.where(alike, 0.0, self.units)
            size = np.where(np.isfinite(size), size, 0.0)
        allowed = multiple * self.units
        self.ratio = _over(error, self.units)
        self.beyond = ~(error <= allowed)
        self.unjudged = np.zeros(len(sizes), bool)
        if not (allowed.min() >= 0 and allowed.max() < np.inf):
            allowed = self._leave_unjudged(error, allowed)
        self.highest = np.maximum.reduceat(self.ratio, self.starts)
        self.detectable = np.minimum.reduceat(_over(allowed, size, empty=np.inf), self.starts)
        self.vacuous = (self.detectable >= NOTICEABLE) | self._permutable(allowed) | self.unjudged

    def _leave_unjudged(self, error: Array, allowed: Array) -> Array:
        """Take out entries of which it is not known what is allowed, and give the other limits.

        Where a side is infinite or not a number, that is wrong, whatever is allowed.
        """
        unknown = ~((allowed >= 0) & (allowed < np.inf))
        self.unjudged = np.logical_or.reduceat(unknown, self.starts)
        finite = error < np.inf
        self.beyond = np.where(unknown, ~finite, self.beyond)
        self.ratio = np.where(unknown, np.where(finite, -1.0, np.inf), self.ratio)
        return np.where(unknown, np.inf, allowed)

    def _permutable(self, allowed: Array) -> Array:
        """Whether moving each entry on by one place would pass, though the entries differ."""
        moved = np.roll(self.expected, 1)
        moved[self.starts] = self.expected[self.ends - 1]
        passes = np.logical_and.reduceat(np.abs(moved - self.expected) <= allowed, self.starts)
        spread = np.maximum.reduceat(self.expected, self.starts) - np.minimum.reduceat(
            self.expected, self.starts
        )
        answer: Array = passes & (spread > np.maximum.reduceat(allowed, self.starts))
        return answer

    def difference(self, position: int, shape: tuple[int, ...], epoch: int) -> Difference:
        start, end = int(self.starts[position]), int(self.ends[position])
        worst = start + int(np.argmax(self.ratio[start:end]))
        return Difference(
            epoch,
            tuple(int(i) for i in np.unravel_index(worst - start, shape)),
            float(self.actual[worst]),
            float(self.expected[worst]),
            float(self.units[worst]),
            int(self.beyond[start:end].sum()),
            end - start,
            _relative(*(side[start:end] for side in (self.actual, self.expected, self.beyond))),
        )


def _worst(
    epoch: int, error: Array, actual: Array, expected: Array, unit: float, allowed: float
) -> Difference:
    """The largest difference of a tensor whose entries all have the same unit."""
    index = np.unravel_index(int(error.argmax()), error.shape)
    limit = allowed if 0 <= allowed < math.inf else sys.float_info.max
    beyond = ~(error <= limit)
    return Difference(
        epoch,
        tuple(int(i) for i in index),
        float(actual[index]),
        float(expected[index]),
        unit,
        int(beyond.sum()),
        error.size,
        _relative(actual, expected, beyond),
    )


def _relative(actual: Array, expected: Array, beyond: Array) -> float | None:
    """The greatest relative difference among the entries that differ by more than is allowed."""
    if not beyond.any():
        return None
    with np.errstate(all="ignore"):
        error = np.abs(actual[beyond] - expected[beyond])
        return float(_over(error, np.abs(expected[beyond])).max())


def _join(tensors: list[Array]) -> Array:
    return np.concatenate([tensor.ravel() for tensor in tensors], dtype=np.float64)


def _over(numerator: Array, denominator: Array, empty: float = 0.0) -> Array:
    """The quotient; ``empty`` for 0/0, infinite for what is not a number."""
    quotient: Array = numerator / denominator
    lost = np.isnan(quotient)
    if not lost.any():
        return quotient
    neither = (numerator == 0) & (denominator == 0)
    return np.where(lost, np.where(neither, empty, np.inf), quotient)


def structure(actual: Mapping[str, Array], expected: Mapping[str, Array]) -> dict[str, str]:
    """Where two observations cannot be compared: keys, shapes or dtypes that differ."""
    found: dict[str, str] = {}
    for name in [*expected, *(name for name in actual if name not in expected)]:
        if name not in actual:
            found[name] = "the reference does not have it"
        elif name not in expected:
            found[name] = "PyTorch does not have it"
        elif actual[name].shape != expected[name].shape:
            found[name] = f"shape is {actual[name].shape}, but should be {expected[name].shape}"
        elif actual[name].dtype != expected[name].dtype:
            found[name] = f"dtype is {actual[name].dtype}, but should be {expected[name].dtype}"
    return found
