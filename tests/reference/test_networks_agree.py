"""The networks against autograd's on PyTorch, and against the derivative of their own forward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from compare.cases.case import Case
from compare.cases.datasets import DATASETS
from reference import GPT, Array, CharLSTM, CharRNN, Module, Params
from reference.networks.gpt import Decoder
from tests.support.layer_checks import (
    TOLERANCES,
    assert_close,
    assert_gradients_of_forward,
    assert_other_arithmetics,
    collect,
)
from tests.support.network_sides import RECIPES, Ours, Theirs, built, first_params, in_dtype
from tests.support.sequence_checks import assert_ensemble_is_each

#: Small ones, to be differentiated in many ways; sizes that differ, so that none is taken for
#: another.
SMALL: dict[str, dict[str, Any]] = {
    "LeNet": {"num_classes": 3, "channels": (2, 3), "hidden": 5},
    "CharRNN": {"num_embeddings": 7, "embedding_dim": 3, "hidden_size": 5, "num_layers": 2},
    "CharLSTM": {"num_embeddings": 7, "embedding_dim": 3, "hidden_size": 5},
    "GPT": {"num_embeddings": 7, "context": 6, "d_model": 4, "nhead": 2, "dim_feedforward": 5},
    "Autoencoder": {"features": 7, "hidden": 5, "code": 2},
    "Regression": {"features": 7, "hidden": 5},
}

dtypes = pytest.mark.parametrize("dtype", TOLERANCES)
networks = pytest.mark.parametrize("name", RECIPES)

#: The recipes, and what else the networks can be.
VARIANTS = RECIPES | {
    "CharRNN of two layers": replace(
        RECIPES["CharRNN"], arguments={"num_embeddings": 45, "num_layers": 2}
    ),
    "CharLSTM of two layers": replace(
        RECIPES["CharLSTM"], arguments={"num_embeddings": 45, "num_layers": 2}
    ),
    "GPT with biases": replace(RECIPES["GPT"], arguments={"num_embeddings": 45, "bias": True}),
}


def batch(recipe: Case, dtype: str, number: int = 0) -> tuple[Array, Array]:
    """One of the recipe's batches, of samples picked at random."""
    data = DATASETS[recipe.data]()
    samples = np.random.default_rng(number).permutation(len(data.inputs))[: recipe.batch_size]
    return in_dtype(data.inputs[samples], dtype), in_dtype(data.targets[samples], dtype)


@pytest.mark.parametrize("name", VARIANTS)
@dtypes
def test_one_batch_agrees(name: str, dtype: str) -> None:
    recipe = VARIANTS[name]
    params = first_params(recipe, dtype)
    x, target = batch(recipe, dtype)
    expected, masks = Theirs(recipe, params).step(x, target)
    actual = Ours(recipe, params).step(x, target, masks)
    assert actual.keys() == expected.keys()
    assert sum(key.startswith("gradient") for key in actual) == len(
        built(recipe).parameter_shapes()
    )
    for key in (key for key in expected if not key.startswith("parameter")):
        assert_close(key, actual[key], expected[key], TOLERANCES[dtype])


@networks
def test_training_agrees(name: str) -> None:
    """Five steps of each side by itself, with clipping, schedule, masks and statistics."""
    recipe = RECIPES[name]
    params = first_params(recipe)
    ours, theirs = Ours(recipe, params), Theirs(recipe, params)
    for number in range(5):
        x, target = batch(recipe, "float64", number)
        expected, masks = theirs.step(x, target, seed=number)
        actual = ours.step(x, target, masks)
        assert actual.keys() == expected.keys()
        for key, value in expected.items():
            assert_close(f"{key} of step {number}", actual[key], value, 1e-11)
    assert_close("prediction", ours.predict(x), theirs.predict(x), 1e-11)


@cache
def small(name: str) -> tuple[Module, Params, Array]:
    """A small network, parameters none of which is special, and inputs."""
    recipe = replace(RECIPES[name], arguments=SMALL[name])
    rng = np.random.default_rng(1)
    params = first_params(recipe)
    params = {
        key: value + 0.3 * np.abs(rng.standard_normal(value.shape))
        if value.dtype.kind == "f"
        else value
        for key, value in params.items()
    }
    if recipe.data == "characters":
        return built(recipe), params, rng.integers(0, 7, (4, 6))
    shape = (4, 1, 8, 8) if name == "LeNet" else (4, 7)
    x = rng.standard_normal(shape)
    if name == "LeNet":
        params |= {"9.mask": rng.random((4, 12)) > 0.3, "12.mask": rng.random((4, 5)) > 0.3}
    return built(recipe), params, x


def passes(name: str) -> tuple[Module, Params, Array, Array, Any, Params, dict[str, Any]]:
    """A small network forward and back, the upstream gradient random."""
    network, params, x = small(name)
    y, cached = network.forward(params, x)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx, grads = network.backward(params, cached, dy)
    seen = collect(y, dx, grads, network.buffers(params, cached))
    return network, params, x, dy, dx, grads, seen


