"""The free run of losses that may be below 0, or 0 because their terms cancel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from compare import CASES, Report, Verdict
from compare.cases.registry import DTYPES
from compare.sides.feed import Feed
from compare.sides.pair import build
from compare.sides.reference_side import ReferenceSide
from compare.sides.torch_side import TorchSide
from compare.training.module import compare_module
from reference import Array
from torch_impl import UpdateRule, eager_optimizers

RNG = np.random.default_rng(4)


def linear(*more: nn.Module) -> nn.Module:
    """A module of small weights and no bias, drawn without a trace in the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        first = nn.Linear(3, 2)
    nn.init.zeros_(first.bias)
    return nn.Sequential(first, *more).double()


def compared(module: nn.Module, inputs: Array, loss: nn.Module, lr: float = 0.05) -> Report:
    with eager_optimizers():
        optimizer = torch.optim.SGD(module.parameters(), lr=lr)
    classes = np.zeros(len(inputs), np.int64)
    return compare_module(module, (inputs, classes), loss, optimizer, epochs=8)


def likelihood() -> Report:
    """A loss that is below 0 from the first to the last: minus the mean probability."""
    return compared(linear(nn.Softmax(1)), RNG.standard_normal((8, 3)), nn.NLLLoss())


def cancelling(loss: nn.Module, lr: float) -> Report:
    """A loss that is exactly 0 before training, of terms that are not."""
    half = RNG.standard_normal((4, 3))
    return compared(linear(), np.concatenate([half, -half]), loss, lr)


def test_a_loss_below_0_is_compared_to_the_end() -> None:
    report = likelihood()
    assert report.verdict is Verdict.AGREE
    assert max(report.history.torch) < 0
    assert report.horizon is None
    assert {metrics.checks for metrics in report.free_run} == {8}
    assert report.undecided_free_run == ()


def test_a_fault_in_training_with_a_loss_below_0_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ReferenceSide.step

    def shorter(side: ReferenceSide, x: Array, target: Array) -> float:
        before = {name: p.copy() for name, p in side.model.params.items()}
        value = right(side, x, target)
        after = side.model.params
        side.model.params = {name: p - 1e-6 * (p - before[name]) for name, p in after.items()}
        return value

    monkeypatch.setattr(ReferenceSide, "step", shorter)
    report = likelihood()
    assert report.verdict is Verdict.DISAGREE
    assert {failure.check for failure in report.failures} == {"free run"}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_loss_of_0_by_cancelling_is_compared_until_it_explodes(reduction: str) -> None:
    loss = nn.NLLLoss(reduction=reduction)
    quiet, loud = cancelling(loss, 0.01), cancelling(loss, 100.0)
    for report in (quiet, loud):
        assert report.verdict is Verdict.AGREE
        assert abs(report.history.torch[0]) < 1e-15
    assert quiet.horizon is None
    assert {metrics.checks for metrics in quiet.free_run} == {8}
    assert loud.horizon is not None


def test_the_size_is_that_of_the_terms() -> None:
    scores = nn.Identity()
    x, target = np.array([[3.0, 9.0], [-3.0, 9.0], [0.0, 9.0]]), np.array([0, 0, 0])
    for reduction, size in (("mean", 2.0), ("sum", 6.0)):
        side = TorchSide(
            scores,
            nn.NLLLoss(reduction=reduction),
            lambda network: UpdateRule(
                torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
            ),
        )
        assert side.evaluate(x, target) == 0
        assert side.loss_size(x, target) == size
        assert side.loss_size(x[[1, 1]], target[:2]) == abs(side.evaluate(x[[1, 1]], target[:2]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_the_size_of_what_is_never_below_0_is_the_loss_bit_for_bit(name: str, dtype: str) -> None:
    case = replace(CASES[name], dtype=dtype)
    side, feed = build(case).torch, Feed(case)
    with side.training():
        assert side.loss_size(feed.inputs, feed.targets) == side.evaluate(feed.inputs, feed.targets)
