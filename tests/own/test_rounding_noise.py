"""Noise on every operation gives the standard deviation that independent rounding errors have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import crosscheck
from compare.base.quantities import LOSS
from compare.own.oracle import autograd
from compare.own.oracle.autograd import Autograd
from compare.own.user.run import Runner

RNG = np.random.default_rng(0)
W = RNG.standard_normal((3, 50))
X = torch.tensor(RNG.standard_normal(50))


def spread(loss: Callable[[Any], Tensor], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The standard deviations of many runs, for a relative error of 1."""
    monkeypatch.setattr(autograd, "RUNS", 400)
    side = Autograd(loss, None, None, {"w": W.shape}, "float64", Runner())
    return side.look({"w": W}).spread


def test_a_sum_of_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both factors of each term count once, and the sum √n times."""
    found = spread(lambda p: (p["w"][0] * X).sum(), monkeypatch)
    terms = W[0] * X.numpy()
    expected = np.sqrt((2 + len(terms)) * np.sum(terms**2))
    assert found[LOSS] == pytest.approx(expected, rel=0.15)


def test_a_matrix_product(monkeypatch: pytest.MonkeyPatch) -> None:
    found = spread(lambda p: (p["w"] @ X)[1], monkeypatch)
    terms = W[1] * X.numpy()
    assert found[LOSS] == pytest.approx(np.sqrt(2 * len(terms) * np.sum(terms**2)), rel=0.15)


def test_a_difference_that_cancels_counts_what_is_subtracted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = spread(lambda p: (1e6 + p["w"][0, 0] * 1e-3 + 0 * p["w"].sum()) - 1e6, monkeypatch)
    assert 1e6 < found[LOSS] < 3e6


def test_a_number_near_one_that_cancels_within_an_operation_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """GELU far to the left is 1 − almost 1, times x."""
    found = spread(
        lambda p: torch.nn.functional.gelu(p["w"][0, 0] * 0 - 6.0) + 0 * p["w"].sum(), monkeypatch
    )
    assert found[LOSS] == pytest.approx(6.0, rel=0.2)


def test_what_computes_nothing_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = spread(lambda p: p["w"].T.reshape(-1)[3:4].clone()[0], monkeypatch)
    assert found[LOSS] == 0


def picky(p: Any) -> Tensor:
    """Refuses any other sum than that which it has been given without noise."""
    found: Tensor = torch.tanh(p["w"]).sum()
    SEEN.setdefault(p["w"].detach().numpy().tobytes(), found.item())
    if SEEN[p["w"].detach().numpy().tobytes()] != found.item():
        raise ValueError("another sum than at first")
    return found


SEEN: dict[Any, float] = {}


@pytest.mark.parametrize("wrong", [0.0, 1e-9])
def test_code_that_cannot_stand_noise_is_judged_without(wrong: float) -> None:
    weights = {"w": W.copy()}
    report = crosscheck(
        weights,
        grads=lambda: {"w": (1 - np.tanh(weights["w"]) ** 2) * (1 + wrong)},
        torch_loss=picky,
    )
    assert report.agrees is (wrong == 0), report
    assert any("another sum than at first" in remark for remark in report.remarks)


def test_result_that_only_noise_makes_infinite_is_judged_without() -> None:
    weights = {"w": W.copy()}

    def edge(p: Any) -> Tensor:
        found: Tensor = torch.tanh(p["w"]).sum()
        first = SEEN.setdefault("edge" + str(p["w"].detach()), found.item())
        return found + (found.detach() - first) * torch.inf if found.item() != first else found

    report = crosscheck(
        weights, grads=lambda: {"w": 1 - np.tanh(weights["w"]) ** 2}, torch_loss=edge
    )
    assert report.agrees, report
    assert any("not finite" in remark for remark in report.remarks)
