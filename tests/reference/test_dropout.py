from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import reference
from tests.support.layer_checks import TOLERANCES, assert_same, extended, normal, strict
from tests.support.strict_array import plain


def masks_of(layer: nn.Dropout, x: Any) -> tuple[Any, Any, Any]:
    """Output, gradient of the mean square of the output, and mask of one pass of the real layer."""
    inputs = torch.tensor(x, requires_grad=True)
    torch.manual_seed(3)
    y = layer(inputs)
    y.backward(y.detach() + 1)
    torch.manual_seed(3)
    mask = layer(torch.ones_like(inputs)).numpy() != 0
    assert inputs.grad is not None
    return y.detach().numpy(), inputs.grad.numpy(), mask


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("handed", ["argument", "parameter"])
def test_mask_of_pytorch(handed: str, p: float, dtype: str, zeros: bool) -> None:
    x = normal(20, 3).astype(dtype)
    if zeros:
        x = np.maximum(x, 0)  # as after a ReLU
    expected, gradient, mask = masks_of(nn.Dropout(p), x)
    layer = reference.Dropout(p)
    if handed == "argument":
        y, cache = layer.forward({}, x, mask=mask)
    else:
        y, cache = layer.forward({"mask": mask.astype(np.float64)}, x)
    dx, grads = layer.backward({}, cache, expected + 1)
    assert grads == {}
    for actual, wanted in ((y, expected), (dx, gradient)):
        assert actual.dtype == wanted.dtype
        np.testing.assert_allclose(actual, wanted, rtol=TOLERANCES[dtype], atol=0)


@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
def test_evaluation(p: float) -> None:
    assert_same("Dropout", normal(4, 5), training=False, p=p)


@pytest.mark.parametrize("handed", [normal(4, 5) > 0, (normal(4, 5) > 0).astype(float)])
def test_gradients_of_forward(handed: Any) -> None:
    """Dropout with a mask is linear: its gradient is its own forward."""
    layer, x, dy = reference.Dropout(0.3), normal(4, 5), normal(4, 5, seed=1)
    y, cache = layer.forward({"mask": handed}, x)
    dx, _ = layer.backward({}, cache, dy)
    assert np.sum(y * dy) == pytest.approx(np.sum(x * dx), rel=1e-13)
    np.testing.assert_array_equal(y == 0, ~handed.astype(bool))


@pytest.mark.parametrize("lift", [strict, extended])
def test_other_arithmetics(lift: Any) -> None:
    layer, x, mask = reference.Dropout(0.3), normal(4, 5), (normal(4, 5, seed=2) > 0).astype(float)
    y, cache = layer.forward({"mask": lift(mask)}, lift(x))
    dx, _ = layer.backward({}, cache, lift(x))
    assert type(y) is type(dx) is type(lift(x))
    assert y.dtype == dx.dtype == lift(x).dtype
    np.testing.assert_allclose(plain(y).astype(float), x * mask / 0.7, rtol=1e-14)
    np.testing.assert_array_equal(plain(dx), plain(y))


@pytest.mark.parametrize(("x", "mask"), [((2, 4, 5), (4, 5)), ((4, 5), (2, 4, 5))])
def test_ensemble(x: tuple[int, ...], mask: tuple[int, ...]) -> None:
    numbers, kept = normal(*x), normal(*mask) > 0
    y, _ = reference.Dropout(0.2).forward({"mask": kept}, numbers)
    np.testing.assert_allclose(y, numbers * kept / 0.8, rtol=1e-14)


def test_within_sequential() -> None:
    """Two masks, each its own layer's."""
    layers = reference.Sequential(reference.Dropout(0.5), reference.Dropout(0.2))
    x, first, second = normal(6, 5), normal(6, 5, seed=1) > 0, normal(6, 5, seed=2) > 0
    y, _ = layers.forward({"0.mask": first, "1.mask": second}, x)
    np.testing.assert_allclose(y, x * first * second / 0.5 / 0.8, rtol=1e-14)


def test_draws_its_own_mask() -> None:
    layer, x = reference.Dropout(0.3), np.ones((200, 100))
    layer.rng = np.random.default_rng(0)
    first, cache = layer.forward({}, x)
    dx, _ = layer.backward({}, cache, x)
    np.testing.assert_array_equal(first, dx)
    assert np.mean(first == 0) == pytest.approx(0.3, abs=0.02)
    assert first.mean() == pytest.approx(1, abs=0.03)
    assert not np.array_equal(layer.forward({}, x)[0], first)
    layer.rng = np.random.default_rng(0)
    np.testing.assert_array_equal(layer.forward({}, x)[0], first)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"^Dropout: p is 1.5, but should be between 0 and 1"):
        reference.Dropout(1.5)
    with pytest.raises(ValueError, match=r"^Dropout: the mask's shape is"):
        reference.Dropout().forward({}, normal(2, 3), mask=np.ones(3))
    with pytest.raises(ValueError, match=r"^Dropout: the input's dtype is int64"):
        reference.Dropout().forward({}, np.ones(3, int))
