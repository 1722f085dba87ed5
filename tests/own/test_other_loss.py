"""Right gradients with another loss beside them: the backward is never blamed."""

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
X, Y = RNG.standard_normal((8, 4)), RNG.standard_normal((8, 2))
P = {"W": RNG.standard_normal((4, 2))}
LABELS = np.eye(3)[RNG.integers(0, 3, 8)]
Q = {"W": RNG.standard_normal((4, 3))}


def mean() -> Any:
    return ((X @ P["W"] - Y) ** 2).mean()


def gradients() -> dict[str, Any]:
    return {"W": X.T @ (2 * (X @ P["W"] - Y)) / Y.size}


def torch_mean(p: dict[str, Tensor]) -> Tensor:
    return functional.mse_loss(torch.tensor(X) @ p["W"], torch.tensor(Y))


def softmax() -> Any:
    z = X @ Q["W"]
    e = np.exp(z - z.real.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def torch_entropy(p: dict[str, Tensor]) -> Tensor:
    return functional.cross_entropy(torch.tensor(X) @ p["W"], torch.tensor(LABELS))


def torch_entropy_by_hand(p: dict[str, Tensor]) -> Tensor:
    z = torch.tensor(X) @ p["W"]
    return -(torch.tensor(LABELS) * z.softmax(1).log()).sum() / 8


def told(report: CrossReport) -> str:
    assert report.verdict is Verdict.DISAGREE
    assert {failure.quantity for failure in report.failures} == {"loss"}
    assert report.opinion is not None
    assert report.opinion.finding is Finding.OTHER_LOSS
    assert "your backward is wrong" not in str(report)
    assert "your gradients are right" in str(report.opinion)
    return report.opinion.relation


@pytest.mark.parametrize("draws", [0, 1])
@pytest.mark.parametrize(
    ("loss", "relation"),
    [
        (lambda: 2 * mean(), "2 times torch_loss"),
        (lambda: mean() / 3, "1/3 times torch_loss"),
        (lambda: mean() * Y.size, "16 times torch_loss"),
        (lambda: -mean(), "torch_loss with the opposite sign"),
        (lambda: 1 + mean(), "torch_loss plus 1"),
        (lambda: mean() - 0.25, "torch_loss minus 1/4"),
        (lambda: float(mean()) * 1.5, "1.5 times torch_loss"),
    ],
)
def test_constant_is_told(loss: Callable[[], Any], relation: str, draws: int) -> None:
    report = crosscheck(P, grads=gradients, torch_loss=torch_mean, loss=loss, draws=draws)
    assert told(report) == relation


def test_loss_that_broadcasts_is_told_by_how_much_it_is_off() -> None:
    def loss() -> Any:
        return ((Y[:, :1] - (X @ P["W"])[:, 0]) ** 2).mean()

    report = crosscheck(P, grads=gradients, torch_loss=torch_mean, loss=loss)
    assert told(report).startswith("off from torch_loss by ")


def test_loss_that_raises_at_other_weights_is_judged_all_the_same() -> None:
    start = P["W"].copy()

    def loss() -> Any:
        if not np.array_equal(P["W"], start):
            raise ValueError("elsewhere")
        return 2 * mean()

    report = crosscheck(P, grads=gradients, torch_loss=torch_mean, loss=loss, draws=0)
    assert told(report).startswith("off from torch_loss by 1 to 1 of that")


@pytest.mark.parametrize("torch_loss", [torch_entropy, torch_entropy_by_hand])
@pytest.mark.parametrize("epsilon", [1e-8, 1e-7, 1e-12])
def test_epsilon_in_a_logarithm_is_named(epsilon: float, torch_loss: Callable[..., Any]) -> None:
    report = crosscheck(
        Q,
        grads=lambda: {"W": X.T @ (softmax() - LABELS) / 8},
        torch_loss=torch_loss,
        loss=lambda: -(LABELS * np.log(softmax() + epsilon)).sum() / 8,
    )
    assert told(report) == f"torch_loss with {epsilon:g} added inside its logarithms"


def test_epsilon_in_both_logarithms_of_a_binary_cross_entropy_is_named() -> None:
    labels = np.where(Y > 0, 0.9, 0.2)
    report = crosscheck(
        P,
        grads=lambda: {"W": X.T @ (1 / (1 + np.exp(-(X @ P["W"]))) - labels) / labels.size},
        torch_loss=lambda p: functional.binary_cross_entropy(
            torch.sigmoid(torch.tensor(X) @ p["W"]), torch.tensor(labels)
        ),
        loss=lambda: binary(1 / (1 + np.exp(-(X @ P["W"]))), labels, 1e-8),
    )
    assert told(report) == "torch_loss with 1e-08 added inside its logarithms"


def binary(p: Any, labels: Any, epsilon: float) -> Any:
    terms = labels * np.log(p + epsilon) + (1 - labels) * np.log(1 - p + epsilon)
    return -terms.mean()


def test_other_small_difference_is_told_by_its_size() -> None:
    report = crosscheck(
        Q,
        grads=lambda: {"W": X.T @ (softmax() - LABELS) / 8},
        torch_loss=torch_entropy,
        loss=lambda: -(LABELS * np.log(softmax() + 3e-9)).sum() / 8,
    )
    assert "so little is what a small number adds" in told(report)


def test_wrong_gradient_is_still_blamed_beside_another_loss() -> None:
    report = crosscheck(
        P, grads=lambda: {"W": 1.5 * gradients()["W"]}, torch_loss=torch_mean,
        loss=lambda: 2 * mean(),
    )  # fmt: skip
    assert report.opinion is not None
    assert report.opinion.finding is Finding.BACKWARD


def test_gradient_of_the_other_loss_is_told_with_what_it_is() -> None:
    report = crosscheck(
        P, grads=lambda: {"W": 2 * gradients()["W"]}, torch_loss=torch_mean,
        loss=lambda: 2 * mean(),
    )  # fmt: skip
    assert report.opinion is not None
    assert report.opinion.finding is Finding.LOSSES
    assert report.opinion.relation == "2 times torch_loss"
