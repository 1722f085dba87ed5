"""What a step moves besides the parameters that were named is put back before torch_loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from compare import CrossReport, Verdict, crosscheck

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((8, 4)), RNG.standard_normal((8, 2))
W = RNG.standard_normal((4, 2))
b: Any = np.ones(2)


class Rebinding:
    """The bias is a new array after each step."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self.W, self.b = W.copy(), np.ones(2)

    @property
    def bias(self) -> Any:
        return self.b

    def move(self, change: Any) -> None:
        self.b = self.b - change

    def step(self) -> None:
        e = 2 * (X @ self.W + np.asarray(self.bias) - Y) / Y.size
        self.W = self.W - 0.1 * self.factor * X.T @ e
        self.move(0.1 * e.sum(0))


class InPlace(Rebinding):
    def move(self, change: Any) -> None:
        self.b -= change


class OfTheClass(Rebinding):
    """The bias is the class's until the first step."""

    shared = np.ones(2)

    @property
    def bias(self) -> Any:
        return self.shared

    def move(self, change: Any) -> None:
        self.shared = self.shared - change


class InADict(Rebinding):
    def __init__(self, factor: float = 1.0) -> None:
        super().__init__(factor)
        self.held = {"b": np.ones(2)}

    @property
    def bias(self) -> Any:
        return self.held["b"]

    def move(self, change: Any) -> None:
        self.held["b"] = self.held["b"] - change


class InAList(Rebinding):
    """Pure Python's numbers."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__(factor)
        self.numbers = [1.0, 1.0]

    @property
    def bias(self) -> Any:
        return self.numbers

    def move(self, change: Any) -> None:
        self.numbers = [one - float(two) for one, two in zip(self.numbers, change, strict=True)]


class InSlots(Rebinding):
    __slots__ = ("kept",)

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__(factor)
        self.kept = np.ones(2)

    @property
    def bias(self) -> Any:
        return self.kept

    def move(self, change: Any) -> None:
        self.kept = self.kept - change


class Global(Rebinding):
    """The bias is a global variable, as in a script."""

    @property
    def bias(self) -> Any:
        return b

    def move(self, change: Any) -> None:
        global b
        b = b - change


KINDS = [Rebinding, InPlace, OfTheClass, InADict, InAList, InSlots, Global]


def check(net: Rebinding) -> CrossReport:
    def torch_loss(p: dict[str, Tensor]) -> Tensor:
        bias = torch.tensor(np.asarray(net.bias))
        return functional.mse_loss(torch.tensor(X) @ p["W"] + bias, torch.tensor(Y))

    return crosscheck((net, "W"), step=net.step, lr=0.1, torch_loss=torch_loss)


@pytest.mark.parametrize("kind", KINDS)
def test_right_step_agrees_and_is_told(kind: Callable[..., Rebinding]) -> None:
    report = check(kind())
    assert report.agrees, report
    told = [one for one in report.remarks if "moves more than the parameters" in one]
    assert len(told) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_step_disagrees_and_pytorch_is_not_blamed(kind: Callable[..., Rebinding]) -> None:
    report = check(kind(1.001))
    assert report.verdict is Verdict.DISAGREE
    assert report.opinion is not None
    assert "PyTorch's side is wrong" not in str(report.opinion)


class Dropout:
    """Draws a mask in each run; the one that is there before lets everything through."""

    def __init__(self, forgets: bool = False) -> None:
        self.forgets = forgets
        self.rng = np.random.default_rng(0)
        self.W: Any = W.copy()
        self.mask: Any = np.ones((8, 2))
        self.b = np.ones(2)

    def step(self) -> None:
        self.mask = (self.rng.random((8, 2)) < 0.5) * 2.0
        mask = 1.0 if self.forgets else self.mask
        e = 2 * ((X @ self.W + self.b) * mask - Y) / Y.size * mask
        self.W = self.W - 0.1 * X.T @ e
        self.b = self.b - 0.1 * e.sum(0)

    def torch_loss(self, p: dict[str, Tensor]) -> Tensor:
        out = (torch.tensor(X) @ p["W"] + torch.tensor(self.b)) * torch.tensor(self.mask)
        return functional.mse_loss(out, torch.tensor(Y))


def test_mask_that_is_drawn_is_kept() -> None:
    net = Dropout()
    report = crosscheck((net, "W"), step=net.step, lr=0.1, torch_loss=net.torch_loss)
    assert report.agrees, report
    assert any("you named: b; as" in one for one in report.remarks)


def test_mask_that_is_not_applied_is_not_put_back() -> None:
    """With the mask of before the run the gradients would be right."""
    net = Dropout(forgets=True)
    report = crosscheck((net, "W"), step=net.step, lr=0.1, torch_loss=net.torch_loss)
    assert report.verdict is Verdict.DISAGREE


def test_nothing_is_run_again_where_torch_loss_reads_nothing() -> None:
    calls = []
    w = {"w": np.array([0.3, -0.7])}

    def grads() -> dict[str, Any]:
        calls.append(1)
        return {"w": 3 * w["w"]}

    assert not crosscheck(w, grads=grads, torch_loss=lambda p: (p["w"] ** 2).sum(), draws=0).agrees
    assert len(calls) <= 5


class Plain:
    """One linear layer by plain descent; its bias moves, too, whether it is named or not."""

    def __init__(self, momentum: float) -> None:
        rng = np.random.default_rng(3)
        self.w, self.b = rng.standard_normal((4, 2)), np.ones(2)
        self.v, self.momentum = np.zeros((4, 2)), momentum
        self.x, self.y = rng.standard_normal((8, 4)), rng.standard_normal((8, 2))

    def loss(self) -> float:
        return float(((self.x @ self.w + self.b - self.y) ** 2).sum() / 2)

    def step(self) -> None:
        error = self.x @ self.w + self.b - self.y
        self.v = self.momentum * self.v + self.x.T @ error
        self.w = self.w - 0.01 * self.v
        self.b = self.b - 0.01 * error.sum(0)

    def torch_loss(self, p: dict[str, torch.Tensor]) -> torch.Tensor:
        x, y = torch.tensor(self.x), torch.tensor(self.y)
        return ((x @ p["w"] + torch.tensor(self.b) - y) ** 2).sum() / 2


@pytest.mark.parametrize("alone", [False, True])
def test_what_moves_besides_is_not_taken_for_something_carried_along(alone: bool) -> None:
    net = Plain(0.0)
    against: dict[str, Any] = {"loss": net.loss} if alone else {"torch_loss": net.torch_loss}
    report = crosscheck((net, "w"), step=net.step, lr=0.01, **against)
    assert report.agrees, report
    assert not any("second one" in remark for remark in report.remarks), report


def test_momentum_is_seen_beside_what_moves() -> None:
    net = Plain(0.9)
    report = crosscheck((net, "w"), step=net.step, lr=0.01, torch_loss=net.torch_loss)
    assert report.agrees, report
    assert "momentum of 0.9" in report.notice


class Forgetting(Plain):
    """Each step takes away what the step before it left: an item, an attribute, a variable."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.cache, self.last = {"error": 1.0}, 1.0

    def step(self) -> None:
        self.cache.pop("error", None)
        vars(self).pop("last", None)
        super().step()

    def torch_loss(self, p: dict[str, torch.Tensor]) -> torch.Tensor:
        assert not self.cache
        return super().torch_loss(p)


def test_what_is_taken_away_is_not_missed() -> None:
    net = Forgetting()
    report = crosscheck((net, "w"), step=net.step, lr=0.01, torch_loss=net.torch_loss)
    assert report.agrees, report
