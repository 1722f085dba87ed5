"""The named networks, and the first weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
from reference import INITIALISERS, MLP, Line, Linear, ReLU, Sigmoid, Tanh, XORNetwork
from tests.support.strategies import DTYPES

#: Starts that end in a local minimum, with two of the outputs at 0.5.
STUCK = (1, 2, 4)

TRUTH = np.array([[0.0], [1.0], [1.0], [0.0]])


@pytest.mark.parametrize("seed", range(6))
def test_xor_is_learned_as_in_the_tutorial_or_not_at_all(seed: int) -> None:
    network = XORNetwork(seed)
    losses = network.train(5000)
    outputs = network.predict(network.inputs)
    learned = bool(((outputs > 0.5) == (TRUTH > 0.5)).all())
    assert learned == (seed not in STUCK)
    assert bool((np.abs(outputs - TRUTH) <= 0.03).all()) == learned
    assert len(losses) == 5000
    assert losses[-1] < losses[0]


def test_training_continues_where_it_stopped() -> None:
    once, twice = XORNetwork(seed=0), XORNetwork(seed=0)
    assert once.train(60) == twice.train(40) + twice.train(20)


def test_seed_fixes_the_first_weights() -> None:
    first, again, other = XORNetwork(seed=3), XORNetwork(seed=3), XORNetwork(seed=4)
    for name, value in first.params.items():
        np.testing.assert_array_equal(again.params[name], value)
        assert not np.array_equal(other.params[name], value)
        assert ((value >= 0) & (value < 1)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_xor_in_every_dtype(dtype: str) -> None:
    network = XORNetwork(seed=0, dtype=dtype)
    network.train(10)
    assert {value.dtype for value in network.params.values()} == {np.dtype(dtype)}
    exact = XORNetwork(seed=0, dtype="longdouble")
    exact.train(10)
    tolerance = 50 * float(np.finfo(dtype).eps)
    for name, value in exact.params.items():
        np.testing.assert_allclose(network.params[name], value, rtol=tolerance)


def test_xor_is_taught_in_the_tutorials_5000_epochs() -> None:
    losses = XORNetwork(seed=0).train()
    assert len(losses) == 5000
    assert losses[-1] < 1e-2 < losses[0]


def test_line_learns_the_slope() -> None:
    params = {"0.weight": np.ones((1, 1))}
    model = reference.Model(
        Line(3.0), reference.HalfSquaredErrorLoss(), reference.SGD(0.01), params
    )
    for _ in range(100):
        model.step(np.array([[5.0]]), np.array([[21.0]]))
    np.testing.assert_allclose(model.params["0.weight"], 3.6, rtol=1e-9)
    y, _ = Line().forward({"0.weight": np.ones((1, 1))}, np.array([[5.0]]))
    assert y == 8.0  # 5 and the offset of the tutorial, 3


def test_mlp_alternates_linear_and_activation() -> None:
    layers = list(MLP((5, 4, 3, 2), "relu", "tanh").children().values())
    assert [type(layer) for layer in layers] == [Linear, ReLU, Linear, ReLU, Linear, Tanh]
    assert MLP((5, 4, 3)).parameter_shapes() == {
        "0.weight": (4, 5),
        "0.bias": (4,),
        "2.weight": (3, 4),
        "2.bias": (3,),
    }
    assert [type(layer) for layer in MLP((5, 4, 3)).children().values()][1::2] == [Sigmoid] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((2,),), r"sizes is \(2,\), but should be at least two"),
        (((),), r"sizes is \(\), but should be at least two"),
        (((3, 2), "relu", "rellu"), "activation is 'rellu', but should be one of .*relu, sigmoid"),
        (((3, 4, 2), "tahn"), "activation is 'tahn', but should be one of .*tanh"),
        (((3, 0, 2),), "out_features is 0"),
    ],
)
def test_mlp_refuses(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLP(*arguments)


@pytest.mark.parametrize("name", INITIALISERS)
def test_initialisers_fit_the_network_and_repeat(name: str) -> None:
    network = MLP((3, 4, 2))
    first, again = (INITIALISERS[name](network, np.random.default_rng(7)) for _ in range(2))
    assert {key: value.shape for key, value in first.items()} == network.parameter_shapes()
    for key, value in first.items():
        assert value.dtype == np.float64
        np.testing.assert_array_equal(again[key], value)


@pytest.mark.parametrize("name", INITIALISERS)
def test_buffers_start_as_pytorchs(name: str) -> None:
    network = reference.Sequential(Linear(3, 2), reference.BatchNorm1d(2), Linear(2, 1))
    params = INITIALISERS[name](network, np.random.default_rng(7))
    assert {key: value.shape for key, value in params.items()} == (
        network.parameter_shapes() | network.buffer_shapes()
    )
    np.testing.assert_array_equal(params["1.running_mean"], [0.0, 0.0])
    np.testing.assert_array_equal(params["1.running_var"], [1.0, 1.0])
    assert params["1.num_batches_tracked"].dtype.kind == "i"
    assert params["1.num_batches_tracked"] == 0
