"""What PyTorch computes less exactly than its numbers is mended, said, and hides nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import reference
from compare.catalogue import check_entries
from compare.catalogue.table import CATALOGUE
from compare.measure.torch_constants import BUGS, Constants, mend_rates, told
from compare.results.report import Report
from compare.results.verdict import Verdict
from compare.training.module import compare_module
from torch_impl import eager_optimizers

RNG = np.random.default_rng(4)
DATA = RNG.standard_normal((6, 4)), RNG.standard_normal((6, 2))

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "Hardsigmoid": nn.Hardsigmoid,
    "CELU": lambda: nn.CELU(1.7),
}


def compared(activation: nn.Module, dtype: str = "float64", rule: Any = None) -> Report:
    with torch.random.fork_rng(devices=[]), eager_optimizers():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(4, 8), activation, nn.Linear(8, 2))
        module.to(getattr(torch, dtype))
        make = rule or (lambda parameters: torch.optim.SGD(parameters, lr=0.05))
        return compare_module(module, DATA, nn.MSELoss(), make(module.parameters()), epochs=12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_module_agrees_and_the_bug_is_told(name: str) -> None:
    report = compared(ACTIVATIONS[name]())
    assert report.verdict is Verdict.AGREE, report.first_divergence
    assert report.notes == (told([name], mended=True),)
    assert name in report.notes[0]
    assert compared(ACTIVATIONS[name](), "float32").notes == ()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rates_of_asgd_agree_and_the_bug_is_told(dtype: str) -> None:
    rule = lambda parameters: torch.optim.ASGD(parameters, lr=0.01, foreach=True)  # noqa: E731
    report = compared(nn.Tanh(), dtype, rule)
    assert report.verdict is Verdict.AGREE, report.first_divergence
    assert report.notes == (told(["ASGD"], mended=True),)


def test_rates_that_are_farther_off_stay() -> None:
    with eager_optimizers():
        optimizer = torch.optim.ASGD([nn.Parameter(torch.ones(2))], lr=0.01, foreach=True)
    (parameter,) = optimizer.param_groups[0]["params"]
    parameter.grad = torch.ones(2)
    with eager_optimizers():
        optimizer.step()
    assert mend_rates(optimizer) == {"ASGD"}
    optimizer.state[parameter]["eta"].mul_(1 + 1e-5)
    assert mend_rates(optimizer) == set()
    assert mend_rates(torch.optim.SGD([parameter])) == set()


@pytest.mark.parametrize(
    "exact", [nn.CELU(1.0), nn.CELU(2.0), nn.CELU(0.25), nn.ELU(1.7), nn.Hardswish()], ids=str
)
def test_what_is_exact_is_not_told_of(exact: nn.Module) -> None:
    assert compared(exact).notes == ()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_fault_of_that_size_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = getattr(reference, name)
    right = layer.backward

    def off(self: Any, params: Any, cache: Any, dy: Any) -> Any:
        dx, grads = right(self, params, cache, dy)
        return dx * (1 + 1e-9), grads

    monkeypatch.setattr(layer, "backward", off)
    report = compared(ACTIVATIONS[name]())
    assert report.verdict is Verdict.DISAGREE
    assert report.first_divergence is not None
    assert report.first_divergence.quantity == "gradient at 0"
    assert check_entries.check(CATALOGUE[name]).verdict is Verdict.DISAGREE


class Off(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A kernel of PyTorch's that is wrong by 1e-6 in one more way."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        known = func._schema.name in ("aten::hardsigmoid_backward", "aten::elu_backward")
        return result * (1 + 1e-6) if known else result


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_other_errors_of_the_operator_are_not_mended(name: str) -> None:
    def gradient(*modes: Any) -> Tensor:
        x = torch.linspace(-2.5, 2.0, 7, dtype=torch.float64).requires_grad_()
        y = ACTIVATIONS[name]()(x).sum()
        with ExitStack() as entered:
            for mode in modes:
                entered.enter_context(mode)
            y.backward()
        assert x.grad is not None
        return x.grad

    with_bug, mended = gradient(), gradient(Constants(mend=True))
    assert not torch.equal(mended, with_bug)
    assert torch.equal(gradient(Constants()), with_bug)
    off = Off()  # type: ignore[no-untyped-call]
    slopes = gradient(off, Constants(mend=True)) / mended
    assert (slopes[slopes != 1] - 1 > 9e-7).all()
    assert (slopes != 1).any()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_catalogue_tells_of_the_bug(name: str) -> None:
    row = check_entries.check(CATALOGUE[name])
    assert row.verdict is Verdict.AGREE
    assert BUGS[name] in str(row)
    assert check_entries.check(CATALOGUE["ReLU"]).remarks == ()
