"""Measuring: each quantity of one side against the other's, epoch after epoch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

import numpy as np

from compare.history import Thinned
from compare.metrics import Difference, Metrics
from compare.observation import Array, Observation

#: A scaling that a check must notice, or it shows nothing.
NOTICEABLE = 0.05


class Gauge:
    """Collects the comparisons of one quantity."""

    def __init__(self, quantity: str) -> None:
        self.quantity = quantity
        self.shape: tuple[int, ...] = ()
        self.checks = 0
        self.vacuous = 0
        self.detectable = Thinned()
        self.largest = 0.0
        self.records: list[Difference] = []
        self.structure: str | None = None
        self.structure_epoch = 0

    @property
    def highest(self) -> float:
        """The largest ratio so far; −1 before the first."""
        return self.records[-1].ratio if self.records else -1.0

    def count(self, tensor: Array, allowed: float) -> None:
        """Note one more comparison of a tensor, and how much of a change it would have noticed."""
        self.shape = tensor.shape
        self.checks += 1
        if self.detectable.due:
            self.largest = float(np.abs(tensor).max())
        detectable = allowed / self.largest if self.largest > 0 else math.inf
        self.vacuous += not detectable < NOTICEABLE
        self.detectable.add(detectable)

    def record(
        self, epoch: int, error: Array, actual: Array, expected: Array, unit: float, multiple: float
    ) -> None:
        """Note the largest difference of a tensor whose entries all have the same unit."""
        index = np.unravel_index(int(error.argmax()), error.shape)
        beyond = int(np.sum(~(error <= multiple * unit)))
        where = tuple(int(i) for i in index)
        pair = float(actual[index]), float(expected[index])
        self.note(Difference(epoch, where, *pair, unit, beyond, error.size), multiple)

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
            gauge = self.gauges.setdefault(name, Gauge(name))
            gauge.structure, gauge.structure_epoch = reason, epoch

    def leave_out(self, quantity: str) -> None:
        """Note a quantity of which nothing can be compared; it stays undecided."""
        self.gauges.setdefault(quantity, Gauge(quantity))

    def add(
        self, epoch: int, actual: Observation, expected: Observation, units: Observation
    ) -> Array:
        """Compare two observations with the same keys and shapes, in the order of the first.

        All quantities are laid end to end, so that a step of many small tensors costs no more
        calls than one of a few large ones.

        Returns:
            The largest difference of each quantity, in units.
        """
        flat = _Flat(
            list(actual.values()),
            [expected[name] for name in actual],
            [units[name] for name in actual],
            self.multiple,
        )
        for position, (name, tensor) in enumerate(actual.items()):
            gauge = self.gauges.setdefault(name, Gauge(name))
            gauge.shape = tensor.shape
            gauge.checks += 1
            gauge.vacuous += int(flat.vacuous[position])
            gauge.detectable.add(float(flat.detectable[position]))
            if flat.highest[position] > gauge.highest:
                gauge.note(flat.difference(position, tensor.shape, epoch), self.multiple)
        return flat.highest

    def add_evenly(
        self, epoch: int, actual: Observation, expected: Observation, units: Mapping[str, float]
    ) -> bool:
        """Compare like :meth:`add`, with one unit for all entries of a quantity.

        Returns:
            Whether all differences are finite.
        """
        finite = True
        for name, unit in units.items():
            gauge = self.gauges.setdefault(name, Gauge(name))
            error = np.abs(actual[name] - expected[name])
            largest = float(error.max())
            finite &= math.isfinite(largest)
            if not (finite or np.isfinite(actual[name]).all() or np.isfinite(expected[name]).all()):
                continue  # on both sides alike: neither right nor wrong
            if not largest <= gauge.highest * unit:
                gauge.record(epoch, error, actual[name], expected[name], unit, self.multiple)
            gauge.count(expected[name], self.multiple * unit)
        return finite


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
        self.units = _join(units)
        allowed = multiple * self.units
        error = np.abs(self.actual - self.expected)
        self.ratio = _over(error, self.units)
        self.beyond = ~(error <= allowed)
        self.highest = np.maximum.reduceat(self.ratio, self.starts)
        size = np.abs(self.expected)
        self.detectable = np.minimum.reduceat(_over(allowed, size, empty=np.inf), self.starts)
        self.vacuous = (self.detectable >= NOTICEABLE) | self._permutable(allowed)

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
        )


def _join(tensors: list[Array]) -> Array:
    return np.concatenate([tensor.ravel() for tensor in tensors]).astype(np.float64)


def _over(numerator: Array, denominator: Array, empty: float = 0.0) -> Array:
    """The quotient; ``empty`` for 0/0, infinite for what is not a number."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = np.where((numerator == 0) & (denominator == 0), empty, numerator / denominator)
    result: Array = np.where(np.isnan(quotient), np.inf, quotient)
    return result


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
