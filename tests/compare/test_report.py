"""The report: verdicts, plain data, a notebook's view."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
from enum import Enum
from typing import Any

import numpy as np
import pytest

from compare import CannotCompare, Report, UsageError, Verdict, compare
from compare.measure.meter import Meter
from compare.results.verdict import judge
from reference import Tanh
from tests.support.noise import noise_case


def disagreeing(monkeypatch: pytest.MonkeyPatch) -> Report:
    with monkeypatch.context() as planted:
        planted.setattr(Tanh, "backward", lambda layer, params, y, dy: (dy, {}))
        return compare(noise_case(monkeypatch))


def leaves(value: Any) -> list[Any]:
    """All that a report is made of, however deep."""
    if dataclasses.is_dataclass(value):
        several = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, dict):
        several = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple):
        several = list(value)
    else:
        return [value]
    return [leaf for one in several for leaf in leaves(one)]


def test_verdicts_are_the_exit_codes() -> None:
    codes = {verdict.name: verdict.value for verdict in Verdict}
    assert codes == {"AGREE": 0, "DISAGREE": 1, "NOTHING": 4}
    assert (UsageError.exit_code, CannotCompare.exit_code) == (2, 3)


def test_numbers_are_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    report = disagreeing(monkeypatch)
    history = report.history
    found = leaves(
        [getattr(report, f.name) for f in dataclasses.fields(report) if f.name != "history"]
        + [list(history.epochs), list(history.reference), list(history.torch)]
        + [report.failures]
    )
    assert {type(leaf) for leaf in found if not isinstance(leaf, Enum)} <= {
        bool,
        int,
        float,
        str,
        type(None),
    }


def test_report_cannot_be_changed() -> None:
    report = compare("line", epochs=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.tolerance = "none"  # type: ignore[misc]


def test_report_can_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    for report in (compare("line", epochs=2), disagreeing(monkeypatch)):
        assert pickle.loads(pickle.dumps(report)).to_json() == report.to_json()  # noqa: S301


def test_failures_name_what_differs_and_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    report = disagreeing(monkeypatch)
    first = report.first_divergence
    assert first is not None
    assert first.difference is not None
    assert first.difference.error > first.allowed > 0
    assert first.difference.actual != first.difference.expected
    text = str(first)
    for part in (
        "lockstep",
        "epoch 1",
        "gradient at 0[",
        "should be",
        "allowed",
        "mismatched elements",
    ):
        assert part in text


def test_all_failures_are_reported_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    report = disagreeing(monkeypatch)
    lockstep = [failure.quantity for failure in report.failures if failure.check == "lockstep"]
    assert lockstep == [
        "gradient at 0",
        "gradient 0.weight",
        "gradient 0.bias",
        "gradient at input",
        "parameter 0.weight",
        "parameter 0.bias",
    ]
    assert [failure.check for failure in report.failures] == sorted(
        (failure.check for failure in report.failures), reverse=True
    )


def test_json_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(disagreeing(monkeypatch).to_json())
    assert (told["verdict"], told["agrees"]) == ("disagree", False)
    assert told["first_divergence"].startswith("lockstep, epoch 1: gradient at 0[")
    assert len(told["lockstep"]) == 18
    assert told["case"]["name"] == "noise"
    assert {"numpy", "torch", "python"} <= told["versions"].keys()


def test_json_of_infinite_and_missing_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    case = noise_case(monkeypatch)
    monkeypatch.setattr(Tanh, "backward", lambda layer, params, y, dy: (dy * math.nan, {}))
    told = json.loads(compare(case).to_json(), parse_constant=pytest.fail)
    assert told["verdict"] == "disagree"
    assert "nan" in compare(case).to_json()


def test_notebook_shows_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    agreeing, differing = (
        compare("line", epochs=2)._repr_html_(),
        disagreeing(monkeypatch)._repr_html_(),
    )
    for html, verdict in ((agreeing, "agree: line"), (differing, "DISAGREE: noise")):
        assert html.startswith("<pre")
        assert html.endswith("</pre>")
        assert verdict in html
        assert "\x1b" not in html
    assert "gradient at 0" in differing


def test_learning_is_told_apart_from_agreement() -> None:
    """Seed 2 of xor ends in a local minimum, on both sides."""
    learned, stuck = (compare("xor", epochs=2000, lockstep_every=100, seed=seed) for seed in (0, 2))
    for report in (learned, stuck):
        assert report.agrees
        assert report.reference.learned == report.torch.learned == (report is learned)


def test_losses_are_those_at_start_and_end() -> None:
    report = compare("xor", epochs=50)
    history = report.history
    assert list(history.epochs) == list(range(1, 51))
    assert history.reference[0] == pytest.approx(report.reference.loss_before, rel=1e-14)
    assert report.reference.loss_after < history.reference[-1] < report.reference.loss_before
    assert history.torch[0] == pytest.approx(report.torch.loss_before, rel=1e-14)


def test_progress_is_told_each_epoch() -> None:
    seen: list[int] = []
    compare("line", epochs=5, progress=seen.append)
    assert seen == [1, 2, 3, 4, 5]


def test_training_that_overflows_cannot_be_compared() -> None:
    with pytest.raises(CannotCompare, match=r"overflows: at epoch 2, .* not finite"):
        compare("line", lr=1e300, epochs=10)


def test_entries_are_counted_among_those_of_their_own_batch() -> None:
    """A full batch differs, and the last one, which has fewer entries, does not."""
    meter = Meter(1.0)
    for epoch, rows, error in ((1, 5, 1.0), (2, 2, 0.0)):
        expected = np.ones((rows, 4))
        units = {"activation 0": np.full(expected.shape, 0.1)}
        meter.add(epoch, {"activation 0": expected + error}, {"activation 0": expected}, units)
    failure = judge("lockstep", meter.metrics()[0], 1.0)
    assert "(mismatched elements: 20 of 20, 100.0%; greatest relative" in str(failure)


@pytest.mark.parametrize(
    ("actual", "expected", "told"),
    [
        ([2.2, 100.0, 1.0], [2.0, 101.0, 1.0], "2 of 3, 66.7%; greatest relative difference: 0.1)"),
        ([1e-9, 3.0], [0.0, 2.0], "1 of 2, 50.0%; greatest relative difference: 0.5)"),
        ([-1.0, 2.0], [0.0, 2.0], "1 of 2, 50.0%; greatest relative difference: inf)"),
        ([math.nan, 2.0], [1.0, 2.0], "1 of 2, 50.0%; greatest relative difference: inf)"),
        ([math.inf, 3.0], [math.inf, 2.0], "1 of 2, 50.0%; greatest relative difference: 0.5)"),
    ],
)
@pytest.mark.parametrize("evenly", [True, False])
def test_greatest_relative_difference_is_that_of_mismatched_elements(
    actual: list[float], expected: list[float], told: str, evenly: bool
) -> None:
    sides = {"loss": np.array(actual)}, {"loss": np.array(expected)}
    meter = Meter(1.0)
    if evenly:
        meter.add_evenly(1, *sides, {"loss": 1e-6})
    else:
        meter.add(1, *sides, {"loss": np.full(len(actual), 1e-6)})
    assert str(judge("lockstep", meter.metrics()[0], 1.0)).endswith(told)
