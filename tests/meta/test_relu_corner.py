"""ReLU'(0): on exact zeros any slope but PyTorch's is found; elsewhere it cannot be seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compare import Case, Verdict, compare
from compare.cases.datasets import DATASETS, Dataset
from compare.cases.registry import DTYPES
from compare.referee.opinion import Finding
from reference import INITIALISERS, Array, Module, Params, ReLU
from tests.support.noise import dataset, noise_case

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def corner_case(monkeypatch: pytest.MonkeyPatch) -> Case:
    """The first sample is 0 and so are the biases: all hidden units are exactly at the corner."""

    def with_zeros() -> Dataset:
        noise = dataset()
        inputs = noise.inputs.copy()
        inputs[0] = 0
        return Dataset(inputs, noise.targets)

    def without_biases(network: Module, rng: np.random.Generator) -> Params:
        return {
            name: value if name.endswith("weight") else np.zeros_like(value)
            for name, value in network.init(rng).items()
        }

    monkeypatch.setitem(INITIALISERS, "no biases", without_biases)
    case = noise_case(
        monkeypatch,
        arguments={"sizes": (3, 4, 2), "activation": "relu"},
        init="no biases",
        batch_size=None,
    )
    monkeypatch.setitem(DATASETS, "noise", with_zeros)
    return case


def slope_at_corner(slope: float) -> Any:
    def forward(layer: ReLU, params: Params, x: Array) -> tuple[Array, Any]:
        return np.where(x.real > 0, x, 0), x

    def backward(layer: ReLU, params: Params, x: Array, dy: Array) -> tuple[Array, Params]:
        at_corner = np.where(x.real == 0, slope * dy, 0)
        return np.where(x.real > 0, dy, at_corner), {}

    return forward, backward


def plant(monkeypatch: pytest.MonkeyPatch, slope: float) -> None:
    forward, backward = slope_at_corner(slope)
    monkeypatch.setattr(ReLU, "forward", forward)
    monkeypatch.setattr(ReLU, "backward", backward)


@each_dtype
@pytest.mark.parametrize("slope", [1.0, 0.5, -1.0])
def test_other_slope_at_the_corner_is_found(
    monkeypatch: pytest.MonkeyPatch, slope: float, dtype: str
) -> None:
    case = corner_case(monkeypatch)
    plant(monkeypatch, slope)
    report = compare(case, dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    first = report.first_divergence
    assert first is not None
    assert (first.check, first.quantity, first.epoch) == ("lockstep", "gradient at 0", 1)
    assert first.difference is not None
    assert first.difference.index[0] == 0  # the sample of zeros
    assert report.opinion is not None
    assert report.opinion.finding is Finding.CORNER
    assert "corner" in str(report.opinion)


@each_dtype
@pytest.mark.parametrize("factor", [1.05, -1.0])
def test_fault_that_first_shows_at_a_corner_is_judged_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, factor: float, dtype: str
) -> None:
    case = corner_case(monkeypatch)
    right = ReLU.backward

    def backward(layer: ReLU, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        dx, grads = right(layer, params, cache, dy)
        return dx * factor, grads

    monkeypatch.setattr(ReLU, "backward", backward)
    report = compare(case, dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    assert report.opinion is not None
    assert report.opinion.finding is Finding.REFERENCE


@each_dtype
def test_slope_0_at_the_corner_agrees(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    case = corner_case(monkeypatch)
    assert compare(case, dtype=dtype).verdict is Verdict.AGREE
    plant(monkeypatch, 0.0)
    assert compare(case, dtype=dtype).verdict is Verdict.AGREE


@each_dtype
def test_without_exact_zeros_the_slope_there_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    arguments = {"sizes": (3, 4, 2), "activation": "relu"}
    case = noise_case(monkeypatch, arguments=arguments)
    plant(monkeypatch, 1.0)
    assert compare(case, dtype=dtype).verdict is Verdict.AGREE
