"""A small relative error in any one gradient is caught whenever the check says that it would be."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from compare import Verdict, compare
from compare.base.quantities import Array
from compare.cases.registry import DTYPES, adapt, find
from compare.measure.meter import Meter
from compare.measure.metrics import Metrics
from compare.measure.step_records import StepOutcome
from compare.measure.tolerances import make
from compare.sides.feed import Feed
from compare.sides.pair import build
from compare.training.session import Session
from reference import Linear, Params
from tests.support.one_step import one_step

#: What is planted: relative to the whole tensor.
PLANTED = {"float32": 1e-2, "float64": 1e-9}

#: The largest median of the minimum detectable faults of the gradients of digits.
DETECTABLE = {"float32": 1e-3, "float64": 2e-12}

#: After how many epochs of training a step is looked at: in the first, the middle and the last.
TRAINED = {"xor": (0, 1000, 1999), "digits": (0, 14, 29)}

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_name = pytest.mark.parametrize("name", TRAINED)


@cache
def steps(name: str, dtype: str) -> list[StepOutcome]:
    """Steps of a training in lockstep, at its begin, its middle and its end."""
    case, tolerance = adapt(find(name), dtype=dtype), make(None)
    pair, feed = build(case), Feed(case)
    found = []
    with pair.torch.training():
        for epoch in range(TRAINED[name][-1] + 1):
            for number, (ours, theirs) in enumerate(
                feed.batches(epoch, pair.reference, pair.torch)
            ):
                if number == 0 and epoch in TRAINED[name]:
                    found.append(one_step(pair, tolerance, ours, theirs))
                else:
                    pair.torch.step(*theirs)
    return found


def metrics_of(actual: Array, step: StepOutcome, quantity: str) -> Metrics:
    """One check of one quantity."""
    meter = Meter(make(None).multiple)
    meter.add(
        1, {quantity: actual}, {quantity: step.expected[quantity]}, {quantity: step.units[quantity]}
    )
    return meter.metrics()[0]


def gradients(step: StepOutcome) -> list[str]:
    return [name for name in step.actual if name.startswith("gradient ")]


@each_dtype
@each_name
def test_error_in_any_gradient_at_any_time_is_caught_when_said_so(name: str, dtype: str) -> None:
    multiple, planted = make(None).multiple, PLANTED[dtype]
    claimed = several = 0
    for step in steps(name, dtype):
        assert len(gradients(step)) == 9
        for quantity in gradients(step):
            right = step.actual[quantity].astype(np.float64)
            detectable = metrics_of(right, step, quantity).detectable
            assert metrics_of(right, step, quantity).first_beyond(multiple) is None
            several += 1
            for sign in (1, -1):
                wrong = metrics_of(right * (1 + sign * planted), step, quantity)
                caught = wrong.first_beyond(multiple) is not None
                if 1.2 * detectable < planted:
                    assert caught, (quantity, detectable)
                if detectable > 1.2 * planted:
                    assert not caught, (quantity, detectable)
            claimed += detectable < planted
    assert claimed >= 0.9 * several  # it does say so of nearly all


@each_dtype
@each_name
def test_minimum_detectable_fault_is_what_it_is_called(name: str, dtype: str) -> None:
    """A little more is caught, a little less is not, in every quantity."""
    multiple = make(None).multiple
    for step in steps(name, dtype):
        for quantity, expected in step.expected.items():
            right = expected.astype(np.float64)
            detectable = metrics_of(right, step, quantity).detectable
            assert detectable > 0
            for share, caught in ((0.9, False), (1.1, True)):
                wrong = metrics_of(right * (1 + share * detectable), step, quantity)
                assert (wrong.first_beyond(multiple) is not None) == (
                    caught and bool(np.any(expected))
                ), (quantity, detectable)


@each_dtype
def test_median_of_the_minimum_detectable_faults_is_small(dtype: str) -> None:
    report = compare("digits", epochs=4, dtype=dtype)
    found = {m.quantity: m.detectable for m in report.lockstep if m.quantity.startswith("gradient")}
    assert len(found) == 9
    median = float(np.median([*found.values()]))
    assert median <= DETECTABLE[dtype], found


def scaled(monkeypatch: pytest.MonkeyPatch, layer: int, name: str, factor: float) -> Any:
    """Plant a factor on one gradient of the layer of that width; it acts while switched on."""
    right, switch = Linear.backward, {"on": False}

    def backward(self: Linear, params: Params, cache: Any, dy: Array) -> Any:
        dx, grads = right(self, params, cache, dy)
        if switch["on"] and self.out_features == layer:
            grads = grads | {name: grads[name] * factor}
        return dx, grads

    monkeypatch.setattr(Linear, "backward", backward)
    return switch


#: By case: the widths of the two layers, so that a layer can be told by them.
WIDTHS = {"xor": {"0": 2, "2": 1}, "digits": {"0": 32, "2": 10}}

EPOCHS = 5


@cache
def said(name: str, dtype: str) -> dict[str, list[float]]:
    """The minimum detectable fault of each quantity in each epoch, without a fault."""
    case, tolerance = adapt(find(name), epochs=EPOCHS, dtype=dtype, batch_size=300), make(None)
    pair = build(case)
    with pair.torch.training(), np.errstate(all="ignore"):
        session = Session(case, tolerance, pair, Feed(case))
        session.train()
    assert session.report().agrees
    return {name: gauge.detectable.values for name, gauge in session.lockstep.gauges.items()}


@pytest.mark.usefixtures("verdict_alone")
@each_dtype
@pytest.mark.parametrize("parameter", ["weight", "bias"])
@pytest.mark.parametrize("layer", ["0", "2"])
@pytest.mark.parametrize("at", [1, 3, EPOCHS])
@pytest.mark.parametrize("name", WIDTHS)
def test_error_in_the_reference_at_one_epoch_is_caught_and_named(
    monkeypatch: pytest.MonkeyPatch, name: str, at: int, layer: str, parameter: str, dtype: str
) -> None:
    quantity = f"gradient {layer}.{parameter}"
    assert said(name, dtype)[quantity][at - 1] < PLANTED[dtype] / 2
    switch = scaled(monkeypatch, WIDTHS[name][layer], parameter, 1 + PLANTED[dtype])
    switch["on"] = at == 1

    def progress(epoch: int) -> None:
        switch["on"] = epoch + 1 == at

    report = compare(name, epochs=EPOCHS, dtype=dtype, progress=progress, batch_size=300)
    assert report.verdict is Verdict.DISAGREE
    first = report.first_divergence
    assert first is not None
    assert (first.check, first.quantity, first.epoch) == ("lockstep", quantity, at)


# Checks that could not have failed.


def vacuous(expected: list[float], allowed: list[float]) -> bool:
    """Whether one comparison of a tensor with itself is called vacuous."""
    meter = Meter(1.0)
    tensor = np.array(expected)
    meter.add(1, {"q": tensor}, {"q": tensor}, {"q": np.array(allowed)})
    (metrics,) = meter.metrics()
    assert metrics.decided == (metrics.vacuous == 0)
    return not metrics.decided


def test_check_that_zeros_would_pass_shows_nothing() -> None:
    assert vacuous([1.0, -2.0], [1.0, 2.0])
    assert vacuous([0.0, 0.0], [1e-300, 1e-300])
    assert not vacuous([1.0, -2.0], [1.0, 0.01])


def test_check_that_a_scaled_tensor_would_pass_shows_nothing() -> None:
    assert vacuous([1.0, 2.0, 5.0], [0.06, 0.11, 0.26])
    assert not vacuous([1.0, 2.0, 5.0], [0.06, 0.11, 0.24])


def test_check_that_a_permuted_tensor_would_pass_shows_nothing() -> None:
    hill = [1000.0, 1001.0, 1002.0, 1003.0, 1002.0, 1001.0]
    assert vacuous(hill, [1.5] * 6)
    assert not vacuous(hill, [0.9] * 6)
    assert not vacuous([7.0] * 6, [0.1] * 6)  # equal entries cannot be permuted


def test_tensors_are_permuted_each_by_itself() -> None:
    meter = Meter(1.0)
    seen = {"a": np.array([1000.0, 1001.0]), "b": np.array([5.0, 5.0]), "c": np.array([9.0])}
    meter.add(1, seen, seen, {name: np.full(value.shape, 0.1) for name, value in seen.items()})
    assert [metrics.vacuous for metrics in meter.metrics()] == [0, 0, 0]


@each_dtype
def test_what_could_not_have_failed_is_listed_and_not_counted(dtype: str) -> None:
    """With so wide a tolerance only the outputs, of order 1, could still have failed."""
    report = compare("xor", epochs=3, dtype=dtype, rtol=0.0, atol=0.03)
    assert report.verdict is Verdict.AGREE
    assert "gradient 0.weight" in report.undecided
    assert not {"activation 1", "activation 3"} & set(report.undecided)
    for metrics in report.lockstep:
        assert (metrics.quantity in report.undecided) == (metrics.vacuous == metrics.checks)


@each_dtype
def test_nothing_decided_is_exit_code_4(dtype: str) -> None:
    report = compare("digits", epochs=1, dtype=dtype, rtol=0.06, atol=0.0)
    assert (report.failures, report.verdict) == ((), Verdict.NOTHING)
    assert report.verdict.value == 4
    assert len(report.undecided) == len(report.lockstep)
