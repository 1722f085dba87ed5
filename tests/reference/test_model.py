"""A network together with its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from reference import (
    MLP,
    SGD,
    BatchNorm1d,
    HalfSquaredErrorLoss,
    Linear,
    Loss,
    Model,
    MSELoss,
    Params,
    Sequential,
    gradients,
)
from tests.support.complex_step import assert_close, gradient
from tests.support.strategies import DTYPES, draw_params, frozen, generators, lengths

SIZES = (3, 4, 2)


def make(dtype: str = "float64", seed: int = 0) -> Model:
    network = MLP(SIZES, "tanh")
    params = draw_params(network, np.random.default_rng(seed))
    return Model(network, HalfSquaredErrorLoss(), SGD(0.1), params, dtype)


def batch(dtype: str = "float64", samples: int = 5) -> tuple[np.ndarray[Any, Any], ...]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(samples, 3)).astype(dtype), rng.random((samples, 2)).astype(dtype)


@pytest.mark.parametrize("loss", [HalfSquaredErrorLoss(), MSELoss()], ids=["half", "mse"])
@given(rng=generators, samples=lengths)
def test_gradients_are_those_of_the_loss(
    loss: Loss, rng: np.random.Generator, samples: int
) -> None:
    network = MLP(SIZES, "sigmoid", "tanh")
    params = draw_params(network, rng)
    x, target = rng.normal(size=(samples, 3)), rng.normal(size=(samples, 2))
    value, grads = gradients(network, loss, params, x, target)
    assert value == loss.forward(network.forward(params, x)[0], target)[0]
    assert grads.keys() == params.keys()
    for name in params:

        def moved(point: Any, name: str = name) -> Any:
            return loss.forward(network.forward(params | {name: point}, x)[0], target)[0]

        assert_close(grads[name], gradient(moved, params[name]), name)


@pytest.mark.parametrize("dtype", DTYPES)
def test_training_keeps_the_dtype(dtype: str) -> None:
    model, (x, target) = make(dtype), batch(dtype)
    losses = [model.step(x, target) for _ in range(20)]
    assert {value.dtype for value in model.params.values()} == {np.dtype(dtype)}
    assert model.predict(x.tolist()).dtype == np.dtype(dtype)
    assert losses[-1] < losses[0]
    assert all(type(loss) is float for loss in losses)


def test_step_returns_the_loss_before_it() -> None:
    model, (x, target) = make(), batch()
    before = model.loss.forward(model.predict(x), target)[0]
    assert model.step(x, target) == before


def test_step_leaves_data_and_former_parameters_alone() -> None:
    model, (x, target) = make(), batch()
    former = {name: frozen(value) for name, value in model.params.items()}
    kept = model.state_dict()
    model.step(frozen(x), frozen(target))
    for name, value in former.items():
        np.testing.assert_array_equal(value, kept[name])
        assert not np.array_equal(model.params[name], value)


def test_first_parameters_are_copied() -> None:
    network = MLP(SIZES)
    params = draw_params(network, np.random.default_rng(0))
    model = Model(network, HalfSquaredErrorLoss(), SGD(0.1), params)
    for name, value in params.items():
        assert not np.shares_memory(model.params[name], value)


def test_state_dict_is_a_copy_that_can_be_loaded() -> None:
    model, other = make(seed=0), make(seed=1)
    saved = model.state_dict()
    other.load_state_dict(dict(reversed(saved.items())))
    assert list(other.params) == list(other.network.parameter_shapes())
    for name, value in saved.items():
        assert not np.shares_memory(value, model.params[name])
        assert not np.shares_memory(value, other.params[name])
        np.testing.assert_array_equal(other.params[name], value)


def without_one(params: Params) -> Params:
    return {name: value for name, value in params.items() if name != "2.bias"}


def with_one_more(params: Params) -> Params:
    return params | {"4.weight": np.ones((1, 1))}


def transposed(params: Params) -> Params:
    return params | {"2.weight": params["2.weight"].T}


def broadcastable(params: Params) -> Params:
    return params | {"2.bias": np.ones(1)}


@pytest.mark.parametrize("spoil", [without_one, with_one_more, transposed, broadcastable])
def test_parameters_that_do_not_fit_are_refused(spoil: Any) -> None:
    model = make()
    before = model.state_dict()
    wrong = spoil(model.state_dict())
    with pytest.raises(ValueError, match=r"parameters are .*, but should be .*") as caught:
        model.load_state_dict(wrong)
    for name, value in wrong.items():
        assert f"{name!r}: {value.shape}" in str(caught.value)
    for name, value in before.items():
        np.testing.assert_array_equal(model.params[name], value)


def with_buffers(**options: Any) -> Model:
    network = Sequential(Linear(3, 4), BatchNorm1d(4), Linear(4, 2))
    params = network.init(np.random.default_rng(0))
    return Model(network, MSELoss(), SGD(0.1, **options), params, "float32")


def test_step_takes_over_the_buffers_and_learns_the_parameters() -> None:
    model, (x, target) = with_buffers(), batch("float32")
    before = model.state_dict()
    value, grads = gradients(model.network, model.loss, model.params, x, target)
    _, cache = model.network.forward(model.params, x)
    held = model.network.buffers(model.params, cache)
    assert model.step(x, target) == value
    assert model.params.keys() == before.keys()
    for name, grad in grads.items():
        np.testing.assert_allclose(model.params[name], before[name] - 0.1 * grad, rtol=1e-6)
    assert held.keys() == model.network.buffer_shapes().keys()
    for name, buffer in held.items():
        np.testing.assert_array_equal(model.params[name], buffer)
        assert not np.array_equal(buffer, before[name])


def test_update_rule_does_not_see_buffers() -> None:
    """A group for each parameter by name would refuse buffers, and decay must not touch them."""
    names = ["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"]
    model = with_buffers(weight_decay=0.5, momentum=0.9, groups=[{"params": names}])
    x, target = batch("float32")
    model.step(x, target)
    assert model.state.keys() == set(names)
    model.network.train(False)
    before = model.state_dict()
    model.step(x, target)
    for name in model.network.buffer_shapes():
        np.testing.assert_array_equal(model.params[name], before[name])


def test_buffers_are_saved_and_loaded() -> None:
    model, other = with_buffers(), with_buffers()
    model.step(*batch("float32"))
    saved = model.state_dict()
    other.load_state_dict({name: value.astype(np.float64) for name, value in saved.items()})
    for name, value in saved.items():
        np.testing.assert_array_equal(other.params[name], value)
        assert other.params[name].dtype == value.dtype
    assert saved["1.num_batches_tracked"].dtype == np.int64
    lost = {name: value for name, value in saved.items() if name != "1.running_var"}
    with pytest.raises(
        ValueError, match=r"parameters and buffers are .*, but should be .*running_var"
    ):
        other.load_state_dict(lost)
