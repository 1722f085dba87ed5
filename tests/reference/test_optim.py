"""Gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reference import SGD, Array, HalfSquaredErrorLoss, Linear, gradients
from tests.support.complex_step import assert_close, gradient
from tests.support.strategies import draw_params, dtypes, frozen, generators


@given(rng=generators, lr=st.floats(1e-3, 10.0))
def test_step_is_lr_down_the_gradient(rng: np.random.Generator, lr: float) -> None:
    params = {"weight": rng.normal(size=(2, 3)), "bias": rng.normal(size=2)}
    grads = {name: rng.normal(size=value.shape) for name, value in params.items()}
    stepped, state = SGD(lr).step(params, grads, SGD(lr).init(params))
    assert state == {}
    assert list(stepped) == list(params)
    for name, value in params.items():
        np.testing.assert_array_equal(stepped[name], value - lr * grads[name])


@given(rng=generators, dtype=dtypes)
def test_step_keeps_dtype_and_leaves_what_it_is_given(
    rng: np.random.Generator, dtype: np.dtype[Any]
) -> None:
    params = {"weight": frozen(rng.normal(size=(2, 3)).astype(dtype))}
    grads = {"weight": frozen(rng.normal(size=(2, 3)).astype(dtype))}
    before = params["weight"].copy()
    stepped, _ = SGD(0.1).step(params, grads, {})
    assert stepped["weight"].dtype == dtype
    assert not np.shares_memory(stepped["weight"], params["weight"])
    np.testing.assert_array_equal(params["weight"], before)


@given(rng=generators)
def test_small_step_lowers_the_loss_by_lr_times_the_squared_gradient(
    rng: np.random.Generator,
) -> None:
    layer, loss = Linear(3, 2), HalfSquaredErrorLoss()
    params, lr = draw_params(layer, rng), 1e-7
    x, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    before, grads = gradients(layer, loss, params, x, target)
    after, _ = gradients(layer, loss, SGD(lr).step(params, grads, {})[0], x, target)
    squared = sum((value * value).sum() for value in grads.values())
    np.testing.assert_allclose(
        float(before - after), lr * float(squared), rtol=1e-4, atol=1e-14 * float(before)
    )


@given(rng=generators)
def test_derivative_of_the_step(rng: np.random.Generator) -> None:
    grad, weights = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))

    def stepped(value: Array) -> Array:
        params, _ = SGD(0.25).step({"weight": np.ones((2, 3))}, {"weight": value}, {})
        total: Array = (weights * params["weight"]).sum()
        return total

    assert_close(gradient(stepped, grad), -0.25 * weights, "slope of the step")