@networks
def test_backward_is_the_derivative_of_forward(name: str) -> None:
    network, params, x, dy, dx, grads, _ = passes(name)
    assert grads.keys() == network.parameter_shapes().keys()
    assert (dx is None) == (x.dtype.kind == "i")
    assert_gradients_of_forward(network, params, (x,), dy, dx, grads)


@networks
def test_other_arithmetics(name: str) -> None:
    network, params, x, dy, *_, seen = passes(name)
    assert_other_arithmetics(network, params, (x,), dy, seen)


@pytest.mark.parametrize("name", ["CharRNN", "CharLSTM", "GPT", "Autoencoder"])
def test_ensemble(name: str) -> None:
    network, _, x = small(name)
    assert_ensemble_is_each(network, x)


@networks
def test_masks_are_those_of_the_dropouts(name: str) -> None:
    recipe = RECIPES[name]
    params = first_params(recipe)
    x, target = batch(recipe, "float64")
    _, masks = Theirs(recipe, params).step(x, target)
    shapes = {key: mask.shape for key, mask in masks.items()}
    assert shapes == ({"9.mask": (50, 64), "12.mask": (50, 32)} if name == "LeNet" else {})
    assert all(0.15 < 1 - mask.mean() < 0.35 for mask in masks.values())


class TestGPT:
    def test_no_step_sees_a_later_one(self) -> None:
        network, params, x = small("GPT")
        other = np.where(np.arange(6) < 4, x, (x + 1) % 7)
        before, after = (network.forward(params, each)[0] for each in (x, other))
        np.testing.assert_array_equal(before[..., :4], after[..., :4])
        assert (before[..., 4:] != after[..., 4:]).all()

    def test_takes_shorter_sequences(self) -> None:
        network, params, x = small("GPT")
        whole, part = (network.forward(params, each)[0] for each in (x, x[:, :2]))
        np.testing.assert_allclose(part, whole[..., :2], rtol=1e-12)

    def test_first_logits_are_small(self) -> None:
        network = GPT(45)
        params = network.init(np.random.default_rng(0))
        logits, _ = network.forward(params, np.arange(32)[None])
        assert 0 < np.abs(logits).max() < 1

    @pytest.mark.parametrize(
        ("x", "message"),
        [
            (np.zeros((2, 7), int), "Decoder: the input's length is 7, .* the context, 6"),
            (np.zeros(6, int), r"Decoder: the input's shape is \(6,\)"),
            (np.full((2, 6), 7), "Embedding: an index is .*7.*, but should be from 0 to 6"),
            (np.zeros((2, 6)), "Embedding: the indices' dtype is float64"),
        ],
    )
    def test_refuses(self, x: Array, message: str) -> None:
        network, params, _ = small("GPT")
        with pytest.raises(ValueError, match=message):
            network.forward(params, x)


class _ForgetsTheHead(GPT):
    def backward(self, params: Params, cache: Any, dy: Array) -> Any:
        dx, parts = self.module.backward(self._all(params), cache, dy)
        return dx, {name: parts[name] for name in params}


class _ForgetsTheFirstPosition(Decoder):
    def backward(self, params: Params, cache: Any, dy: Array) -> Any:
        dx, grads = super().backward(params, cache, dy)
        return dx, grads | {
            "position.weight": grads["token.weight"][: self.position.num_embeddings]
        }


class _LastStepOnly(CharRNN):
    def backward(self, params: Params, cache: Any, dy: Array) -> Any:
        later = np.arange(dy.shape[-1]) == dy.shape[-1] - 1
        return super().backward(params, cache, np.where(later, dy, 0))


class _ForgetsTheSwap(CharLSTM):
    def backward(self, params: Params, cache: Any, dy: Array) -> Any:
        return super().backward(
            params, cache, dy.reshape(-1, dy.shape[2], dy.shape[1]).swapaxes(1, 2)
        )


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("GPT", lambda: _ForgetsTheHead(**SMALL["GPT"])),
        ("GPT", lambda: _planted(_ForgetsTheFirstPosition)),
        ("CharRNN", lambda: _LastStepOnly(**SMALL["CharRNN"])),
        ("CharLSTM", lambda: _ForgetsTheSwap(**SMALL["CharLSTM"])),
    ],
)
def test_the_check_fails_on_a_wrong_backward(name: str, wrong: Callable[[], Module]) -> None:
    network, params, x = wrong(), *small(name)[1:]
    y, cached = network.forward(params, x)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx, grads = network.backward(params, cached, dy)
    with pytest.raises(AssertionError, match="is not the forward's"):
        assert_gradients_of_forward(network, params, (x,), dy, dx, grads)


def _planted(wrong: type[Decoder]) -> GPT:
    network = GPT(**SMALL["GPT"])
    network.module = wrong(7, 6, 4, 2, 2, 5, False)
    return network
