"""What is no number, or not finite, is planted at every place: none of it is called agreement."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from compare import CrossReport, Report, Verdict, compare, crosscheck
from compare.base.quantities import Array
from compare.measure.meter import Meter
from compare.measure.metrics import Difference, Metrics
from compare.measure.rounding import Rounded
from compare.measure.tolerances import TOLERANCES, Computed, make
from compare.own.oracle.autograd import Autograd
from compare.referee.claim import Claim, judge_claim
from compare.referee.derivative import Derivative, confirmed
from compare.results.checked import Checked
from compare.results.own_report import Section
from compare.training.envelope import Envelope

BAD = (math.nan, math.inf, -math.inf)
NO_UNIT = (*BAD, -1e-15)

NAMES = ("gradient a", "gradient b", "gradient c")
EPOCHS = 3
UNIT = 1e-15
MULTIPLE = 8.0

#: Entries that differ in size and sign, and a 0.
TENSOR = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -0.25]])

PLACES = list(np.ndindex(TENSOR.shape))
WHERE = list(product(range(EPOCHS), NAMES, PLACES))

Change = Callable[[Array, Array, Array], None]


def entrywise(meter: Meter, epoch: int, *sides: dict[str, Array]) -> None:
    meter.add(epoch, *sides)


def evenly(
    meter: Meter,
    epoch: int,
    actual: dict[str, Array],
    expected: dict[str, Array],
    units: dict[str, Array],
) -> None:
    """The unit of all entries is the one that was changed, if any was."""
    several = {
        name: next((float(u) for u in unit.flat if u != UNIT), UNIT) for name, unit in units.items()
    }
    meter.add_evenly(epoch, actual, expected, several)


WAYS: dict[str, Callable[..., None]] = {"add": entrywise, "add_evenly": evenly}

each_way = pytest.mark.parametrize("way", WAYS)


def measured(way: str, where: tuple[int, str, tuple[int, ...]], change: Change) -> Meter:
    """What a meter makes of some epochs of some tensors, of which one is changed."""
    meter = Meter(MULTIPLE)
    for epoch in range(EPOCHS):
        sides: tuple[dict[str, Array], ...] = tuple(
            {name: start.copy() for name in NAMES}
            for start in (TENSOR + 2e-15, TENSOR, np.full(TENSOR.shape, UNIT))
        )
        if epoch == where[0]:
            actual, expected, units = (side[where[1]] for side in sides)
            change(actual, expected, units)
        WAYS[way](meter, epoch + 1, *sides)
    return meter


@cache
def a_report() -> Report:
    return compare("line", epochs=1)


def reports(metrics: tuple[Metrics, ...]) -> Iterator[Any]:
    """Every kind of result that has a verdict, all of the same metrics."""
    report = replace(a_report(), multiple=MULTIPLE, free_run_multiple=MULTIPLE, free_run=())
    yield replace(report, lockstep=metrics)
    other = measured("add", WHERE[0], lambda *sides: None).metrics()
    yield replace(report, lockstep=other, free_run=metrics)
    section = Section("your weights", metrics)
    yield CrossReport("", "", MULTIPLE, (section,), None, (), (), 18, {})
    apart = Section("drawn weights", other)
    yield CrossReport("", "", MULTIPLE, (apart, section), None, (), (), 18, {})


def verdicts(meter: Meter) -> set[Verdict]:
    assert meter.failed == any(m.first_beyond(MULTIPLE) is not None for m in meter.metrics())
    found = {report.verdict for report in reports(meter.metrics())}
    checked = Checked("", "", "", "", MULTIPLE, meter.metrics())
    assert checked.agrees == (found == {Verdict.AGREE})
    return found


def put(which: int, place: tuple[int, ...], value: float) -> Change:
    """Change an entry of the actual, the expected numbers, or the units."""

    def change(actual: Array, expected: Array, units: Array) -> None:
        (actual, expected, units)[which][place] = value

    return change


def put_both(place: tuple[int, ...], value: float, other: float) -> Change:
    def change(actual: Array, expected: Array, units: Array) -> None:
        actual[place], expected[place] = value, other

    return change


@each_way
def test_untouched_agrees(way: str) -> None:
    assert verdicts(measured(way, WHERE[0], lambda *sides: None)) == {Verdict.AGREE}


@each_way
@pytest.mark.parametrize("bad", BAD)
def test_value_that_is_not_finite_disagrees_and_is_named(way: str, bad: float) -> None:
    for where in WHERE:
        epoch, name, place = where
        for change in (
            put(0, place, bad),
            put(1, place, bad),
            put_both(place, bad, -bad),
            put_both(place, bad, math.nan),
            put_both(place, math.nan, bad),
        ):
            meter = measured(way, where, change)
            assert verdicts(meter) == {Verdict.DISAGREE}
            for report in reports(meter.metrics()):
                first = report.first_divergence
                assert (first.quantity, first.epoch) == (name, epoch + 1)
                assert (first.difference.index, first.difference.beyond) == (place, 1)


@each_way
@pytest.mark.parametrize("infinity", [math.inf, -math.inf])
def test_equal_infinities_agree(way: str, infinity: float) -> None:
    for where in WHERE:
        meter = measured(way, where, put_both(where[2], infinity, infinity))
        assert verdicts(meter) == {Verdict.AGREE}


@pytest.mark.parametrize("unit", NO_UNIT)
def test_equal_infinities_agree_whatever_their_unit(unit: float) -> None:
    """As where the unit is relative to the value: 0 times infinity is not a number."""

    def change(actual: Array, expected: Array, units: Array) -> None:
        actual[1, 1] = expected[1, 1] = math.inf
        units[1, 1] = unit

    assert verdicts(measured("add", WHERE[0], change)) == {Verdict.AGREE}


@each_way
def test_infinities_do_not_hide_another_entry(way: str) -> None:
    def change(actual: Array, expected: Array, units: Array) -> None:
        actual[0, 0] = expected[0, 0] = math.inf
        actual[1, 2] += 1e-9

    meter = measured(way, WHERE[0], change)
    assert verdicts(meter) == {Verdict.DISAGREE}
    first = next(reports(meter.metrics())).first_divergence
    assert first.difference.index == (1, 2)


def test_infinities_alone_show_nothing() -> None:
    """A tensor that is infinite throughout would not notice a scaling."""
    infinite = {"gradient a": np.full(3, math.inf)}
    meter = Meter(1.0)
    meter.add(1, infinite, infinite, {"gradient a": np.full(3, UNIT)})
    assert verdicts(meter) == {Verdict.NOTHING, Verdict.AGREE}  # lockstep beside it agrees


@each_way
@pytest.mark.parametrize("unit", NO_UNIT)
@pytest.mark.parametrize("off", [0.0, 1e-9, 1e9])
def test_unit_that_is_no_number_is_no_agreement(way: str, unit: float, off: float) -> None:
    for where in WHERE:
        _, name, place = where

        def change(actual: Array, expected: Array, units: Array) -> None:
            units[place] = unit  # noqa: B023 - called at once
            actual[place] = expected[place] + off  # noqa: B023

        meter = measured(way, where, change)
        assert verdicts(meter) == {Verdict.NOTHING}
        for report in reports(meter.metrics()):
            assert [one.removesuffix(" (free run)") for one in report.unjudged] == [name]


@each_way
def test_unit_that_is_no_number_is_told(way: str) -> None:
    metrics = measured(way, WHERE[-1], put(2, WHERE[-1][2], math.nan)).metrics()
    in_lockstep, in_free_run, own, _ = reports(metrics)
    for report, name in (
        (in_lockstep, "gradient c"),
        (in_free_run, "gradient c (free run)"),
        (own, "gradient c"),
    ):
        headline, *lines = str(report).splitlines()
        assert headline.startswith("not decidable: ")
        assert headline.endswith(f"what is allowed of {name} could not be computed")
        told = [line for line in lines if "what is allowed could not be computed" in line]
        assert [line.endswith(f": {name}") for line in told] == [True]


@pytest.mark.parametrize("unit", NO_UNIT)
def test_unit_that_is_no_number_hides_no_other_entry(unit: float) -> None:
    for where in WHERE:
        _, name, place = where
        for other in PLACES:
            if other == place:
                continue

            def change(actual: Array, expected: Array, units: Array) -> None:
                units[place] = unit  # noqa: B023 - called at once
                actual[other] += 1e-9  # noqa: B023

            meter = measured("add", where, change)
            assert verdicts(meter) == {Verdict.DISAGREE}
            first = next(reports(meter.metrics())).first_divergence
            assert (first.quantity, first.difference.index) == (name, other)
            assert first.difference.beyond == 1


@each_way
@pytest.mark.parametrize("unit", NO_UNIT)
@pytest.mark.parametrize("bad", BAD)
def test_unit_that_is_no_number_excuses_no_value_that_is_none(
    way: str, unit: float, bad: float
) -> None:
    def change(actual: Array, expected: Array, units: Array) -> None:
        units[0, 1], actual[0, 1] = unit, bad

    meter = measured(way, WHERE[0], change)
    assert verdicts(meter) == {Verdict.DISAGREE}
    first = next(reports(meter.metrics())).first_divergence
    assert (first.difference.index, first.difference.beyond) == ((0, 1), 1)
    assert "what is allowed could not be computed" in str(first)


@each_way
def test_allowance_that_overflows_is_no_agreement(way: str) -> None:
    assert verdicts(measured(way, WHERE[0], put(2, (0, 0), 1e308))) == {Verdict.NOTHING}


@each_way
def test_difference_that_overflows_disagrees(way: str) -> None:
    change = put_both((0, 0), 1.7e308, -1.7e308)
    assert verdicts(measured(way, WHERE[0], change)) == {Verdict.DISAGREE}


@each_way
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_without_any_allowance_equality_alone_agrees(way: str, zero: float) -> None:
    def equal(actual: Array, expected: Array, units: Array) -> None:
        actual[:], units[:] = expected, zero

    assert verdicts(measured(way, WHERE[0], equal)) == {Verdict.AGREE}
    meter = measured(way, WHERE[0], put(2, (0, 0), zero))
    assert verdicts(meter) == {Verdict.DISAGREE}


@pytest.mark.parametrize(
    ("actual", "expected", "unit", "ratio"),
    [
        (1.0, 1.0, math.nan, 0.0),
        (math.inf, math.inf, 1.0, 0.0),
        (-math.inf, math.inf, math.inf, math.inf),
        (math.nan, math.nan, 1.0, math.inf),
        (1.0, 2.0, math.nan, math.inf),
        (1.0, 2.0, math.inf, math.inf),
        (1.0, 2.0, -1.0, math.inf),
        (1.0, 2.0, 0.0, math.inf),
        (1.0, 3.0, 0.5, 4.0),
    ],
)
def test_ratio_is_a_number(actual: float, expected: float, unit: float, ratio: float) -> None:
    assert Difference(1, (), actual, expected, unit).ratio == ratio


# Where units come from.


@pytest.mark.parametrize("name", [name for name in TOLERANCES if name != "fixed"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_error_that_is_no_number_makes_the_unit_unknown(name: str, bad: float) -> None:
    tolerance = make(name)
    assert isinstance(tolerance, Computed)
    error = np.array([1e-17, bad, 1e-17])
    value = np.array([1.0, 2.0, 3.0])
    computed: Any = Rounded(value, tolerance.model, error)
    _, unit = tolerance.split(computed, value)
    assert np.isinf(unit).tolist() == [False, True, False]


@pytest.mark.parametrize("name", TOLERANCES)
def test_infinite_entry_does_not_widen_the_others(name: str) -> None:
    tolerance = make(name, *((1e-9, 1e-9) if name == "fixed" else ()))
    value = np.array([1.0, -math.inf, 3.0])
    with np.errstate(all="ignore"):
        _, unit = tolerance.split(tolerance.lift(value), value)
    assert (unit[[0, 2]] < 1e-7).all()


def test_power_of_nothing_has_no_error() -> None:
    """x⁰ is 1 whatever x, also where x may be 0."""
    tolerance = make("statistical")
    assert isinstance(tolerance, Computed)
    x = Rounded(np.array([1e-17, 0.0, 2.0]), tolerance.model, np.array([1e-16, 1e-16, 1e-16]))
    with np.errstate(all="ignore"):
        assert np.isfinite((x**0).error).all()


def test_envelope_that_is_no_number_is_a_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Envelope.sizes
    for bad in (math.nan, math.inf):
        with monkeypatch.context() as planted:
            planted.setattr(
                Envelope, "sizes", lambda self, feed, bad=bad: right(self, feed) | {"loss": bad}
            )
            report = compare("xor", epochs=3)
        assert report.horizon == 1
        assert report.free_run == ()


def test_copies_that_are_lost_make_the_envelope_infinite() -> None:
    for bad in BAD:
        report_sizes = partial(_sizes_with_lost_copies, bad)
        assert all(size == math.inf or math.isfinite(size) for size in report_sizes().values())
        assert math.inf in report_sizes().values()


def _sizes_with_lost_copies(bad: float) -> dict[str, float]:
    from compare.cases.registry import find
    from compare.sides.feed import Feed
    from compare.sides.pair import build

    case = find("xor")
    pair, feed = build(case), Feed(case)
    envelope = Envelope(pair.reference.model, 0)
    values = {f"parameter {n}": p for n, p in pair.reference.weights().items()}
    values |= {"loss": np.array(0.5)}
    envelope.hear(values, {name: np.zeros(np.shape(v)) for name, v in values.items()})
    with np.errstate(all="ignore"):
        (batch,) = next(iter(feed.batches(1, pair.reference)))
        envelope._params = {n: p * 1.0 for n, p in envelope._params.items()}
        next(iter(envelope._params.values()))[0].flat[0] = bad
        envelope.step(*batch)
        return envelope.sizes(feed)


def test_derivative_that_is_no_number_decides_nothing() -> None:
    for value, error in product((1.0, *BAD), (0.0, math.nan, math.inf)):
        if math.isfinite(value) and error == 0:
            continue
        found = Derivative(value, error, "")
        assert judge_claim(found, 1.0, 1.0, 0.0) is Claim.UNCLEAR
        exact = Derivative(1.0, 0.0, "complex step")
        assert confirmed(exact, found) is found


# The user's own network.

X = np.array([[0.3, -1.2], [0.8, 0.1], [-0.5, 0.9]])


def check(monkeypatch: pytest.MonkeyPatch, bad: float, factor: Array) -> CrossReport:
    """Two gradients, of the one of which an entry's rounding is not known."""
    weight = np.array([[0.5, -1.0], [2.0, 0.3]])
    right = Autograd._spread

    def spread(self: Autograd, *args: Any) -> tuple[dict[str, Array], str]:
        found, why = right(self, *args)
        found["w"][0, 1] = bad
        return found, why

    def gradients() -> dict[str, Array]:
        slope = 1 - np.tanh(X @ weight + 0.1) ** 2
        return {"w": X.T @ slope * factor, "b": slope.sum(0)}

    def torch_loss(p: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.tanh(torch.tensor(X) @ p["w"] + p["b"]).sum()

    monkeypatch.setattr(Autograd, "_spread", spread)
    parameters = {"w": weight, "b": np.full(2, 0.1)}
    return crosscheck(parameters, grads=gradients, torch_loss=torch_loss, draws=0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        ([[1.0, 1.0], [1.0, 1.0]], Verdict.NOTHING),
        ([[1.0, 1.3], [1.0, 1.0]], Verdict.NOTHING),
        ([[1.0, 1.3], [1.0, 1.0 + 1e-9]], Verdict.DISAGREE),
    ],
)
def test_rounding_that_is_not_known_is_no_agreement(
    monkeypatch: pytest.MonkeyPatch, bad: float, factor: list[list[float]], verdict: Verdict
) -> None:
    report = check(monkeypatch, bad, np.array(factor))
    assert report.verdict is verdict
    assert report.unjudged == ("gradient w",)
    if verdict is Verdict.DISAGREE:
        assert report.first_divergence is not None
        assert report.first_divergence.difference is not None
        assert report.first_divergence.difference.index == (1, 1)
