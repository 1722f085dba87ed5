"""Every layer: its backward against its own forward, and what all of them promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import (
    ACTIVATIONS,
    MLP,
    Array,
    Identity,
    Linear,
    Module,
    ReLU,
    Sequential,
    Shift,
    Sigmoid,
    Tanh,
)
from tests.support.complex_step import assert_backward
from tests.support.strategies import (
    draw_params,
    dtypes,
    frozen,
    generators,
    leading_axes,
    lengths,
    scattered,
)

Build = Callable[[int, int], Module]

LAYERS: dict[str, Build] = {
    "identity": lambda fan_in, fan_out: Identity(),
    "sigmoid": lambda fan_in, fan_out: Sigmoid(),
    "tanh": lambda fan_in, fan_out: Tanh(),
    "relu": lambda fan_in, fan_out: ReLU(),
    "shift": lambda fan_in, fan_out: Shift(-1.5),
    "linear": Linear,
    "linear without bias": lambda fan_in, fan_out: Linear(fan_in, fan_out, bias=False),
    "sequential": lambda fan_in, fan_out: Sequential(
        Linear(fan_in, 3), Tanh(), Shift(0.5), Linear(3, fan_out, bias=False), Sigmoid()
    ),
    "sequential within a sequential": lambda fan_in, fan_out: Sequential(
        Linear(fan_in, 2), Sequential(Sigmoid(), Linear(2, 3)), Linear(3, fan_out)
    ),
    "mlp": lambda fan_in, fan_out: MLP((fan_in, 3, 2, fan_out), "tanh", "identity"),
    "mlp with relu": lambda fan_in, fan_out: MLP((fan_in, 4, fan_out), "relu", "sigmoid"),
}

each_layer = pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS.keys())


def run(module: Module, params: dict[str, Array], x: Array, dy: Array) -> list[Array]:
    """y, dx and all gradients, in the order of the parameters."""
    y, cache = module.forward(params, x)
    dx, grads = module.backward(params, cache, dy)
    assert grads.keys() == params.keys()
    return [y, dx, *(grads[name] for name in params)]


def output_shape(module: Module, params: dict[str, Array], x: Array) -> tuple[int, ...]:
    shape: tuple[int, ...] = module.forward(params, x)[0].shape
    return shape


def test_no_layer_is_left_out() -> None:
    used = {type(build(2, 3)) for build in LAYERS.values()}
    assert set(ACTIVATIONS.values()) | {Linear, Shift, Sequential, MLP} == used


@each_layer
@given(rng=generators, batch=lengths, fan_in=lengths, fan_out=lengths)
def test_backward_is_the_derivative_of_forward(
    build: Build, rng: np.random.Generator, batch: int, fan_in: int, fan_out: int
) -> None:
    module = build(fan_in, fan_out)
    x = rng.normal(scale=2.0, size=(batch, fan_in))
    assert_backward(module, draw_params(module, rng), x, rng)


@each_layer
@given(rng=generators, leading=leading_axes, batch=lengths)
def test_backward_with_leading_axes(
    build: Build,
    rng: np.random.Generator,
    leading: tuple[tuple[int, ...], tuple[int, ...]],
    batch: int,
) -> None:
    module = build(2, 3)
    of_params, of_x = leading
    params = draw_params(module, rng, of_params)
    assert_backward(module, params, rng.normal(size=(*of_x, batch, 2)), rng)


@each_layer
@given(rng=generators, dtype=dtypes, leading=leading_axes)
def test_dtype_is_kept(
    build: Build,
    rng: np.random.Generator,
    dtype: np.dtype[Any],
    leading: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    module = build(3, 2)
    of_params, of_x = leading
    params = draw_params(module, rng, of_params, dtype)
    x = rng.normal(size=(*of_x, 4, 3)).astype(dtype)
    dy = rng.normal(size=output_shape(module, params, x)).astype(dtype)
    assert [array.dtype for array in run(module, params, x, dy)] == [dtype] * (len(params) + 2)


@each_layer
@given(rng=generators, batch=lengths)
def test_inputs_are_not_written_to(build: Build, rng: np.random.Generator, batch: int) -> None:
    module = build(3, 2)
    params = draw_params(module, rng)
    x = rng.normal(size=(batch, 3))
    dy = rng.normal(size=output_shape(module, params, x))
    handed_in = [x, dy, *params.values()]
    before = [array.copy() for array in handed_in]
    for array in handed_in:
        frozen(array)
    run(module, params, x, dy)
    for array, was in zip(handed_in, before, strict=True):
        np.testing.assert_array_equal(array, was)


@each_layer
def test_cache_serves_more_than_once(build: Build) -> None:
    rng = np.random.default_rng(0)
    module = build(3, 2)
    params, x = draw_params(module, rng), rng.normal(size=(4, 3))
    y, cache = module.forward(params, x)
    kept = y.copy()
    dy = rng.normal(size=y.shape)
    first, first_grads = module.backward(params, cache, dy)
    module.backward(params, cache, rng.normal(size=y.shape))
    again, again_grads = module.backward(params, cache, dy)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(y, kept)
    for name, value in first_grads.items():
        np.testing.assert_array_equal(value, again_grads[name])


@each_layer
@given(rng=generators, batch=lengths)
def test_memory_layout_does_not_matter(build: Build, rng: np.random.Generator, batch: int) -> None:
    module = build(3, 2)
    params = draw_params(module, rng, (2,))
    x = rng.normal(size=(2, batch, 3))
    dy = rng.normal(size=output_shape(module, params, x))
    apart = {name: scattered(value) for name, value in params.items()}
    expected = run(module, params, x, dy)
    actual = run(module, apart, scattered(x), scattered(dy))
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


@each_layer
@given(rng=generators, data=st.data())
def test_longdouble_agrees_with_float64(
    build: Build, rng: np.random.Generator, data: st.DataObject
) -> None:
    module = build(data.draw(lengths), data.draw(lengths))
    params = draw_params(module, rng)
    fan_in = next((value.shape[-1] for value in params.values()), 3)
    x = rng.normal(size=(data.draw(lengths), fan_in))
    dy = rng.normal(size=output_shape(module, params, x))
    wide = {name: value.astype(np.longdouble) for name, value in params.items()}
    expected = run(module, wide, x.astype(np.longdouble), dy.astype(np.longdouble))
    for one, other in zip(run(module, params, x, dy), expected, strict=True):
        np.testing.assert_allclose(one, other.astype(np.float64), rtol=1e-10, atol=1e-12)


@each_layer
def test_init_fits_the_parameter_shapes(build: Build) -> None:
    module = build(3, 2)
    params = module.init(np.random.default_rng(0))
    assert {name: value.shape for name, value in params.items()} == module.parameter_shapes()
    assert list(params) == list(module.parameter_shapes())
    assert {value.dtype for value in params.values()} <= {np.dtype(np.float64)}


@each_layer
def test_train_switches_all_modules_within(build: Build) -> None:
    module = build(3, 2)
    assert module.training
    assert module.train(False) is module
    assert not any(child.training for child in [module, *module.children().values()])
    module.train()
    assert all(child.training for child in [module, *module.children().values()])
