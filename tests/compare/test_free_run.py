"""The free run: long ones without a false alarm, unstable ones up to their horizon."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from compare import Case, Report, Verdict, compare
from compare.cases.registry import DTYPES, adapt, find
from compare.measure.tolerances import make
from compare.sides.feed import Feed
from compare.sides.pair import build
from compare.training import checked_epochs, envelope
from compare.training.envelope import Envelope
from compare.training.free_run import MULTIPLE
from reference import Array, Linear, Model, Params
from tests.support.noise import noise_case
from tests.support.one_step import one_step

each_dtype = pytest.mark.parametrize("dtype", DTYPES)

#: 64-128-10 with so high a learning rate that rounding differences grow a thousandfold an epoch.
UNSTABLE: dict[str, Any] = {"hidden": (128,), "lr": 20.0, "batch_size": 100, "epochs": 12}


def unstable(**changes: Any) -> Report:
    return compare("digits", **UNSTABLE | {"dtype": "float32"} | changes)


def distance(report: Report) -> Array:
    """How far the losses of the two sides are apart, epoch by epoch."""
    return np.abs(np.subtract(report.history.reference, report.history.torch))


@each_dtype
def test_xor_for_5000_epochs(dtype: str) -> None:
    report = compare("xor", epochs=5000, dtype=dtype)
    assert report.verdict is Verdict.AGREE
    assert report.reference.learned
    assert report.horizon is None
    assert report.growth == pytest.approx(1, abs=0.02)
    checks = len(list(checked_epochs.stretches(5000)))
    assert {metrics.checks for metrics in report.free_run} == {checks}
    assert checks < 500
    for metrics in report.free_run:
        assert metrics.worst is not None
        assert metrics.worst.ratio < MULTIPLE / 10


@given(last=st.integers(1, 20_000))
def test_free_run_is_measured_each_epoch_at_first_then_ever_more_rarely(last: int) -> None:
    stretches = list(checked_epochs.stretches(last))
    assert [epoch for epochs in stretches for epoch in epochs] == list(range(1, last + 1))
    for epochs in stretches:
        assert (
            1 <= len(epochs) <= min(1 + epochs[0] // checked_epochs.EVERY, checked_epochs.LONGEST)
        )
    alone = {epochs[0] for epochs in stretches if len(epochs) == 1}
    assert alone >= set(range(1, min(last, checked_epochs.EVERY) + 1))
    assert len(stretches) < 500 + last / checked_epochs.LONGEST


def test_unstable_training_agrees_up_to_its_horizon_and_in_lockstep_beyond() -> None:
    report = unstable(epochs=30, batch_size=50)
    assert report.verdict is Verdict.AGREE
    assert distance(report).max() > 1e-3  # of losses of order 0.1: two different trainings
    assert report.horizon is not None
    assert report.horizon <= 3
    assert report.growth is not None
    assert report.growth > 10
    assert min(metrics.checks for metrics in report.lockstep) == 30
    assert all(metrics.checks < report.horizon for metrics in report.free_run)


def test_horizon_is_later_in_higher_precision() -> None:
    single, double = (unstable(dtype=dtype) for dtype in ("float32", "float64"))
    for report in (single, double):
        assert report.verdict is Verdict.AGREE
    assert single.horizon is not None
    assert single.horizon < (double.horizon or math.inf)


def test_free_run_is_compared_before_the_horizon_and_not_after() -> None:
    report = unstable()
    assert report.horizon is not None
    assert report.horizon > 1
    assert {metrics.checks for metrics in report.free_run} == {report.horizon - 1}


def plant_from(monkeypatch: pytest.MonkeyPatch, at: int) -> Any:
    """Let the last bias gradient be 1 % too large from one epoch on; gives the progress to use."""
    right, now = Linear.backward, {"epoch": 1}

    def backward(layer: Linear, params: Params, cache: Any, dy: Array) -> Any:
        dx, grads = right(layer, params, cache, dy)
        if now["epoch"] >= at and layer.out_features == 10:
            grads = grads | {"bias": grads["bias"] * 1.01}
        return dx, grads

    monkeypatch.setattr(Linear, "backward", backward)
    return lambda epoch: now.update(epoch=epoch + 1)


@pytest.mark.parametrize("at", [6, 12])
def test_fault_beyond_the_horizon_is_caught_in_lockstep(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    report = unstable(progress=plant_from(monkeypatch, at))
    assert report.horizon is not None
    assert report.horizon < at
    assert report.verdict is Verdict.DISAGREE
    first = report.first_divergence
    assert first is not None
    assert (first.check, first.quantity, first.epoch) == ("lockstep", "gradient 2.bias", at)
    assert {failure.check for failure in report.failures} == {"lockstep"}


# Faults that lockstep cannot see, as it makes one step at a time.


def accumulating(model: Model, x: Array, target: Array) -> float:
    """Gradients are added to those of the step before instead of replacing them."""
    value, grads = reference.gradients(model.network, model.loss, model.params, x, target)
    held = getattr(model, "held", {})
    grads = {name: grad + held.get(name, 0) for name, grad in grads.items()}
    vars(model)["held"] = grads
    model.params, model.state = model.optimizer.step(model.params, grads, model.state)
    return float(value)


def every_tenth_left_out(model: Model, x: Array, target: Array) -> float:
    """The tenth step is not made."""
    count = vars(model)["count"] = getattr(model, "count", 0) + 1
    value, grads = reference.gradients(model.network, model.loss, model.params, x, target)
    if count % 10:
        model.params, model.state = model.optimizer.step(model.params, grads, model.state)
    return float(value)


def loss_after_the_step(model: Model, x: Array, target: Array) -> float:
    """The loss that is given is that of the new parameters."""
    _, grads = reference.gradients(model.network, model.loss, model.params, x, target)
    model.params, model.state = model.optimizer.step(model.params, grads, model.state)
    return float(model.loss.forward(model.predict(x), target)[0])


@each_dtype
@pytest.mark.parametrize(
    ("step", "first", "epoch"),
    [
        (accumulating, "parameter 0.weight", {"xor": 2, "digits": 1}),
        (every_tenth_left_out, "parameter 0.weight", {"xor": 10, "digits": 1}),
        (loss_after_the_step, "loss", {"xor": 1, "digits": 1}),
    ],
)
@pytest.mark.parametrize("name", ["xor", "digits"])
def test_fault_in_training_alone_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, step: Any, first: str, epoch: Any, dtype: str
) -> None:
    monkeypatch.setattr(Model, "step", step)
    report = compare(name, epochs=15 if name == "xor" else 2, dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    assert {failure.check for failure in report.failures} == {"free run"}
    assert report.failures[0].epoch == epoch[name]
    assert first in {f.quantity for f in report.failures if f.epoch == epoch[name]}


@each_dtype
def test_last_partial_batch_that_is_dropped_is_caught(
    monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    case = noise_case(monkeypatch)
    right = Model.step
    monkeypatch.setattr(
        Model, "step", lambda model, x, t: right(model, x, t) if len(x) == 3 else 0.0
    )
    report = compare(case, dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    assert {failure.check for failure in report.failures} == {"free run"}


# The envelope.


def sizes_after(case: Case, epochs: int, seed: int) -> dict[str, float]:
    """The envelope of a case after some epochs of the reference alone."""
    pair, feed = build(case), Feed(case)
    cloud = Envelope(pair.reference.model, seed)
    found: dict[str, float] = {}
    with pair.torch.training():
        ours, theirs = next(feed.batches(1, pair.reference, pair.torch))
        step = one_step(pair, make(None), ours, theirs)
    cloud.hear(step.actual, step.units)
    for epoch in range(1, epochs + 1):
        for (batch,) in feed.batches(epoch, pair.reference):
            cloud.step(*batch)
        found = dict(cloud.sizes(feed))
    return found


def typical_sizes(case: Case, epochs: int) -> dict[str, float]:
    """The median over some seeds: a single one may be ten times as far off."""
    several = [sizes_after(case, epochs, seed) for seed in range(5)]
    return {name: float(np.median([sizes[name] for sizes in several])) for name in several[0]}


@each_dtype
@pytest.mark.parametrize(("name", "epochs"), [("xor", 200), ("digits", 2)])
def test_perturbed_copies_one_by_one_and_stacked_are_as_far_away(
    monkeypatch: pytest.MonkeyPatch, name: str, epochs: int, dtype: str
) -> None:
    case = adapt(find(name), dtype=dtype)
    stacked = typical_sizes(case, epochs)
    monkeypatch.setattr(Envelope, "_can_be_stacked", lambda cloud, x, target: False)
    for quantity, size in typical_sizes(case, epochs).items():
        assert size == pytest.approx(stacked[quantity], rel=0.5), quantity


@each_dtype
def test_perturbed_copies_train_like_the_reference_but_each_with_errors_of_its_own(
    dtype: str,
) -> None:
    case = adapt(find("xor-tanh"), dtype=dtype)
    pair, feed = build(case), Feed(case)
    cloud = Envelope(pair.reference.model, 0)
    with pair.torch.training():
        ours, theirs = next(feed.batches(1, pair.reference, pair.torch))
        step = one_step(pair, make(None), ours, theirs)
    cloud.hear(step.actual, step.units)
    for _ in range(50):
        cloud.step(*ours)
        pair.reference.step(*ours)
    sizes = cloud.sizes(feed)
    for name, value in pair.reference.weights().items():
        copies = cloud._params[name]
        assert copies.dtype == value.dtype
        assert len(copies) == envelope.MEMBERS
        for copy in copies:
            assert 0 < np.abs(copy - value).max() <= 10 * sizes[f"parameter {name}"]
            np.testing.assert_allclose(
                copy, value, rtol=0, atol=1e-4 if dtype == "float32" else 1e-13
            )
        assert all((one != other).any() for one, other in combinations(copies, 2))


@each_dtype
def test_errors_of_several_steps_at_once_are_as_large_as_step_by_step(
    monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    case = adapt(find("xor"), dtype=dtype)
    together = typical_sizes(case, 400)
    monkeypatch.setattr(envelope, "SELDOM", 1)
    for quantity, size in typical_sizes(case, 400).items():
        assert 1 / 3 < together[quantity] / size < 3, quantity


@each_dtype
def test_fault_late_in_training_is_caught_at_the_next_look(
    monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    right, now = Model.step, {"step": 0}

    def late(model: Model, x: Array, target: Array) -> float:
        now["step"] += 1
        if now["step"] > 1000:
            model.params = {name: p * (1 + 1e-3) for name, p in model.params.items()}
        return right(model, x, target)

    monkeypatch.setattr(Model, "step", late)
    report = compare("xor", epochs=1100, dtype=dtype)
    looks = [epochs[-1] for epochs in checked_epochs.stretches(1100)]
    assert report.verdict is Verdict.DISAGREE
    assert {failure.check for failure in report.failures} == {"free run"}
    assert report.failures[0].epoch == min(look for look in looks if look > 1000)


def test_fixed_tolerance_has_neither_envelope_nor_horizon() -> None:
    report = unstable(rtol=1e-3, atol=1e-3)
    assert (report.horizon, report.growth) == (None, None)
    assert report.verdict is Verdict.DISAGREE  # what a fixed tolerance makes of rounding
    assert {failure.check for failure in report.failures} == {"free run"}
