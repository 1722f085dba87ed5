"""What compare_module refuses, since its verdict would not be about what was handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from compare import Report, Verdict
from compare.base.errors import BackproofError, CannotCompare, UsageError
from compare.training.module import compare_module, pair_of
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


def compared(
    module: nn.Module, optimizer: torch.optim.Optimizer | None = None, **changes: Any
) -> Report:
    arguments: dict[str, Any] = {
        "data": (INPUTS, TARGETS),
        "loss": nn.MSELoss(),
        "optimizer": optimizer or sgd(module),
        "epochs": 2,
    }
    return compare_module(module, **arguments | changes)


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


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epochs": "3"}, "epochs is '3', but should be a whole number"),
        ({"epochs": 0}, "epochs is 0, but should be at least 1"),
        ({"batch_size": 0}, "batch_size is 0, but should be at least 1"),
        ({"batch_size": -1}, "batch_size is -1, but should be at least 1"),
        ({"seed": -1}, "seed is -1, but should be at least 0"),
        ({"seed": 2**63}, "seed is 9223372036854775808, but should be at most"),
        ({"lockstep_every": 0}, "lockstep_every is 0, but should be at least 1"),
        ({"lockstep_every": -1}, "lockstep_every is -1, but should be at least 1"),
        ({"loss": nn.functional.mse_loss}, "loss is a function, but should be a torch.nn.Module"),
        ({"data": (INPUTS,)}, "data should be two arrays or tensors"),
        ({"data": (INPUTS, TARGETS, TARGETS)}, "data should be two arrays or tensors"),
        ({"data": (INPUTS, None)}, "targets are of shape .. and dtype object"),
        ({"data": (3.0, TARGETS)}, "inputs are of shape .. and dtype float64"),
        ({"data": (INPUTS * 1j, TARGETS)}, "inputs are of .* dtype complex128"),
        ({"data": ([[1.0], [2.0, 3.0]], TARGETS)}, "inputs cannot be made an array"),
        ({"data": (torch.tensor(INPUTS).bfloat16(), TARGETS)}, "inputs cannot be made an array"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        compared(made(), **changes)


def test_what_is_no_module_or_no_optimizer_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"module is a function, but should be a torch\.nn\.Module"
    ):
        compare_module(made, (INPUTS, TARGETS), nn.MSELoss(), sgd(made()))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"optimizer is a NoneType.* a torch\.optim\.Optimizer"):
        compare_module(made(), (INPUTS, TARGETS), nn.MSELoss(), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": (INPUTS[:, :2], TARGETS)}, "PyTorch's side raised RuntimeError: mat1 and mat2"),
        (
            {"data": (INPUTS, np.full(6, 7)), "loss": nn.CrossEntropyLoss()},
            "PyTorch's side raised IndexError: Target 7 is out of bounds",
        ),
    ],
)
def test_data_that_do_not_fit_the_module_are_told_of(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CannotCompare, match=words):
        compared(made(), **changes)


class Uncopied(nn.Linear):
    """Refuses to be copied, as modules do that hold what they have computed."""

    def __deepcopy__(self, memo: object) -> Any:
        raise RuntimeError("only leaves can be copied")


def test_a_module_that_cannot_be_copied_is_told_of() -> None:
    module = nn.Sequential(Uncopied(3, 2, device="meta"))
    with pytest.raises(CannotCompare, match=r"Sequential cannot be copied.*only leaves"):
        compared(module)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": torch.tensor(0.5)}, r"Adam has lr=0\.5.*, but .*make it with float\(lr\)"),
        ({"betas": (torch.tensor(0.5), torch.tensor(0.5))}, "cannot be mirrored: Adam: betas"),
    ],
)
def test_options_that_are_tensors_are_refused(options: dict[str, Any], words: str) -> None:
    module = made()
    with eager_optimizers():
        optimizer = torch.optim.Adam(module.parameters(), **options)
    with pytest.raises(CannotCompare, match=words):
        compared(module, optimizer)


def test_predictions_of_what_does_not_fit_are_told_of() -> None:
    module = made()
    side = pair_of(module, nn.MSELoss(), sgd(module)).torch
    for ask in (lambda: side.predict(INPUTS[:, :2]), lambda: side.evaluate(INPUTS, TARGETS[:, 0])):
        with pytest.raises(BackproofError, match="PyTorch's side raised"):
            ask()
