"""What is told of steps with a loss alone is what is told of them with torch_loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import CrossReport, Verdict, crosscheck

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))


class Net:
    """A hidden layer of tanh, with faults to choose from."""

    def __init__(self, fault: str = "", real: bool = False) -> None:
        rng = np.random.default_rng(1)
        self.fault, self.real, self.lr = fault, real, 0.1
        self.W1: Any = rng.standard_normal((3, 4))
        self.b1: Any = rng.standard_normal(4)
        self.W2: Any = rng.standard_normal((4, 2))
        self.carried: list[Any] = [0.0, 0.0, 0.0]
        self.copied = self.lr

    def loss(self) -> Any:
        found = ((np.tanh(X @ self.W1 + self.b1) @ self.W2 - Y) ** 2).sum() / 2
        return float(np.real(found)) if self.real else found

    def step(self) -> None:
        self.move(self.copied if self.fault == "copied" else self.lr)

    def move(self, lr: float) -> None:
        lr = self.copied if self.fault == "copied" else lr
        h = np.tanh(X @ self.W1 + self.b1)
        e = h @ self.W2 - Y
        old = self.W2
        new = self.W2 - lr * h.T @ e
        d = e @ (new if self.fault == "early" else old).T * (1 - h**2)
        g = [X.T @ d, d.sum(0), h.T @ e]
        share = {"accumulated": 1.0, "momentum": 0.9}.get(self.fault, 0.0)
        self.carried = g = [share * a + b for a, b in zip(self.carried, g, strict=True)]
        self.W1 = self.W1 - lr * g[0]
        self.b1 = self.b1 - lr * g[1] * (self.fault != "frozen")
        self.W2 = self.W2 - lr * g[2]


def torch_loss(p: dict[str, Tensor]) -> Tensor:
    hidden = torch.tanh(torch.tensor(X) @ p["W1"] + p["b1"])
    return ((hidden @ p["W2"] - torch.tensor(Y)) ** 2).sum() / 2


WAYS: dict[str, Callable[[Net], dict[str, Any]]] = {
    "torch": lambda net: {"torch_loss": torch_loss},
    "complex": lambda net: {"loss": net.loss},
    "real": lambda net: {"loss": net.loss},
}

each_way = pytest.mark.parametrize("way", WAYS)


def check(fault: str, way: str) -> CrossReport:
    net = Net(fault, real=way == "real")
    names = ("W1", "b1", "W2")
    return crosscheck((net, *names), step=net.step, lr=(net, "lr"), **WAYS[way](net))


@each_way
def test_right_step_is_compared_at_two_rates_and_nothing_is_told(way: str) -> None:
    report = check("", way)
    assert report.agrees, report
    assert report.remarks == ()
    assert report.notice == ""
    assert [section.title for section in report.sections] == [
        "your weights, lr 0.1", "your weights, lr 0.00625",
        "drawn weights 1, lr 0.1", "drawn weights 1, lr 0.00625",
    ]  # fmt: skip


@each_way
@pytest.mark.parametrize(
    ("fault", "notice"),
    [("accumulated", "gradients are accumulated"), ("momentum", "there is a momentum of 0.9")],
)
def test_what_a_second_step_shows_is_in_the_first_line(way: str, fault: str, notice: str) -> None:
    report = check(fault, way)
    assert report.agrees, report
    assert report.headline.endswith(f"; but {notice}")
    assert str(report).splitlines()[0].startswith("agree")


@each_way
def test_frozen_parameters_are_named(way: str) -> None:
    report = check("frozen", way)
    assert report.verdict is Verdict.DISAGREE
    assert any(one.startswith("not trained: b1: step leaves") for one in report.remarks)


@each_way
def test_second_rate_tells_of_an_update_that_comes_too_early(way: str) -> None:
    report = check("early", way)
    assert report.verdict is Verdict.DISAGREE
    sizes = {
        section.title: metrics.worst.error
        for section in report.sections
        for metrics in section.metrics
        if metrics.quantity == "gradient W1" and metrics.worst is not None
    }
    share = sizes["your weights, lr 0.1"] / sizes["your weights, lr 0.00625"]
    assert share == pytest.approx(16, rel=0.01)


@each_way
def test_rate_that_is_not_read_is_told_and_no_disagreement(way: str) -> None:
    report = check("copied", way)
    assert report.agrees, report
    assert [one for one in report.remarks if one.startswith("step does not use the learning rate")]


def test_rate_that_is_handed_in_vain_is_told() -> None:
    net = Net("copied")
    report = crosscheck((net, "W1", "b1", "W2"), step=net.move, lr=0.1, torch_loss=torch_loss)
    assert report.agrees, report
    assert any("learning rate that it is handed" in one for one in report.remarks)


def test_fixed_rate_is_told_where_something_differs() -> None:
    net = Net("early")
    report = crosscheck((net, "W1", "b1", "W2"), step=lambda: net.move(0.1), lr=0.1, loss=net.loss)
    assert report.verdict is Verdict.DISAGREE
    assert any(one.startswith("one learning rate, 0.1") for one in report.remarks)


def test_code_that_reads_other_parameters_is_told() -> None:
    held = {"w": np.array([0.3, -0.7])}
    fixed = held["w"].copy()
    report = crosscheck(held, grads=lambda: {"w": 2 * fixed}, loss=lambda: (held["w"] ** 2).sum())
    assert report.verdict is Verdict.DISAGREE
    assert any(one.startswith("your gradients are the same at other") for one in report.remarks)


def test_scalars_are_differentiated_once() -> None:
    calls = []
    held = {"a": np.array(0.3), "b": np.array([0.7])}

    def loss() -> Any:
        calls.append(1)
        return (held["a"] * held["b"] ** 2).sum()

    report = crosscheck(
        held, grads=lambda: {"a": held["b"] ** 2, "b": 2 * held["a"] * held["b"]}, loss=loss,
    )  # fmt: skip
    assert report.agrees, report
    assert {m.quantity for s in report.sections for m in s.metrics} == {"gradient a", "gradient b"}
    assert "along a direction" not in report.against


def test_gradients_that_are_made_in_the_loss_do_not_hinder_the_complex_step() -> None:
    held = {"W": np.array([[0.3, -0.7], [0.2, 0.5]]), "V": np.array([[0.1, 0.9], [0.4, -0.3]])}
    calls = []

    def run() -> tuple[Any, dict[str, Any]]:
        """Arrays like one parameter get results that are complex because of the other."""
        made = {name: np.zeros_like(value) for name, value in held.items()}
        made["W"] += np.exp(held["W"] * held["V"]) * held["V"]
        made["V"] += np.exp(held["W"] * held["V"]) * held["W"]
        return np.exp(held["W"] * held["V"]).sum(), made

    def loss() -> Any:
        calls.append(1)
        return run()[0]

    report = crosscheck(held, grads=lambda: run()[1], loss=loss, draws=0)
    assert report.agrees, report
    assert "(complex step;" in report.against
    assert len(calls) < 120
