"""Slips in an activation that has options are named, whatever the options are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from compare import CrossReport, crosscheck
from tests.support.networks import INPUTS

W = {"w": np.random.default_rng(3).standard_normal((2, 3))}
UP = torch.arange(15.0, dtype=torch.float64).reshape(5, 3)


def bent(activation: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> CrossReport:
    """A network of one weight and an activation, whose derivative is what the test makes it."""
    x = torch.tensor(INPUTS)

    def grads() -> dict[str, Any]:
        return {"w": (x.T @ (UP * slope(x @ torch.tensor(W["w"])))).numpy()}

    return crosscheck(W, grads=grads, torch_loss=lambda p: (activation(x @ p["w"]) * UP).sum())


def slope_of(activation: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def slope(z: Tensor) -> Tensor:
        z = z.clone().requires_grad_()
        return torch.autograd.grad(activation(z).sum(), z)[0]

    return slope


def gelu(form: str) -> Callable[[Tensor], Tensor]:
    return lambda z: functional.gelu(z, approximate=form)


@pytest.mark.parametrize(("computed", "differentiated"), [("none", "tanh"), ("tanh", "none")])
def test_another_form_of_gelu(computed: str, differentiated: str) -> None:
    report = bent(gelu(computed), slope_of(gelu(differentiated)))
    assert [cause.name for cause in report.causes] == ["another form of GELU"]


@pytest.mark.parametrize(
    "activation",
    [
        gelu("none"),
        gelu("tanh"),
        lambda z: functional.elu(z, alpha=0.7),
        lambda z: functional.softplus(z, beta=2.0),
        lambda z: functional.leaky_relu(z, 0.3),
        functional.silu,
    ],
)
def test_derivative_applied_twice(activation: Callable[[Tensor], Tensor]) -> None:
    slope = slope_of(activation)
    report = bent(activation, lambda z: slope(z) ** 2)
    assert [cause.name for cause in report.causes] == ["derivative applied twice"]
