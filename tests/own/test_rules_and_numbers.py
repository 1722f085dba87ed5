"""Causes that are read from numbers: clipping, update rules, and factors with a loss alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import CrossReport, crosscheck
from tests.support.planted_layers import causes

RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(7, 4)), RNG.normal(size=(7, 3))
Gradients = dict[str, Any]


class Linear:
    """Two layers without activation, as two tensors of very different gradients."""

    def __init__(self, change: Callable[[Gradients], Gradients] = lambda g: g) -> None:
        rng = np.random.default_rng(4)
        self.p = {"V": rng.normal(size=(4, 5)), "W": rng.normal(size=(5, 3))}
        self.change = change

    def grads(self) -> Gradients:
        h = np.tanh(X @ self.p["V"])
        e = h @ self.p["W"] - Y
        return self.change({"V": X.T @ (e @ self.p["W"].T * (1 - h**2)), "W": h.T @ e})

    def loss(self) -> Any:
        return ((np.tanh(X @ self.p["V"]) @ self.p["W"] - Y) ** 2).sum() / 2

    def torch_loss(self, p: dict[str, Tensor]) -> Tensor:
        h = torch.tanh(torch.tensor(X) @ p["V"])
        return ((h @ p["W"] - torch.tensor(Y)) ** 2).sum() / 2

    def check(self, alone: bool = False, **options: Any) -> CrossReport:
        against = {"loss": self.loss} if alone else {"torch_loss": self.torch_loss}
        return crosscheck(self.p, grads=self.grads, **against, **options)


def by_value(low: float, high: float, *names: str) -> Callable[[Gradients], Gradients]:
    return lambda g: {n: np.clip(v, low, high) if n in names else v for n, v in g.items()}


def norm(several: Any) -> float:
    return float(np.sqrt(sum((g**2).sum() for g in several)))


def by_norm(limit: float, each: bool, eps: float = 0.0) -> Callable[[Gradients], Gradients]:
    def change(g: Gradients) -> Gradients:
        whole = norm(g.values())
        sizes = {name: norm([v]) if each else whole for name, v in g.items()}
        return {n: v * min(1.0, limit / (sizes[n] + eps)) for n, v in g.items()}

    return change


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("low", "high", "names", "name"),
    [
        (-2.0, 2.0, ("V", "W"), "clipped at 2"),
        (-1.5, 1.5, ("W",), "clipped at 1.5"),
        (-np.inf, 1.5, ("W",), "clipped at 1.5"),
        (-0.5, 1.25, ("W",), "clipped at -0.5 and 1.25"),
    ],
)
def test_clipped_by_value(
    low: float, high: float, names: tuple[str, ...], name: str, alone: bool
) -> None:
    report = Linear(by_value(low, high, *names)).check(alone)
    assert set(causes(report)) == {name}
    assert {tensor for cause in report.causes for tensor in cause.tensors} == set(names)


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("eps", [0.0, 1e-6])
def test_clipped_by_norm(each: bool, eps: float) -> None:
    report = Linear(by_norm(0.25, each, eps)).check()
    assert causes(report) == ["clipped by norm at 0.25"]
    assert ("each by itself" in report.causes[0].told) == each


def test_factor_is_not_taken_for_a_norm() -> None:
    report = Linear(lambda g: {n: 0.37 * v for n, v in g.items()}).check()
    assert causes(report) == ["one factor of 0.37"]


def test_squashing_is_not_taken_for_clipping() -> None:
    report = Linear(lambda g: {n: np.tanh(v) for n, v in g.items()}).check()
    assert not any("clipped" in name for name in causes(report))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda g: {n: 2 * v for n, v in g.items()}, "factor of 2"),
        (lambda g: {n: v / 2 for n, v in g.items()}, "factor of 1 over 2"),
        (lambda g: {n: -v for n, v in g.items()}, "sign"),
        (lambda g: {n: 7 * v for n, v in g.items()}, "one factor of 7"),
        (lambda g: {**g, "W": np.zeros((5, 3))}, "never trained"),
        (lambda g: {**g, "V": g["V"][:, ::-1]}, "reversed"),
    ],
)
def test_numbers_are_read_with_a_loss_alone(
    change: Callable[[Gradients], Gradients], name: str
) -> None:
    assert causes(Linear(change).check(alone=True)) == [name]


def test_nothing_is_read_with_a_loss_alone_if_nothing_is_wrong() -> None:
    report = Linear().check(alone=True)
    assert report.agrees
    assert (report.causes, report.where) == ((), "")


def test_where_is_told_with_a_loss_alone_as_what_it_is() -> None:
    report = Linear(lambda g: {**g, "V": g["V"] ** 3}).check(alone=True)
    assert report.where.startswith("right: W; wrong: V; with torch_loss")


class Rule(Linear):
    """Steps by an update rule with state.

    Args:
        update: from the gradient and the state of a parameter, a dict, to its change over lr.
    """

    def __init__(self, update: Callable[[Any, dict[str, Any]], Any], scale: float = 1.0) -> None:
        super().__init__()
        self.p = {name: scale * value for name, value in self.p.items()}
        self.update = update
        self.state: dict[str, dict[str, Any]] = {name: {} for name in self.p}

    def step(self, lr: float) -> None:
        for name, g in self.grads().items():
            self.p[name] = self.p[name] - lr * self.update(g, self.state[name])

    def run(self) -> CrossReport:
        where = {name: (self, f"p['{name}']") for name in self.p}
        return crosscheck(where, step=self.step, lr=0.01, torch_loss=self.torch_loss)


def late(momentum: float) -> Callable[[Any, dict[str, Any]], Any]:
    def update(g: Any, state: dict[str, Any]) -> Any:
        now = state.get("change", np.zeros_like(g))
        state["change"] = g + momentum * now
        return now

    return update


def mean(share: float) -> Callable[[Any, dict[str, Any]], Any]:
    def update(g: Any, state: dict[str, Any]) -> Any:
        state["v"] = share * state.get("v", 0) + (1 - share) * g
        return state["v"]

    return update


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_change_that_comes_one_step_late(momentum: float) -> None:
    report = Rule(late(momentum)).run()
    assert causes(report) == ["applied one step late"]
    assert ("momentum of 0.9" in report.causes[0].told) == bool(momentum)
    assert not any(remark.startswith("not trained") for remark in report.remarks)


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_momentum_as_a_running_mean(share: float) -> None:
    assert causes(Rule(mean(share)).run()) == ["momentum as a running mean"]


def test_half_a_gradient_is_no_running_mean() -> None:
    assert causes(Rule(lambda g, state: g / 2).run()) == ["factor of 1 over 2"]


@pytest.mark.parametrize("scale", [1.0, 1e-3])
@pytest.mark.parametrize("eps", [0.0, 1e-8, 1e-3, 1.0])
@pytest.mark.parametrize("size", [1.0, 3.16])
def test_adaptive_rule_with_any_eps(scale: float, eps: float, size: float) -> None:
    def update(g: Any, state: dict[str, Any]) -> Any:
        return size * g / (np.abs(g) + eps)

    assert causes(Rule(update, scale).run()) == ["adaptive update rule"]


def test_adaptive_rule_with_eps_inside_the_root() -> None:
    report = Rule(lambda g, state: g / np.sqrt(g**2 + 1e-3)).run()
    assert causes(report) == ["adaptive update rule"]
    assert "√" in report.causes[0].told


def test_no_rule_is_read_from_a_step_that_is_none() -> None:
    assert causes(Rule(lambda g, state: np.cbrt(g)).run()) == []
