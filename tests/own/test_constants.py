"""Constants that PyTorch's float64 backward passes hold in float32 are not anybody's fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from compare import CrossReport, Verdict, crosscheck
from compare.referee.opinion import Finding

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 4)), RNG.standard_normal((6, 2))
P = {"V": RNG.standard_normal((4, 5)), "W": RNG.standard_normal((5, 2))}
ALPHA = 1.7

Slope = Callable[[Any], Any]


def hardsigmoid(z: Any) -> tuple[Any, Any]:
    return np.clip(z / 6 + 0.5, 0, 1), np.where(np.abs(z) < 3, 1 / 6, 0.0)


def celu(z: Any, alpha: float = ALPHA) -> tuple[Any, Any]:
    below = np.exp(np.minimum(z, 0) / alpha)
    return np.where(z > 0, z, alpha * (below - 1)), np.where(z > 0, 1.0, below)


SIDES: dict[str, tuple[Slope, Slope]] = {
    "Hardsigmoid": (hardsigmoid, functional.hardsigmoid),
    "CELU": (celu, lambda z: functional.celu(z, ALPHA)),
}


def check(name: str, factor: float = 1.0, **more: Any) -> CrossReport:
    """Check a network with such an activation; the gradient of V is off by a factor."""
    activation, in_torch = SIDES[name]

    def output() -> tuple[Any, Any, Any]:
        h, slope = activation(X @ P["V"])
        return h, slope, h @ P["W"] - Y

    def grads() -> dict[str, Any]:
        h, slope, e = output()
        return {"V": factor * (X.T @ (e @ P["W"].T * slope)), "W": h.T @ e}

    def torch_loss(p: dict[str, Tensor]) -> Tensor:
        hidden: Tensor = in_torch(torch.tensor(X) @ p["V"])
        error = hidden @ p["W"] - torch.tensor(Y)
        return (error**2).sum() / 2

    loss = lambda: (output()[2] ** 2).sum() / 2  # noqa: E731 - reads as in an adapter
    return crosscheck(P, grads=grads, torch_loss=torch_loss, loss=loss, **more)


@pytest.mark.parametrize("name", SIDES)
def test_right_gradient_agrees_and_is_told_of_the_bug(name: str) -> None:
    report = check(name)
    assert report.agrees, report
    assert [name in one for one in report.remarks if "a bug of PyTorch" in one] == [True]


@pytest.mark.parametrize("name", SIDES)
def test_no_more_is_allowed_than_the_constant_explains(name: str) -> None:
    assert check(name, factor=1 + 1e-6).verdict is Verdict.DISAGREE


@pytest.mark.parametrize("name", SIDES)
def test_pytorch_is_not_blamed_for_a_wrong_gradient(name: str) -> None:
    report = check(name, factor=1.01, draws=0)
    assert report.opinion is not None
    assert report.opinion.finding is Finding.BACKWARD


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", [1.0, 2.0, 0.25])
def test_constants_that_float32_holds_are_exact(alpha: float, dtype: str) -> None:
    w = np.array([0.3, -0.7, 1.2], dtype)
    report = crosscheck(
        {"w": w},
        grads=lambda: {"w": celu(w, alpha)[1].astype(dtype)},
        torch_loss=lambda p: functional.celu(p["w"], alpha).sum(),
    )
    assert report.agrees, report
    assert not any("a bug of PyTorch" in one for one in report.remarks)


def test_elu_has_no_such_constant() -> None:
    w = np.array([0.3, -0.7, 1.2])
    report = crosscheck(
        {"w": w},
        grads=lambda: {"w": np.where(w > 0, 1.0, ALPHA * np.exp(w))},
        torch_loss=lambda p: functional.elu(p["w"], ALPHA).sum(),
    )
    assert report.agrees, report
    assert not any("a bug of PyTorch" in one for one in report.remarks)


def test_trigamma_is_a_series_that_is_cut_short() -> None:
    """``zeta(2, w)`` is exact to rounding; PyTorch's derivative of digamma is off by 5e-10."""
    w = np.array([0.3, 1.2, 4.7])

    def check(factor: float) -> CrossReport:
        return crosscheck(
            {"w": w},
            grads=lambda: {"w": factor * torch.special.zeta(2, torch.tensor(w)).numpy()},
            torch_loss=lambda p: torch.digamma(p["w"]).sum(),
        )

    report = check(1.0)
    assert report.agrees, report
    assert ["digamma" in one for one in report.remarks] == [True]
    assert check(1 + 1e-8).verdict is Verdict.DISAGREE
