"""Half the tolerance passes and twice the tolerance fails, for every quantity of every check."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from compare.base.quantities import LOSS, Array, Observation, parameter
from compare.cases.registry import DTYPES, adapt, find
from compare.measure.meter import Meter
from compare.measure.metrics import Metrics
from compare.measure.step_records import StepOutcome
from compare.measure.tolerances import Tolerance, make
from compare.sides.feed import Feed
from compare.sides.pair import Pair, build
from compare.training.free_run import FreeRun
from tests.support.one_step import one_step

TOLERANCES: dict[str, Callable[[], Tolerance]] = {
    "statistical": lambda: make("statistical"),
    "rigorous": lambda: make("rigorous"),
    "fixed": lambda: make("fixed", 1e-3, 1e-6),
}

NAMES = ("xor", "xor-relu", "digits")

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_tolerance = pytest.mark.parametrize("tolerance", TOLERANCES)
each_name = pytest.mark.parametrize("name", NAMES)

BAD = (math.nan, math.inf, -math.inf)


@pytest.fixture(autouse=True)
def _without_warnings() -> Iterator[None]:
    """As a session does, which expects numbers that are not finite."""
    with np.errstate(all="ignore"):
        yield


def batch(pair: Pair, feed: Feed) -> list[tuple[Any, Any]]:
    return next(feed.batches(1, pair.reference, pair.torch))


@cache
def step_of(name: str, dtype: str, tolerance: str) -> StepOutcome:
    """The first step of a case, in lockstep."""
    case = adapt(find(name), dtype=dtype)
    pair = build(case)
    with pair.torch.training():
        ours, theirs = batch(pair, Feed(case))
        step = one_step(pair, TOLERANCES[tolerance](), ours, theirs)
    assert not step.differing
    assert len(step.actual) >= 18
    return step


def judged(quantity: str, actual: Array, expected: Array, units: Array, multiple: float) -> Metrics:
    """What the meter makes of one quantity, among others."""
    other = np.ones(3)
    meter = Meter(multiple)
    meter.add(
        1,
        {"before": other, quantity: actual, "after": other},
        {"before": other, quantity: expected, "after": other},
        {"before": other, quantity: units, "after": other},
    )
    before, metrics, after = meter.metrics()
    for untouched in (before, after):
        assert untouched.first_beyond(multiple) is None
    return metrics


def moved(expected: Array, units: Array, by: float, rng: np.random.Generator) -> tuple[Array, Any]:
    """The tensor in double precision, with one random entry moved by so many units."""
    actual = expected.astype(np.float64)
    index = tuple(int(rng.integers(length)) for length in expected.shape)
    actual[index] += by * np.asarray(units)[index] * (-1) ** rng.integers(2)
    return actual, index


def quantities(step: StepOutcome) -> Iterator[tuple[str, Array, Array]]:
    for name, expected in step.expected.items():
        yield name, expected, np.asarray(step.units[name])


@each_dtype
@each_tolerance
@each_name
def test_half_passes_and_twice_fails(name: str, tolerance: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    multiple = TOLERANCES[tolerance]().multiple
    for quantity, expected, units in quantities(step_of(name, dtype, tolerance)):
        for _ in range(3):
            half, _ = moved(expected, units, 0.5 * multiple, rng)
            metrics = judged(quantity, half, expected, units, multiple)
            assert metrics.first_beyond(multiple) is None, quantity
            twice, index = moved(expected, units, 2 * multiple, rng)
            found = judged(quantity, twice, expected, units, multiple).first_beyond(multiple)
            assert found is not None, quantity
            assert (found.index, found.beyond) == (index, 1)
            assert found.ratio == pytest.approx(2 * multiple, rel=0.25)  # but for its own rounding


@each_dtype
@each_tolerance
def test_what_is_not_finite_fails_on_either_side(tolerance: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    multiple = TOLERANCES[tolerance]().multiple
    for quantity, expected, units in quantities(step_of("xor", dtype, tolerance)):
        index = tuple(int(rng.integers(length)) for length in expected.shape)
        for bad in BAD:
            broken = expected.copy()
            broken[index] = bad
            opposite = broken.copy()
            opposite[index] = -bad
            for pair in ((broken, expected), (expected, broken), (broken, opposite)):
                found = judged(quantity, *pair, units, multiple).first_beyond(multiple)
                assert found is not None, (quantity, bad)
                assert (found.index, found.beyond) == (index, 1)


@each_dtype
@pytest.mark.parametrize("bad", BAD)
def test_unit_that_is_not_finite_excuses_nothing_that_is_not(bad: float, dtype: str) -> None:
    expected = np.ones(3, dtype)
    broken = np.array([1, bad, 1], dtype)
    for unit in (math.inf, 0.0, 1.0):
        units = np.full(3, unit)
        for pair in ((broken, expected), (expected, broken), (broken, -broken)):
            assert judged("q", *pair, units, 1.0).first_beyond(1.0) is not None


def test_exactly_the_tolerance_passes_and_a_little_more_fails() -> None:
    expected, units = np.ones(4), np.full(4, 2.0**-20)
    for by, fails in ((8.0, False), (8.0 + 2.0**-20, True)):
        actual = expected + np.array([0, 0, by * 2.0**-20, 0])
        assert (judged("q", actual, expected, units, 8.0).first_beyond(8.0) is not None) == fails


def test_no_tolerance_at_all_allows_equality_alone() -> None:
    expected, units = np.array([1.0, 0.0]), np.zeros(2)
    assert judged("q", expected, expected, units, 1.0).first_beyond(1.0) is None
    other = np.array([1.0, 5e-324])
    assert judged("q", other, expected, units, 1.0).first_beyond(1.0) is not None


# The free run.


class Moved(FreeRun):
    """A free run whose reference has been moved, in one entry of one quantity."""

    quantity = LOSS
    by = 0.0
    bad: float | None = None
    side = 0

    def trajectories(self, *losses: float) -> tuple[Observation, Observation]:
        both = tuple(
            {name: np.array(value, np.float64) for name, value in side.items()}
            for side in super().trajectories(*losses)
        )
        expected = both[1][self.quantity]
        self.index = tuple(int(np.random.default_rng(0).integers(n)) for n in expected.shape)
        if self.bad is not None:
            both[self.side][self.quantity][self.index] = self.bad
        else:
            both[0][self.quantity] = np.array(expected)
            both[0][self.quantity][self.index] += self.by * self.unit(expected)
        return both[0], both[1]

    def unit(self, expected: Array) -> float:
        """The unit of the tolerance at the entry that is moved."""
        if self.envelope is not None:
            return self.envelope._sizes[self.quantity]
        return float(self.tolerance.split(expected, expected)[1][self.index])


def free_run_of(name: str, dtype: str, tolerance: str) -> tuple[Moved, float]:
    """After one epoch's training with the envelope measured, but nothing compared yet."""
    case = adapt(find(name), dtype=dtype)
    limits = TOLERANCES[tolerance]()
    pair, feed = build(case), Feed(case)
    run = Moved(pair, feed, limits, seed=0)
    with pair.torch.training():
        for number, (ours, theirs) in enumerate(feed.batches(1, pair.reference, pair.torch)):
            if number == 0:
                step = one_step(pair, limits, ours, theirs)
                run.hear(step.actual, step.units)
            else:
                pair.torch.step(*theirs)
            pair.reference.step(*ours)
            run.step(*ours)
    if run.envelope is not None:  # measured now, and then kept, so that the unit is known
        sizes = run.envelope.sizes(feed)
        run.envelope.sizes = lambda feed: sizes  # type: ignore[method-assign]
    return run, 0.5


