"""Losses and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from reference import HalfSquaredErrorLoss, Loss, MSELoss
from tests.support.complex_step import assert_loss_backward
from tests.support.strategies import dtypes, frozen, generators, lengths, scattered

each_loss = pytest.mark.parametrize(
    "loss", [HalfSquaredErrorLoss(), MSELoss()], ids=["half", "mse"]
)

Y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
TARGET = np.array([[0.0, 2.0], [3.0, 6.0], [4.0, 6.0]])


@pytest.mark.parametrize(
    ("loss", "value", "slope"), [(HalfSquaredErrorLoss(), 3.0, 1.0), (MSELoss(), 1.0, 1 / 3)]
)
def test_by_hand(loss: Loss, value: float, slope: float) -> None:
    actual, cache = loss.forward(Y, TARGET)
    assert actual == value
    np.testing.assert_allclose(loss.backward(cache), (Y - TARGET) * slope, rtol=1e-15)


@each_loss
@given(rng=generators, batch=lengths, features=lengths)
def test_backward_is_the_derivative_of_forward(
    loss: Loss, rng: np.random.Generator, batch: int, features: int
) -> None:
    y, target = rng.normal(size=(2, batch, features))
    assert_loss_backward(loss, y, target)


@each_loss
@given(rng=generators, batch=lengths, features=lengths)
def test_ensemble_has_a_loss_each(
    loss: Loss, rng: np.random.Generator, batch: int, features: int
) -> None:
    y, target = rng.normal(size=(3, batch, features)), rng.normal(size=(batch, features))
    values, cache = loss.forward(y, target)
    assert values.shape == (3,)
    assert_loss_backward(loss, y, target)
    for number, one in enumerate(y):
        alone, alone_cache = loss.forward(one, target)
        np.testing.assert_allclose(values[number], alone, rtol=1e-14)
        np.testing.assert_array_equal(loss.backward(cache)[number], loss.backward(alone_cache))


@each_loss
@given(rng=generators, dtype=dtypes)
def test_dtype_is_kept_and_nothing_written_to(
    loss: Loss, rng: np.random.Generator, dtype: np.dtype[Any]
) -> None:
    y, target = (frozen(rng.normal(size=(4, 3)).astype(dtype)) for _ in range(2))
    value, cache = loss.forward(y, target)
    assert value.dtype == dtype
    assert loss.backward(cache).dtype == dtype
    assert loss.backward(cache).dtype == dtype


@each_loss
def test_memory_layout_does_not_matter(loss: Loss) -> None:
    value, cache = loss.forward(scattered(Y), scattered(TARGET))
    expected, expected_cache = loss.forward(Y, TARGET)
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    np.testing.assert_array_equal(loss.backward(cache), loss.backward(expected_cache))


@each_loss
@pytest.mark.parametrize(
    ("prediction", "target"),
    [
        ((4, 1), (4,)),
        ((4,), (4, 1)),
        ((4, 2), (4, 1)),
        ((4, 2), (1, 2)),
        ((4, 2), (2, 4)),
        ((1, 1), ()),
    ],
)
def test_shapes_that_would_broadcast_are_refused(
    loss: Loss, prediction: tuple[int, ...], target: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="shape") as caught:
        loss.forward(np.ones(prediction), np.zeros(target))
    assert str(prediction) in str(caught.value)
    assert str(target) in str(caught.value)
