"""Every usual function of PyTorch's in a loss: right gradients agree, wrong ones are found.

The right gradient comes by another way than the reverse pass of which it is the other side: from
forward-mode differentiation, entry by entry, so that it is rounded otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import Verdict, crosscheck
from tests.support.functions import FUNCTIONS

#: A relative error that is found in any of them, in float64.
WRONG = 1e-9

#: The smallest one that would be, but for those below.
DETECTS = 1e-10

NAMES, SHAPE = ("a", "b"), (4, 6)


#: All tests of a function come one after another, so that its right gradients are found once.
each_function = pytest.mark.parametrize("name", FUNCTIONS, scope="module")

#: Functions that are piecewise constant in ``b``.
CONSTANT = {"floor divide of both", "copysign of both", "heaviside of both"}


#: Functions of which the report tells that PyTorch is less exact than its numbers.
KNOWN = {"hardsigmoid", "digamma"}

#: Functions whose backward pass PyTorch computes with a constant in float32: what is allowed then.
INEXACT = {"hardsigmoid": 1e-7}


def weights(dtype: Any = np.float64) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    return {name: rng.standard_normal(SHAPE).astype(dtype) for name in NAMES}


def loss_of(name: str) -> Any:
    def loss(p: Mapping[str, Tensor]) -> Tensor:
        found = FUNCTIONS[name](p["a"], p["b"])
        upstream = torch.linspace(0.4, 1.7, found.numel(), dtype=p["a"].dtype)
        return (found.reshape(-1) * upstream).sum()

    return loss


def right(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The gradients, in float64."""
    return _right(name, *(tuple(values[key].astype(float).ravel()) for key in NAMES))


@cache
def _right(name: str, *values: tuple[float, ...]) -> dict[str, Any]:
    loss = loss_of(name)
    p = {
        key: torch.tensor(value, dtype=torch.float64).reshape(SHAPE)
        for key, value in zip(NAMES, values, strict=True)
    }
    with torch.random.fork_rng(devices=[]):
        seed = torch.get_rng_state()
        try:
            return {key: _forward(loss, p, key, seed) for key in p}
        except (NotImplementedError, RuntimeError):  # not every operation has a forward mode
            torch.set_rng_state(seed)
            leaves = {key: one.requires_grad_() for key, one in p.items()}
            found = torch.autograd.grad(loss(leaves), list(leaves.values()))
            return {key: one.numpy() for key, one in zip(leaves, found, strict=True)}


def _forward(loss: Any, p: Mapping[str, Tensor], key: str, seed: Tensor) -> Any:
    def along(direction: Tensor) -> Tensor:
        torch.set_rng_state(seed)
        slope: Tensor = torch.func.jvp(lambda one: loss({**p, key: one}), (p[key],), (direction,))[
            1
        ]
        return slope

    units = torch.eye(p[key].numel(), dtype=torch.float64).reshape(-1, *SHAPE)
    try:
        slopes = torch.func.vmap(along, randomness="same")(units)
    except (NotImplementedError, RuntimeError):  # not every operation takes many directions at once
        slopes = torch.stack([along(unit) for unit in units])
    return slopes.reshape(SHAPE).numpy()


def check(name: str, wrong: Mapping[str, int] | None = None, dtype: Any = np.float64) -> Any:
    """Compare at the first weights and at drawn ones.

    Args:
        name: of the function.
        wrong: at which of the two each gradient is wrong.
        dtype: of the parameters.
    """
    values, first = weights(dtype), weights(dtype)
    error = max(WRONG, INEXACT.get(name, 0.0))

    def grads() -> dict[str, Any]:
        at = int(not np.array_equal(values["a"], first["a"]))
        return {
            key: (g * (1 + error * ((wrong or {}).get(key) == at))).astype(dtype)
            for key, g in right(name, values).items()
        }

    return crosscheck(values, grads=grads, torch_loss=loss_of(name))


@each_function
def test_right_gradients_agree(name: str) -> None:
    report = check(name)
    assert report.agrees, report
    assert not any("noise" in remark for remark in report.remarks), report
    assert any("bug of PyTorch" in remark for remark in report.remarks) is (name in KNOWN), report
    for one in report.sections[0].metrics:
        if one.quantity != "gradient b" or name not in CONSTANT:
            assert one.detectable <= INEXACT.get(name, DETECTS), one


@each_function
def test_right_gradients_agree_in_float32(name: str) -> None:
    report = check(name, dtype=np.float32)
    assert report.agrees, report


@pytest.mark.usefixtures("verdict_alone")
@each_function
def test_a_wrong_gradient_is_found(name: str) -> None:
    """One at the first weights, and the other at the drawn ones."""
    report = check(name, {"a": 0} if name in CONSTANT else {"a": 0, "b": 1})
    assert report.verdict is Verdict.DISAGREE, report
    found = {(failure.check, failure.quantity) for failure in report.failures}
    expected = {("your weights", "gradient a"), ("drawn weights 1", "gradient b")}
    assert found == {one for one in expected if name not in CONSTANT or one[1] != "gradient b"}
