"""Where no finite numbers are left, the reason is told, and what was compared before stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import reference
from compare import Report, Verdict
from compare.base.errors import CannotCompare
from compare.training.module import compare_module
from torch_impl import eager_optimizers

RNG = np.random.default_rng(8)
X = RNG.standard_normal((4, 3))


def compared(
    module: nn.Module,
    targets: Any,
    loss: nn.Module,
    inputs: Any = X,
    rule: Callable[[Any], Any] | None = None,
    **more: Any,
) -> Report:
    make = rule or (lambda parameters: torch.optim.SGD(parameters, lr=0.05))
    with eager_optimizers():
        optimizer = make(module.parameters())
    return compare_module(module, (inputs, targets), loss, optimizer, **{"epochs": 3, **more})


def made(*layers: Callable[[], nn.Module], dtype: str = "float64", seed: int = 2) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(*(layer() for layer in layers)).to(getattr(torch, dtype))


def linear() -> nn.Module:
    return nn.Linear(3, 3)


@pytest.mark.parametrize(
    ("targets", "loss", "batch_size"),
    [
        ([-100] * 4, nn.CrossEntropyLoss(), None),
        ([0, -100, -100, -100], nn.CrossEntropyLoss(), 1),
        ([2, 2, 2, 1], nn.NLLLoss(ignore_index=2), 2),
        ([1, 1, 1, 1], nn.CrossEntropyLoss(weight=torch.tensor([1.0, 0, 1]).double()), None),
    ],
)
def test_batch_with_nothing_to_learn_from(targets: Any, loss: Any, batch_size: int | None) -> None:
    with pytest.raises(
        CannotCompare, match=r"no target of a batch counts.*reduction='sum'"
    ) as told:
        compared(made(linear), torch.tensor(targets), loss, batch_size=batch_size)
    assert "lr" not in str(told.value)


def test_sum_of_nothing_decides_nothing() -> None:
    loss = nn.CrossEntropyLoss(reduction="sum")
    assert compared(made(linear), torch.full((4,), -100), loss).verdict is Verdict.NOTHING


def test_what_is_not_finite_before_any_update_is_no_matter_of_the_rate() -> None:
    module: Any = made(linear)
    module[0].weight.data[0, 0] = np.nan
    with pytest.raises(CannotCompare, match=r"before any update.*look at the data, the first par"):
        compared(module, np.ones((4, 3)), nn.MSELoss())
    with pytest.raises(CannotCompare, match=r"PyTorch's loss is not finite, and the reference rai"):
        compared(made(linear), np.ones((4, 3)), nn.PoissonNLLLoss(log_input=False))


def test_a_rate_that_is_too_large_is_named() -> None:
    rule = lambda parameters: torch.optim.SGD(parameters, lr=1e200)  # noqa: E731
    with pytest.raises(CannotCompare, match=r"training overflows: .* use a smaller --lr"):
        compared(made(linear), np.ones((4, 3)), nn.MSELoss(), rule=rule)


def centred(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(parameters, lr=1e-4, alpha=0.5, centered=True)


def far() -> dict[str, Any]:
    """A loss whose gradient hardly changes, so that its variance is rounding alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(3, 1))
        return {"module": module, "inputs": torch.randn(6, 3), "targets": torch.full((6, 1), 50.0)}


@pytest.mark.parametrize("loss", [nn.L1Loss(), nn.HuberLoss()])
def test_variance_that_is_rounding_alone_ends_the_comparison(loss: nn.Module) -> None:
    report = compared(**far(), loss=loss, rule=centred, epochs=100)
    assert report.verdict is Verdict.AGREE
    (note,) = report.notes
    assert note.startswith("nothing was compared from there on: at epoch")
    assert "decides on parameter 0.weight, as the centred RMSprop divides by" in note
    assert report.lockstep[0].checks < 100


def test_rule_that_is_wrong_before_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = reference.RMSprop.update

    def off(self: Any, p: Any, g: Any, held: Any, o: Any) -> Any:
        return right(self, p, g * (1 + 1e-3), held, o)

    monkeypatch.setattr(reference.RMSprop, "update", off)
    report = compared(**far(), loss=nn.L1Loss(), rule=centred, epochs=100)
    assert report.verdict is Verdict.DISAGREE


def test_rule_that_is_not_finite_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = reference.RMSprop.update

    def off(self: Any, p: Any, g: Any, held: Any, o: Any) -> Any:
        p, after = right(self, p, g, held, o)
        return p * np.nan, after

    monkeypatch.setattr(reference.RMSprop, "update", off)
    report = compared(made(linear), np.ones((4, 3)), nn.MSELoss(), rule=centred)
    assert report.verdict is Verdict.DISAGREE


@pytest.mark.parametrize("seed", range(4))
def test_saturated_probabilities_agree(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = 100 * torch.randn(9, 4, generator=generator)
    y = (torch.randn(9, 1, generator=generator) > 0).float()
    module = made(lambda: nn.Linear(4, 1), nn.Sigmoid, dtype="float32", seed=seed)
    rule = lambda parameters: torch.optim.SGD(parameters, lr=0.1)  # noqa: E731
    report = compared(module, y, nn.BCELoss(), x, rule, epochs=20)
    assert report.verdict in (Verdict.AGREE, Verdict.NOTHING), report.first_divergence


def test_copies_that_raise_end_the_free_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Perturbed copies may be where the code under test raises, which says nothing of it."""

    def raising(self: Any, x: Any, target: Any) -> None:
        raise ValueError("not for numbers that only rounding gives")

    assert compared(made(linear), np.ones((4, 3)), nn.MSELoss()).horizon is None
    monkeypatch.setattr("compare.training.envelope.Envelope.step", raising)
    report = compared(made(linear), np.ones((4, 3)), nn.MSELoss())
    assert report.horizon == 1
    assert report.agrees
    assert report.free_run == ()


def test_amounts_that_are_whole_numbers_are_told_of() -> None:
    with pytest.raises(CannotCompare, match="as indices: make amounts floats"):
        compared(made(linear), np.ones((4, 3)), nn.MSELoss(), np.ones((4, 3), int))
