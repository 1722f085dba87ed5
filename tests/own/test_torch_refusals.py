"""What cannot be compared on PyTorch's side is told in a line: its loss, its module, its names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from compare import CannotCompare, UsageError, crosscheck
from tests.support.networks import torch_loss
from tests.support.refused import refused


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda p: None, "torch_loss returns None, but should return the loss"),
        (lambda p: p["W1"], "torch_loss returns a tensor of shape (2, 3)"),
        (lambda p: torch.ones(()), "does not depend on any parameter"),
        (lambda p: p["W1"].detach().sum(), "does not depend on any parameter"),
        (lambda p: p["W1"].sum() * np.nan, "the loss that torch_loss gives is not finite"),
        (lambda p: p["W9"].sum(), "torch_loss raised KeyError: 'W9'"),
        (
            lambda p: (torch.ones(5, 2, dtype=torch.float32) @ p["W1"]).sum(),
            "make its data so, too, with dtype=torch.float64",
        ),
    ],
)
def test_losses_of_pytorch_that_are_none(loss: Callable[[Any], Any], message: str) -> None:
    refused(message, torch_loss=loss)


def test_backward_pass_of_the_user_that_raises_is_placed() -> None:
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.sum()

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return ctx.saved_tensor  # there is no such thing

    def loss(p: dict[str, Any]) -> Any:
        return torch_loss(p) + Broken.apply(p["W1"])  # type: ignore[no-untyped-call]

    _, told = refused("the backward pass of torch_loss raised AttributeError", torch_loss=loss)
    assert re.search(r"test_torch_refusals\.py, line \d+, in backward", told)


def never_run() -> nn.Module:
    return nn.LazyLinear(3)


def not_to_be_copied() -> nn.Module:
    """A module that was run, and keeps what it computed."""
    module = nn.Linear(2, 3)
    module.kept = module(torch.ones(1, 2))
    return module


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (never_run, "module has no shape yet for weight, bias: it is lazy"),
        (not_to_be_copied, "module cannot be copied, as it is so that yours stays as it is: Run"),
    ],
)
def test_modules_that_cannot_be_used(build: Callable[[], nn.Module], message: str) -> None:
    with torch.random.fork_rng():
        module = build()
    refused(message, module=module, torch_loss=lambda net: net(torch.ones(1, 2)).sum())


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"W1": "weight"}, "has shape (2, 3), but 'weight' of the module has (3, 2)"),
        ({"W1": "weigth.T"}, "which is not one of the module's parameters: weight"),
        ({"V1": "weight.T"}, "which is not one of your parameters"),
        ({}, "your parameter W1 stands for nothing"),
        (["weight"], "names has a list, but should be a dict"),
        ({"W1": 0}, "names has 0 for 'W1', but should be a dict from your names to the module's"),
    ],
)
def test_names_that_do_not_fit(names: Any, message: str) -> None:
    weight = np.random.default_rng(0).standard_normal((2, 3))
    with torch.random.fork_rng(), pytest.raises((CannotCompare, UsageError)) as caught:
        crosscheck(
            {"W1": weight},
            grads=lambda: weight,
            module=nn.Linear(2, 3, bias=False),
            names=names,
            torch_loss=lambda net: net(torch.ones(1, 2)).sum(),
        )
    assert message in str(caught.value)


def test_module_with_a_parameter_more_is_refused() -> None:
    weight = np.ones((2, 3))
    with torch.random.fork_rng(), pytest.raises(UsageError, match="the module's parameter bias"):
        crosscheck(
            {"W1": weight},
            grads=lambda: weight,
            module=nn.Linear(2, 3),
            names={"W1": "weight.T"},
            torch_loss=lambda net: net(torch.ones(1, 2)).sum(),
        )
