"""What differs is told in the order of the backward pass, with where to look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from compare import CrossReport, crosscheck

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))
SIZES = {"first": (3, 4), "second": (4, 4), "third": (4, 2)}

#: From the error that is carried back to a layer, by its name, to another one.
Fault = Callable[[str, Any], Any]


def network(names: tuple[str, ...], fault: Fault, own: str = "") -> dict[str, Any]:
    """Three tanh layers whose parameters are listed in any order."""
    p = {name: np.random.default_rng(len(name)).normal(size=SIZES[name]) for name in names}

    def grads() -> dict[str, Any]:
        h = [X]
        for name in SIZES:
            h.append(np.tanh(h[-1] @ p[name]))
        found, error = {}, h[-1] - Y
        for name, before, after in reversed([*zip(SIZES, h, h[1:], strict=False)]):
            error = fault(name, error) * (1 - after**2)
            found[name] = before.T @ error * (1.5 if name == own else 1.0)
            error = error @ p[name].T
        return found

    def torch_loss(q: dict[str, torch.Tensor]) -> torch.Tensor:
        h = torch.tensor(X)
        for name in SIZES:
            h = torch.tanh(h @ q[name])
        return ((h - torch.tensor(Y)) ** 2).sum() / 2

    return {"parameters": p, "grads": grads, "torch_loss": torch_loss}


def checked(report: CrossReport) -> list[str]:
    return [metrics.quantity for metrics in report.sections[0].metrics]


ORDERS = [("first", "second", "third"), ("third", "first", "second"), ("second", "third", "first")]


@pytest.mark.parametrize("names", ORDERS)
@pytest.mark.parametrize(
    ("at", "wrong", "said"),
    [
        ("third", ["third", "second", "first"], "all gradients are wrong, from third on"),
        ("second", ["second", "first"], "right: third; first wrong: second"),
        ("first", ["first"], "right: third and second; first wrong: first"),
    ],
)
def test_first_is_the_first_on_the_way_back(
    names: tuple[str, ...], at: str, wrong: list[str], said: str
) -> None:
    def clipped(name: str, error: Any) -> Any:
        return np.clip(error, -0.05, 0.05) if name == at else error

    report = crosscheck(**network(names, clipped))
    assert checked(report) == ["gradient third", "gradient second", "gradient first"]
    assert [f.quantity for f in report.failures][: len(wrong)] == [f"gradient {w}" for w in wrong]
    assert said in report.where
    assert report.where in " ".join(str(report).split())
    between = {"second": "between third and second", "first": "between second and first"}
    assert between.get(at, "the loss's own gradient") in report.where


@pytest.mark.parametrize("names", ORDERS)
def test_error_that_goes_on_rightly_is_told_from_one_that_does_not(names: tuple[str, ...]) -> None:
    report = crosscheck(**network(names, lambda name, error: error, own="second"))
    assert "as first comes of it: look at how second's own gradient is made of it" in report.where


def test_nothing_is_said_of_where_if_nothing_differs() -> None:
    report = crosscheck(**network(ORDERS[0], lambda name, error: error))
    assert report.agrees
    assert report.where == ""


def test_parameters_of_a_module_come_in_the_order_of_the_backward_pass() -> None:
    with torch.random.fork_rng(devices=[]):
        module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    p = {name: one.detach().numpy().copy() for name, one in module.named_parameters()}
    report = crosscheck(
        p,
        grads=lambda: p,
        module=module,
        torch_loss=lambda m: ((m(torch.tensor(X)) - torch.tensor(Y)) ** 2).sum(),
    )
    order = checked(report)
    assert order.index("gradient 2.weight") < order.index("gradient 0.weight")
    assert {"gradient 2.weight", "gradient 2.bias"} == set(order[:2])
