"""Whose fault an error is, and remarks that are made of the right numbers only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import crosscheck
from compare.process import blame

W = np.random.default_rng(0).standard_normal((4, 3))


def raised_in(file: str) -> IndexError:
    """An error of code that was made from a string for a module."""
    names: dict[str, Any] = {"__file__": file}
    exec(compile("def f():\n    raise IndexError('here')", "<string>", "exec"), names)  # noqa: S102
    with pytest.raises(IndexError) as caught:
        names["f"]()
    error = caught.value
    assert error.__traceback__ is not None
    return error.with_traceback(error.__traceback__.tb_next)


def test_methods_that_dataclasses_make_are_whose_the_class_is() -> None:
    assert blame.told(raised_in(blame.__file__)).startswith("a fault of Backproof")
    assert blame.told(raised_in("/home/somebody/net.py")) == "IndexError: here"


def disagree(loss: Any, right: Any) -> Any:
    weights = {"w": W.copy()}
    report = crosscheck(
        weights, grads=lambda: {"w": right(weights["w"]) * (1 + 1e-6)}, torch_loss=loss
    )
    assert not report.agrees
    return report


def test_gradients_that_are_the_same_everywhere_are_no_sign_of_other_parameters() -> None:
    def rounded(p: dict[str, Tensor]) -> Tensor:
        whole = p["w"] + (p["w"].round() - p["w"]).detach()
        return (whole * torch.tensor(W)).sum()

    assert not disagree(rounded, lambda w: W).remarks


def test_a_loss_made_of_a_gradient_is_looked_into() -> None:
    def loss(p: dict[str, Tensor]) -> Tensor:
        slope: Tensor = torch.func.grad(lambda w: (w**3).sum())(p["w"])
        return (slope**2).sum()

    assert not disagree(loss, lambda w: 36 * w**3).remarks
