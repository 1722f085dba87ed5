"""Faults planted in the reference itself are read from its gradients, in both precisions."""

from __future__ import annotations

import pytest

from compare.base.quantities import gradient
from compare.cases.registry import DTYPES, Case
from compare.diagnosis.evidence.facts import Facts
from compare.diagnosis.signatures.read import read
from compare.measure import tolerances
from compare.results.cause import Cause
from compare.sides import pair
from compare.sides.feed import Feed
from tests.meta.test_faults import plant
from tests.support.faults import FAULTS
from tests.support.noise import noise_case
from tests.support.one_step import one_step

NAMES = ("0.weight", "0.bias", "2.weight", "2.bias")


def read_from(case: Case) -> list[Cause]:
    """What is read from the gradients of the first step, with the tolerance of the comparison."""
    tolerance = tolerances.make(None)
    sides = pair.build(case)
    [ours, theirs], *_ = Feed(case).batches(1, sides.reference, sides.torch)
    seen = one_step(sides, tolerance, ours, theirs)
    assert not seen.differing
    actual = {name: seen.actual[gradient(name)] for name in NAMES}
    expected = {name: seen.expected[gradient(name)] for name in NAMES}
    allowed = {name: tolerance.multiple * seen.units[gradient(name)] for name in NAMES}
    facts = Facts(batch_size=3, outputs=2, lr=case.lr, weights=seen.given.start.weights)
    return read(actual, expected, allowed, facts)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("fault", "names"),
    [
        ("sign of the loss's gradient", {"sign"}),
        ("factor 2", {"factor of 2 or the number of outputs"}),
        ("mean for sum", {"factor of 1 over the batch size"}),
        ("sum for mean", {"factor of the batch size times the number of outputs"}),
        ("mean over samples, not outputs", {"factor of 2 or the number of outputs"}),
        ("weight gradient zero", {"never trained"}),
        ("bias gradient zero", {"never trained"}),
        ("weight gradient 5 % too large", {"one factor of 1.05, on every weight"}),
        ("bias gradient mean for sum", {"factor of 1 over the batch size, on every bias"}),
        ("bias gradient one scalar for all units", {"one number for all units"}),
        ("gradient to the layer before", {"one factor of 1.05, up to layer 0"}),
        ("bias gradient permuted", {"reversed", "entries permuted"}),
        ("weight gradient permuted", {"reversed", "rows permuted"}),
    ],
)
def test_planted_fault_is_named(
    monkeypatch: pytest.MonkeyPatch, fault: str, names: set[str], dtype: str
) -> None:
    planted = FAULTS[fault]
    case = noise_case(monkeypatch, dtype=dtype, **planted.case)
    plant(monkeypatch, planted)
    causes = read_from(case)
    assert {cause.name for cause in causes} == names
    assert all(cause.match <= 1 for cause in causes)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", ["HalfSquaredErrorLoss", "MSELoss"])
def test_nothing_is_named_without_a_fault(
    monkeypatch: pytest.MonkeyPatch, dtype: str, loss: str
) -> None:
    for seed in range(5):
        assert read_from(noise_case(monkeypatch, dtype=dtype, loss=loss, seed=seed)) == []


@pytest.mark.parametrize("fault", ["tanh's derivative missing", "sigmoid's derivative missing"])
def test_no_cause_is_made_up_for_another_fault(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    case = noise_case(monkeypatch)
    plant(monkeypatch, FAULTS[fault])
    assert read_from(case) == []
