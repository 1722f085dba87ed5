"""Agreement that could not have failed is not counted as agreement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compare import CASES, Case, Verdict, compare
from compare.cases.datasets import DATASETS, Dataset
from compare.cases.registry import DTYPES
from reference import Array, HalfSquaredErrorLoss
from tests.support.faults import FAULTS

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def solved(monkeypatch: pytest.MonkeyPatch) -> Case:
    """The straight line from the slope that it starts with: 1 · 5 + 3 is 8 and nothing is left."""
    monkeypatch.setitem(DATASETS, "solved", lambda: Dataset(np.array([[5.0]]), np.array([[8.0]])))
    return replace(CASES["line"], name="solved", data="solved", epochs=3)


@each_dtype
def test_zeros_show_nothing_and_are_listed(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    report = compare(solved(monkeypatch), dtype=dtype)
    nothing = {"loss", "gradient at 1", "gradient at 0", "gradient 0.weight", "gradient at input"}
    assert nothing <= set(report.undecided)
    assert not {"activation 0", "activation 1"} & set(report.undecided)


@each_dtype
def test_fault_that_zeros_hide_is_not_called_agreement_of_the_gradient(
    monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    fault = FAULTS["sign of the loss's gradient"]
    case = solved(monkeypatch)
    monkeypatch.setattr(
        HalfSquaredErrorLoss, "backward", fault.change(HalfSquaredErrorLoss.backward)
    )
    report = compare(case, dtype=dtype)
    assert report.failures == ()
    assert {"gradient at 1", "gradient 0.weight"} <= set(report.undecided)


@each_dtype
def test_line_that_has_long_been_learned(dtype: str) -> None:
    """At 1,000 epochs most gradients are 0; the first epochs are what the verdict rests on."""
    report = compare("line", epochs=1000, dtype=dtype)
    assert report.verdict is Verdict.AGREE
    assert report.reference.learned
    for metrics in report.lockstep:
        assert (metrics.quantity in report.undecided) == (metrics.checks == metrics.vacuous)
    by_name = {metrics.quantity: metrics for metrics in report.lockstep}
    assert by_name["gradient 0.weight"].vacuous > 0
    assert by_name["activation 0"].vacuous == 0


@each_dtype
def test_fault_in_a_line_that_has_long_been_learned(
    monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    """A gradient half as long ends at the same slope."""

    right = HalfSquaredErrorLoss.backward

    def halved(loss: HalfSquaredErrorLoss, cache: Any) -> Array:
        gradient: Array = 0.5 * right(loss, cache)
        return gradient

    monkeypatch.setattr(HalfSquaredErrorLoss, "backward", halved)
    report = compare("line", epochs=1000, dtype=dtype)
    assert report.reference.learned
    assert report.torch.learned
    assert report.verdict is Verdict.DISAGREE
    first = report.first_divergence
    assert first is not None
    assert (first.quantity, first.epoch) == ("gradient at 1", 1)


@each_dtype
def test_tolerance_that_allows_anything_decides_nothing(dtype: str) -> None:
    report = compare("xor", epochs=3, dtype=dtype, rtol=0.0, atol=1e3)
    assert report.failures == ()
    assert report.verdict is Verdict.NOTHING
    assert not report.agrees
    assert set(report.undecided) == {metrics.quantity for metrics in report.lockstep}
