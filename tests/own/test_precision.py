"""What PyTorch's side computes in decides what can be compared, or that nothing can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import CannotCompare, crosscheck

W = {"w": np.array([0.3, 0.7, -0.1])}
NUMBER = {"w": np.array(0.3)}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("weights", [W, NUMBER])
def test_half_precision_is_refused(dtype: torch.dtype, weights: dict[str, Any]) -> None:
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(CannotCompare, match=f"torch_loss computes with {name} numbers, but should"):
        crosscheck(
            weights,
            grads=lambda: {"w": 2 * weights["w"]},
            torch_loss=lambda p: (p["w"].to(dtype) ** 2).sum().double(),
        )


def squared_as_float32(p: dict[str, Tensor]) -> Tensor:
    return (p["w"].float() * 3) ** 2


@pytest.mark.parametrize(
    "loss", [squared_as_float32, lambda p: squared_as_float32(p).double()], ids=["all", "within"]
)
def test_float32_of_a_single_number_is_noticed(loss: Callable[[Any], Tensor]) -> None:
    report = crosscheck(
        NUMBER, grads=lambda: {"w": 18 * NUMBER["w"]}, loss=lambda: 9 * NUMBER["w"] ** 2,
        torch_loss=loss,
    )  # fmt: skip
    assert report.agrees, report
    assert "float32" in report.against
    assert any("float32 numbers" in remark for remark in report.remarks)


def test_constant_that_float32_holds_exactly_is_no_float32() -> None:
    report = crosscheck(
        W,
        grads=lambda: {"w": W["w"]},
        torch_loss=lambda p: (p["w"] ** 2).sum() * torch.tensor(0.5, dtype=torch.float32),
    )
    assert report.agrees, report
    assert "float64" in report.against


def slopes() -> Any:
    return 2 * W["w"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alone", [False, True])
def test_gradient_of_lower_precision_is_held_to_that_and_told(dtype: str, alone: bool) -> None:
    against: dict[str, Any] = (
        {"loss": lambda: (W["w"] ** 2).sum()} if alone else {"torch_loss": squares}
    )
    report = crosscheck(W, grads=lambda: {"w": slopes().astype(dtype)}, **against)
    assert report.agrees, report
    assert any("are float32, while the parameters are float64" in r for r in report.remarks) == (
        dtype == "float32"
    )
    report = crosscheck(W, grads=lambda: {"w": (1.01 * slopes()).astype(dtype)}, **against)
    assert not report.agrees


def squares(p: dict[str, Tensor]) -> Tensor:
    return sum((value.double() ** 2).sum() for value in p.values())  # type: ignore[return-value]


@pytest.mark.parametrize("alone", [False, True])
def test_parameters_of_two_precisions_are_held_to_the_coarser_and_told(alone: bool) -> None:
    p = {"w": np.array([0.3, 0.7]), "b": np.array([0.2, -0.9], np.float32)}
    against: dict[str, Any] = (
        {"loss": lambda: sum((value**2).sum() for value in p.values())}
        if alone
        else {"torch_loss": squares}
    )
    report = crosscheck(p, grads=lambda: {n: 2 * value for n, value in p.items()}, **against)
    assert report.agrees, report
    assert any(one.startswith("b: float32, unlike the other") for one in report.remarks)


def test_gradient_of_half_precision_is_refused_with_true_advice() -> None:
    with pytest.raises(CannotCompare, match=r"is float16.*converting it later brings no digits"):
        crosscheck(W, grads=lambda: {"w": slopes().astype(np.float16)}, torch_loss=squares)