@each_dtype
@pytest.mark.parametrize("tolerance", ["statistical", "fixed"])
@each_name
def test_free_run_half_passes_and_twice_fails(name: str, tolerance: str, dtype: str) -> None:
    run, loss = free_run_of(name, dtype, tolerance)
    for quantity in (LOSS, *map(parameter, run.pair.reference.weights())):
        for by, fails in ((0.5, False), (2.0, True)):
            run.meter = Meter(run.multiple)
            run.quantity, run.by = quantity, by * run.multiple
            assert run.epoch(1, loss, loss)
            assert run.decides
            found = {m.quantity: m.first_beyond(run.multiple) for m in run.metrics()}
            assert {q for q, beyond in found.items() if beyond} == ({quantity} if fails else set())
            if fails:
                assert found[quantity].index == run.index  # type: ignore[union-attr]


@each_dtype
@pytest.mark.parametrize("tolerance", ["statistical", "fixed"])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("side", [0, 1])
def test_free_run_fails_on_what_is_not_finite(
    side: int, bad: float, tolerance: str, dtype: str
) -> None:
    run, loss = free_run_of("xor", dtype, tolerance)
    for quantity in (LOSS, *map(parameter, run.pair.reference.weights())):
        run.meter = Meter(run.multiple)
        run.quantity, run.bad, run.side = quantity, bad, side
        assert not run.epoch(1, loss, loss)
        found = {m.quantity: m.first_beyond(run.multiple) for m in run.metrics()}
        assert found[quantity] is not None
