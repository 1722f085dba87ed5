"""What compare_module refuses, since its verdict would not be about what was handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from compare import Report, Verdict
from compare.errors import CannotCompare
from compare.module_api import compare_module
from torch_impl import eager_optimizers

RNG = np.random.default_rng(3)
INPUTS, TARGETS = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))


def made() -> nn.Sequential:
    """A module, drawn without a trace in the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()


def sgd(module: nn.Module, **options: Any) -> torch.optim.Optimizer:
    with eager_optimizers():
        return torch.optim.SGD(module.parameters(), **{"lr": 0.05} | options)


def compared(module: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> Report:
    return compare_module(
        module, (INPUTS, TARGETS), nn.MSELoss(), optimizer or sgd(module), epochs=2
    )


HOOKS: dict[str, Callable[[torch.Tensor], Any]] = {
    "register_hook": lambda grad: -grad,
    "register_post_accumulate_grad_hook": lambda parameter: None,
}


@pytest.mark.parametrize("register", HOOKS)
def test_hook_of_a_parameter_is_refused_until_it_is_removed(register: str) -> None:
    module = made()
    handle = getattr(module[2].weight, register)(HOOKS[register])
    with pytest.raises(CannotCompare, match=r"parameter 2\.weight has a hook.*remove it"):
        compared(module)
    handle.remove()
    assert compared(module).agrees


@pytest.mark.parametrize("register", ["register_step_pre_hook", "register_step_post_hook"])
def test_hook_of_a_step_is_refused_until_it_is_removed(register: str) -> None:
    module = made()
    optimizer = sgd(module)
    handle = getattr(optimizer, register)(lambda *arguments: None)
    with pytest.raises(CannotCompare, match=r"optimizer SGD has a hook of its step.*remove it"):
        compared(module, optimizer)
    handle.remove()
    assert compared(module, optimizer).agrees


def test_hook_of_a_layer_takes_part() -> None:
    module = made()
    module[0].register_forward_hook(lambda layer, inputs, output: output * 2)
    assert compared(module).verdict is Verdict.DISAGREE


def test_frozen_parameters_are_refused() -> None:
    module = made()
    module[0].requires_grad_(False)
    with pytest.raises(CannotCompare, match=r"0\.weight, 0\.bias have requires_grad=False.*not tr"):
        compared(module)
