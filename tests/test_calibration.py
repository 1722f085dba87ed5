"""A quick calibration: networks without a fault raise no alarm, and come nowhere near one."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch

from benchmarks import calibration_page
from benchmarks.calibrate import EQUAL, Tally, quantile, several
from benchmarks.calibration_page import DOCS
from benchmarks.sample_networks import draw
from compare import compare
from compare.measure.meter import Meter
from compare.measure.tolerances import MULTIPLE
from compare.training.free_run import MULTIPLE as FREE_RUN_MULTIPLE
from reference import Array, Linear, Params

#: Seeds of sample networks. Every tenth has two threads; those left out take seconds each.
SEEDS = (range(1, 4), range(5, 10), range(11, 13), range(14, 40), range(41, 60), range(61, 66))

CHECKS = {
    f"{check} {dtype}" for check in ("lockstep", "free run") for dtype in ("float32", "float64")
}


@pytest.fixture(autouse=True)
def _same_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def tally(seeds: tuple[range, ...], tolerance: str | None = None) -> Tally:
    total = Tally()
    for part in seeds:
        total.merge(several(part, tolerance))
    return total


@cache
def all_seeds() -> Tally:
    return tally(SEEDS)


#: Networks on which an earlier calibration raised false alarms.
EXPLODING = (
    4940,  # explodes in one step, and then overflows on one side alone
    8133,  # reaches the largest numbers that float64 has
)


@pytest.mark.parametrize("seed", EXPLODING)
def test_exploding_networks_raise_no_alarm(seed: int) -> None:
    found = several(range(seed, seed + 1), None)
    assert found.alarms == []
    assert found.overflows == found.runs == 1


def test_no_false_alarm_and_nothing_near_one() -> None:
    found = all_seeds()
    assert found.alarms == []
    assert found.runs == sum(map(len, SEEDS)) == 60
    assert found.bins.keys() == found.largest.keys() == CHECKS
    assert sum(counts.total() for counts in found.bins.values()) > 8000
    assert found.overflows < found.runs / 4
    for check, (ratio, where) in found.largest.items():
        multiple = MULTIPLE if check.startswith("lockstep") else FREE_RUN_MULTIPLE
        assert ratio < multiple / 2, f"{check}: {ratio} at {where}"


def test_tolerance_is_not_wide_either() -> None:
    """The unit is of the size of the differences: most are a good part of it.

    How many numbers are the same on both sides is a matter of the processor, and says nothing.
    """
    found = all_seeds()
    for check in ("lockstep float32", "lockstep float64"):
        differing = Counter(found.bins[check])
        del differing[EQUAL]
        assert 0.05 < quantile(differing, 0.5) < 1
        assert found.largest[check][0] > 1


def test_rigorous_tolerance_has_no_false_alarm() -> None:
    found = tally((range(21, 30), range(51, 56)), "rigorous")
    assert found.alarms == []
    for check, (ratio, where) in found.largest.items():
        if check.startswith("lockstep"):
            assert ratio <= 1, f"{check}: {ratio} at {where}"


def test_calibration_would_notice_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Linear.backward

    def backward(layer: Linear, params: Params, cache: object, dy: Array) -> tuple[Array, Params]:
        dx, grads = right(layer, params, cache, dy)
        return dx, grads | {"weight": grads["weight"] * 1.01}

    monkeypatch.setattr(Linear, "backward", backward)
    found = tally((range(31, 35),))
    assert found.alarms
    assert max(ratio for ratio, _ in found.largest.values()) > MULTIPLE


def test_samples_differ_and_are_repeatable() -> None:
    samples = [draw(seed) for seed in range(300)]
    cases = [sample.case for sample in samples]
    sizes = [case.arguments["sizes"] for case in cases]
    assert {len(widths) - 1 for widths in sizes} == set(range(1, 9))
    widths = [width for several in sizes for width in several]
    assert (min(widths), max(widths) > 900) == (1, True)
    assert {case.dtype for case in cases} == {"float32", "float64"}
    assert {case.loss for case in cases} == {"HalfSquaredErrorLoss", "MSELoss"}
    activations = {case.arguments["activation"] for case in cases}
    assert activations == {"sigmoid", "tanh", "relu", "identity"}
    batches = [len(sample.dataset.inputs) for sample in samples]
    assert (min(batches), max(batches) > 300) == (1, True)
    inputs = [float(np.abs(sample.dataset.inputs).max()) for sample in samples]
    assert min(inputs) < 0.01
    assert max(inputs) > 1000
    rates = [case.lr for case in cases]
    assert min(rates) < 1e-3
    assert max(rates) > 1
    assert any((sample.dataset.inputs == 0).any() for sample in samples)
    again = draw(7)
    assert again.case == samples[7].case
    for name, value in again.weights.items():
        np.testing.assert_array_equal(value, samples[7].weights[name])


def test_quantiles_and_sums_of_tallies() -> None:
    one, other = Tally(runs=1, alarms=["a"]), Tally(runs=2, horizons=1)
    for ratio in (0.0, 1.0, 2.0):
        one.note("check", ratio, f"at {ratio}")
    other.note("check", 64.0, "there")
    one.merge(other)
    assert (one.runs, one.horizons, one.alarms) == (3, 1, ["a"])
    assert one.largest == {"check": (64.0, "there")}
    assert [quantile(one.bins["check"], share) for share in (0.25, 0.5, 0.75, 1.0)] == [0, 1, 2, 64]


def test_page_tells_the_calibration_that_is_kept() -> None:
    page = (DOCS / "tolerances.md").read_text()
    found = json.loads((DOCS / "calibration.json").read_text())
    assert calibration_page.renewed(page, found) == page
    assert found["multiples"] == {"lockstep": MULTIPLE, "free run": FREE_RUN_MULTIPLE}
    assert found["false alarms"] == []
    other = found | {"runs": found["runs"] + 1}
    assert calibration_page.renewed(page, other) != page


# Long runs do not fill the memory.


def rising(meter: Meter, epochs: range, growth: float) -> None:
    expected, units = {"q": np.ones(4)}, {"q": np.full(4, 1e-12)}
    for epoch in epochs:
        actual = {"q": expected["q"] + np.array([0, 1e-12 * growth**epoch, 0, 0])}
        meter.add(epoch, actual, expected, units)


def test_slow_rise_fills_no_memory_and_loses_no_first() -> None:
    growth, meter = 1.0005, Meter(5.0)
    rising(meter, range(1, 20_001), growth)
    gauge = meter.gauges["q"]
    assert gauge.checks == 20_000
    assert len(gauge.records) < 300
    assert len(gauge.detectable.values) <= gauge.detectable.capacity
    first = gauge.metrics().first_beyond(5.0)
    assert first is not None
    exact = int(np.ceil(np.log(5) / np.log(growth)))
    assert abs(first.epoch - exact) <= 5  # 1 + 5e-12 is itself rounded
    ratios = [record.ratio for record in gauge.records]
    assert ratios == sorted(ratios)


def test_memory_of_a_meter_does_not_grow() -> None:
    meter = Meter(1e30)
    rising(meter, range(2_000), 1.0001)
    tracemalloc.start()
    try:
        rising(meter, range(2_000, 4_000), 1.0001)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 30_000  # bytes; 2,000 kept records would be ten times as much


def test_report_of_a_long_run_is_no_larger() -> None:
    sizes = [
        len(pickle.dumps(compare("line", epochs=epochs, lockstep_every=1, lr=1e-4)))
        for epochs in (1100, 2100)
    ]
    assert sizes[1] < 1.5 * sizes[0] < 200_000
