"""Two runs from one start: small differences are a remark, those that matter are refused."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import CannotCompare, crosscheck

RNG = np.random.default_rng(0)
HALF = RNG.standard_normal(20)
X, SIGNS = np.repeat(HALF, 2), np.tile([1.0, -1.0], 20)
Y = np.repeat(RNG.standard_normal(20), 2) + 1e-4 * RNG.standard_normal(40)
GENERATOR, OTHER = np.random.default_rng(0), random.Random(0)  # noqa: S311
P = {"a": np.array(0.3), "c": np.array(0.0)}


def squares(p: dict[str, Tensor]) -> Tensor:
    x, signs, y = map(torch.tensor, (X, SIGNS, Y))
    return ((p["a"] * x + p["c"] * signs - y) ** 2).sum() / 2


def own_loss() -> Any:
    return ((P["a"] * X + P["c"] * SIGNS - Y) ** 2).sum() / 2


def in_turn(orders: Any) -> Callable[[], dict[str, Any]]:
    """The right gradients, summed in another order each time; that of c nearly cancels."""

    def grads() -> dict[str, Any]:
        order = next(orders)
        a = c = 0.0
        for i in order:
            error = P["a"] * X[i] + P["c"] * SIGNS[i] - Y[i]
            a, c = a + error * X[i], c + error * SIGNS[i]
        return {"a": a, "c": c}

    return grads


def orders() -> Any:
    rng = np.random.default_rng(1)
    while True:
        yield rng.permutation(40)


@pytest.mark.parametrize("against", [{"torch_loss": squares}, {"loss": own_loss}])
def test_sums_in_another_order_are_a_remark(against: dict[str, Any]) -> None:
    report = crosscheck(P, grads=in_turn(orders()), **against)
    assert report.agrees, report
    told = [one for one in report.remarks if "two runs from the same start differ" in one]
    assert len(told) == 1
    assert "the gradient of c" in told[0]


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1.0])
@pytest.mark.parametrize("against", [{"torch_loss": squares}, {"loss": own_loss}])
def test_more_than_is_allowed_is_refused_with_digits_that_differ(
    against: dict[str, Any], size: float
) -> None:
    calls, right = itertools.count(), in_turn(itertools.repeat(range(40)))

    def grads() -> dict[str, Any]:
        return {name: g + size * (next(calls) % 7) for name, g in right().items()}

    with pytest.raises(CannotCompare, match="not deterministic") as raised:
        crosscheck(P, grads=grads, **against)
    shown = re.search(r"was (\S+) at first, then (\S+);", str(raised.value))
    assert shown is not None
    assert shown[1] != shown[2]


def test_loss_that_changes_is_refused() -> None:
    calls = itertools.count()
    ways: list[dict[str, Any]] = [{}, {"torch_loss": squares}]
    for against in ways:
        with pytest.raises(CannotCompare, match="from the same start, the loss was"):
            crosscheck(
                P, grads=in_turn(itertools.repeat(range(40))),
                loss=lambda: own_loss() + 1e-6 * next(calls), **against,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda: np.random.rand(), "np.random"),  # noqa: NPY002 - as people do
        (lambda: random.random(), "random"),  # noqa: S311
        (lambda: torch.rand(1), "torch"),
        (GENERATOR.random, "a numpy Generator"),
        (OTHER.random, "a random Random"),
    ],
)
def test_step_that_draws_random_numbers_is_told_so(draw: Callable[[], Any], name: str) -> None:
    w = {"w": np.array([0.3, -0.7])}

    def step() -> None:
        draw()
        w["w"] = w["w"] - 0.1 * 2 * w["w"]

    against: list[dict[str, Any]] = [
        {"torch_loss": lambda p: (p["w"] ** 2).sum()},
        {"loss": lambda: (w["w"] ** 2).sum()},
    ]
    for one in against:
        report = crosscheck({"w": (w, "['w']")}, step=step, lr=0.1, **one)
        assert report.agrees, report
        told = f"step draws random numbers of {name}: each run starts where the first did"
        assert told in report.remarks


def test_nothing_is_told_where_none_are_drawn() -> None:
    report = crosscheck(P, grads=in_turn(itertools.repeat(range(40))), torch_loss=squares)
    assert report.remarks == ()
