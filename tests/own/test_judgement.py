"""A difference that was found stays found, whatever the losses do at weights a little off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import Verdict, crosscheck
from compare.referee.opinion import Finding

W = {"w": np.array([0.0005, 0.3])}  # by a step of the derivative, the first is negative


def raising() -> float:
    if (W["w"] < 0).any():
        raise ValueError("negative")
    return float(np.sqrt(W["w"]).sum())


def not_finite() -> float:
    return float(np.sqrt(W["w"]).sum())


def torch_loss(p: dict[str, Tensor]) -> Tensor:
    return torch.sqrt(p["w"]).sum()


def raising_in_torch(p: dict[str, Tensor]) -> Tensor:
    if (p["w"] < 0).any():
        raise ValueError("negative")
    return torch_loss(p)


@pytest.mark.parametrize(
    ("loss", "other"),
    [(raising, torch_loss), (not_finite, torch_loss), (None, raising_in_torch)],
)
def test_loss_that_cannot_be_computed_nearby(
    loss: Callable[[], Any] | None, other: Callable[[Any], Tensor]
) -> None:
    report = crosscheck(
        W,
        grads=lambda: {"w": 0.3 / np.sqrt(W["w"])},
        loss=loss,
        torch_loss=other,
        draws=0,
    )
    assert report.verdict is Verdict.DISAGREE
    assert report.opinion is not None
    assert report.opinion.finding is Finding.NEARBY
    assert "at weights a little off" in str(report.opinion)
