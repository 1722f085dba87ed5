"""A ReLU at exactly 0: what is right agrees, what is wrong is found, and no side is slandered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import Verdict, crosscheck
from compare.own.user.own_loss import Differentiator
from compare.referee.derivative import Derivative
from compare.referee.opinion import Finding

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])


class Cornered:
    """A network for XOR with hidden biases of 0: its first sample is at the corner of all units.

    Args:
        slope: of ReLU at 0.
        below: of ReLU where its input is negative.
    """

    def __init__(self, slope: float = 0.0, below: float = 0.0) -> None:
        rng = np.random.default_rng(0)
        self.slope, self.below = slope, below
        self.W1 = rng.standard_normal((2, 4))
        self.b1 = np.zeros(4)
        self.W2 = rng.standard_normal((4, 1))
        self.b2 = np.full(1, 0.3)

    def output(self) -> Any:
        self.z = X @ self.W1 + self.b1
        self.h = np.where(self.z.real > 0, self.z, 0)
        return self.h @ self.W2 + self.b2

    def loss(self) -> Any:
        return ((self.output() - Y) ** 2).sum()

    def real_loss(self) -> float:
        """The same, not to be had by the complex step."""
        return float(abs(self.loss()))

    def gradients(self) -> dict[str, Any]:
        d2 = 2 * (self.output() - Y)
        slopes = np.where(self.z > 0, 1.0, self.below)
        slopes[self.z == 0] = self.slope
        d1 = d2 @ self.W2.T * slopes
        return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": self.h.T @ d2, "b2": d2.sum(0)}

    def check(self, **more: Any) -> Any:
        names = ("W1", "b1", "W2", "b2")
        return crosscheck((self, *names), grads=self.gradients, **more)


def torch_loss(p: dict[str, Tensor]) -> Tensor:
    hidden = torch.relu(torch.tensor(X) @ p["W1"] + p["b1"])
    return ((hidden @ p["W2"] + p["b2"] - torch.tensor(Y)) ** 2).sum()


@pytest.mark.parametrize("loss", ["loss", "real_loss"])
@pytest.mark.parametrize("fixed", [{}, {"rtol": 1e-6, "atol": 1e-9}])
def test_right_network_agrees_with_its_own_loss(loss: str, fixed: dict[str, float]) -> None:
    network = Cornered()
    report = network.check(loss=getattr(network, loss), **fixed)
    assert report.agrees, report
    left_out = [remark for remark in report.remarks if "corner" in remark]
    assert len(left_out) == 1
    assert left_out[0].startswith("not compared at your weights, 4 of 4 entries of b1: ")


def test_corners_alone_are_no_agreement() -> None:
    network = Cornered()
    report = crosscheck(
        (network, "b1"), grads=lambda: network.gradients()["b1"], loss=network.loss, draws=0
    )
    assert report.verdict is Verdict.NOTHING
    assert report.undecided == ("gradient b1", "gradient b1 along a direction")


@pytest.mark.parametrize(("value", "error"), [(np.nan, np.inf), (np.inf, 1.0), (0.5, np.nan)])
def test_derivative_that_cannot_be_told_is_no_agreement(
    monkeypatch: pytest.MonkeyPatch, value: float, error: float
) -> None:
    unknown = Derivative(value, error, "central differences")
    monkeypatch.setattr(Differentiator, "along", lambda self, direction: unknown)
    network = Cornered()
    report = network.check(loss=network.loss, draws=0)
    assert report.verdict is Verdict.NOTHING
    assert "gradient W1" in report.undecided
    assert any("8 of 8 entries of W1" in remark for remark in report.remarks)


@pytest.mark.parametrize("loss", ["loss", "real_loss"])
@pytest.mark.parametrize("draws", [0, 1])
def test_missing_derivative_is_found_beside_a_corner(loss: str, draws: int) -> None:
    network = Cornered(slope=1.0, below=1.0)
    report = network.check(loss=getattr(network, loss), draws=draws)
    assert report.verdict is Verdict.DISAGREE
    assert {f.quantity for f in report.failures} >= {"gradient W1"}


@pytest.mark.parametrize("with_loss", [False, True])
def test_other_slope_at_the_corner_is_judged_a_corner(with_loss: bool) -> None:
    network = Cornered(slope=1.0)
    report = network.check(torch_loss=torch_loss, loss=network.loss if with_loss else None)
    assert report.verdict is Verdict.DISAGREE
    assert [cause.name for cause in report.causes] == ["ReLU'(0) = 1"]
    assert report.opinion is not None
    assert report.opinion.finding is Finding.CORNER
    assert "corner" in str(report.opinion)
    assert "bug of PyTorch" not in str(report.opinion)


def test_fault_that_first_shows_at_a_corner_is_judged_where_there_is_none() -> None:
    network = Cornered(slope=1.0, below=1.0)
    report = network.check(torch_loss=torch_loss, loss=network.loss)
    assert report.opinion is not None
    assert report.opinion.finding is Finding.BACKWARD
