"""Each planted fault is found, and the first wrong quantity is named; without it, both agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compare import CASES, Verdict, compare
from compare.cases.registry import DTYPES
from reference import SGD, Array, Linear, Params, Sigmoid, Tanh
from tests.meta import test_network_faults
from tests.support.faults import FAULTS, Fault
from tests.support.noise import noise_case

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())


def plant(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    right = getattr(fault.owner, fault.method)
    monkeypatch.setattr(fault.owner, fault.method, fault.change(right))


@pytest.mark.usefixtures("verdict_alone")
@each_dtype
@each_fault
def test_fault_is_found_and_named(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, dtype: str
) -> None:
    case = noise_case(monkeypatch, **fault.case)
    plant(monkeypatch, fault)
    report = compare(case, dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    assert not report.agrees
    first = report.first_divergence
    assert first is not None
    assert (first.check, first.quantity, first.epoch) == ("lockstep", fault.first, 1)
    assert first == report.failures[0]


@each_dtype
@pytest.mark.parametrize(
    "needs", [{}, *(dict(fault.case) for fault in FAULTS.values() if fault.case)], ids=str
)
def test_without_a_fault_both_agree(
    monkeypatch: pytest.MonkeyPatch, needs: dict[str, Any], dtype: str
) -> None:
    report = compare(noise_case(monkeypatch, **needs), dtype=dtype)
    assert report.failures == ()
    assert report.undecided == ()
    assert report.verdict is Verdict.AGREE


def sigmoid_by_tanh(layer: Sigmoid, params: Params, x: Array) -> Any:
    y = 0.5 * (1 + np.tanh(0.5 * x))
    return y, y


def tanh_by_exp(layer: Tanh, params: Params, x: Array) -> Any:
    y = 2 / (1 + np.exp(-2 * x)) - 1
    return y, y


def linear_without_matmul(layer: Linear, params: Params, cache: Any, dy: Array) -> Any:
    x, _ = cache
    rows = dy[..., :, :, None]  # (..., N, out, 1)
    weight = (rows * x[..., :, None, :])[..., ::-1, :, :].sum(axis=-3)
    dx = (rows * params["weight"][..., None, :, :]).sum(axis=-2)
    return dx, {"bias": dy[..., ::-1, :].sum(axis=-2), "weight": weight}


def step_in_two(rule: SGD, params: Params, grads: Params, state: Any) -> Any:
    half = 0.5 * rule.groups[0].options["lr"]
    return {name: p - half * grads[name] - half * grads[name] for name, p in params.items()}, state


@each_dtype
@pytest.mark.parametrize(
    ("owner", "method", "replacement"),
    [
        (Sigmoid, "forward", sigmoid_by_tanh),
        (Tanh, "forward", tanh_by_exp),
        (Linear, "backward", linear_without_matmul),
        (SGD, "step", step_in_two),
    ],
)
def test_another_way_to_the_same_numbers_agrees(
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    method: str,
    replacement: Callable[..., Any],
    dtype: str,
) -> None:
    """The same mathematics with other rounding errors is no fault."""
    case = noise_case(monkeypatch)
    monkeypatch.setattr(owner, method, replacement)
    report = compare(case, dtype=dtype)
    assert report.failures == ()
    assert report.verdict is Verdict.AGREE


#: Faults that the case named shows with the data it has.
SHOWN_BY = {
    "xor": ["sign of the loss's gradient", "bias gradient zero", "sigmoid's derivative missing"],
    "xor-tanh": ["sum for mean", "tanh's derivative missing", "weight gradient zero"],
    "xor-relu": ["relu passes all", "bias not added", "update uphill"],
    "digits": ["sum for mean", "weight gradient permuted", "a parameter never updated"],
    "line": ["sign of the loss's gradient", "update uphill", "weight gradient zero"],
}


#: The layers of ``line`` are 0: Linear without bias and 1: Shift.
ON_LINE = {
    "sign of the loss's gradient": "gradient at 1",
    "update uphill": "parameter 0.weight",
    "weight gradient zero": "gradient 0.weight",
}


@each_dtype
@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name, faults in SHOWN_BY.items() for fault in faults]
)
def test_shipped_cases_show_faults(
    monkeypatch: pytest.MonkeyPatch, name: str, fault: str, dtype: str
) -> None:
    plant(monkeypatch, FAULTS[fault])
    report = compare(name, epochs=2, dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    first = report.first_divergence
    assert first is not None
    expected = ON_LINE[fault] if name == "line" else FAULTS[fault].first
    assert first.quantity == expected


def test_every_shipped_case_is_shown_to_fail() -> None:
    networks = {fault.case for fault in test_network_faults.FAULTS.values()}
    assert SHOWN_BY.keys() | networks == CASES.keys()
