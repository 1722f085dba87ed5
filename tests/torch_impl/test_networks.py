"""The networks on PyTorch carry the names of the reference's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import reference
import torch_impl
from torch_impl.networks import ACTIVATIONS

ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "MLP": [
        {"sizes": (3, 2)},
        {"sizes": (2, 5, 4, 1), "activation": "tanh"},
        {"sizes": (4, 3, 2), "activation": "relu", "output_activation": "identity"},
    ],
    "Line": [{}, {"offset": -1.0}],
    "LeNet": [{}, {"num_classes": 3, "channels": (4, 5), "hidden": 7, "p": 0.5}],
    "CharRNN": [{"num_embeddings": 45}, {"num_embeddings": 5, "hidden_size": 6, "num_layers": 2}],
    "CharLSTM": [{"num_embeddings": 45}, {"num_embeddings": 5, "embedding_dim": 3}],
    "GPT": [{"num_embeddings": 45}, {"num_embeddings": 5, "d_model": 6, "nhead": 3, "bias": True}],
    "Autoencoder": [{}, {"features": 7, "hidden": 5, "code": 2}],
    "Regression": [{}, {"features": 3, "hidden": 5}],
}

NETWORKS = [(name, arguments) for name, several in ARGUMENTS.items() for arguments in several]


def arguments_of(build: Callable[..., Any]) -> dict[str, Any]:
    found = inspect.signature(build).parameters.values()
    return {argument.name: argument.default for argument in found}


@pytest.mark.parametrize("name", [*ARGUMENTS, "Shift"])
def test_constructor_arguments_are_the_same(name: str) -> None:
    ours, theirs = getattr(reference, name), getattr(torch_impl, name)
    assert arguments_of(ours) == arguments_of(theirs) != {}


def test_constructor_arguments_of_linear_begin_as_pytorch_s() -> None:
    ours, theirs = arguments_of(reference.Linear), arguments_of(nn.Linear)
    assert list(ours.items()) == list(theirs.items())[: len(ours)]


def test_constructor_arguments_of_the_xor_network() -> None:
    ours, theirs = arguments_of(reference.XORNetwork), arguments_of(torch_impl.XORNetwork)
    assert ours == {"seed": None, "dtype": np.float64}
    assert theirs == {"seed": None, "dtype": torch.float64}


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize(("name", "arguments"), NETWORKS)
def test_state_dict_has_the_same_keys_in_the_same_order(
    name: str, arguments: dict[str, Any]
) -> None:
    ours = getattr(reference, name)(**arguments)
    theirs = torch_impl.NETWORKS[name](**arguments)
    assert list(ours.parameter_shapes().items()) == shapes_of(theirs.named_parameters())
    assert list(ours.buffer_shapes().items()) == shapes_of(theirs.named_buffers())
    ties = ours.ties if isinstance(ours, reference.Tied) else {}
    drawn = ours.init(np.random.default_rng(0))
    assert [key for key in theirs.state_dict() if key not in ties] == list(drawn)
    for name, owner in ties.items():
        assert theirs.get_parameter(name) is theirs.get_parameter(owner)


def shapes_of(named: Iterable[tuple[str, Tensor]]) -> list[tuple[str, tuple[int, ...]]]:
    return [(key, tuple(value.shape)) for key, value in named]


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize(("name", "arguments"), NETWORKS)
def test_layers_are_of_the_same_names(name: str, arguments: dict[str, Any]) -> None:
    ours = getattr(reference, name)(**arguments).children()
    theirs = dict(torch_impl.NETWORKS[name](**arguments).named_children())
    assert {key: type(layer).__name__ for key, layer in ours.items()} == {
        key: type(layer).__name__ for key, layer in theirs.items()
    }


def test_every_network_that_a_case_can_name_is_on_both_sides() -> None:
    assert torch_impl.NETWORKS.keys() == ARGUMENTS.keys()
    for name in [*torch_impl.NETWORKS, *torch_impl.LOSSES]:
        assert hasattr(reference, name)
    assert ACTIVATIONS.keys() == reference.ACTIVATIONS.keys()


def test_xor_network_has_the_reference_s_keys() -> None:
    ours = reference.XORNetwork(seed=0).state_dict()
    theirs = torch_impl.XORNetwork(seed=0).state_dict()
    assert {key: value.shape for key, value in ours.items()} == {
        key: tuple(value.shape) for key, value in theirs.items()
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_xor_network_learns(dtype: torch.dtype) -> None:
    network = torch_impl.XORNetwork(seed=0, dtype=dtype)
    with torch_impl.eager_optimizers():
        losses = network.fit(5000)
    outputs = network.predict([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert outputs.dtype == dtype
    assert not outputs.requires_grad
    assert len(losses) == 5000
    assert losses[-1] < 1e-2 < losses[0]
    assert (outputs - network.targets).abs().max() <= 0.03


def test_fit_returns_the_loss_before_each_step() -> None:
    network = torch_impl.XORNetwork(seed=0)
    before = torch_impl.HalfSquaredErrorLoss()(network.predict(network.inputs), network.targets)
    with torch_impl.eager_optimizers():
        first, second = network.fit(2)
    assert first == before.item()
    assert second < first


def test_seed_fixes_the_weights_and_leaves_the_global_generator_alone() -> None:
    global_state = torch.get_rng_state()
    first, again, other = (torch_impl.XORNetwork(seed=seed) for seed in (3, 3, 4))
    unseeded = torch_impl.XORNetwork()
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
        assert not torch.equal(value, other.state_dict()[name])
        assert not torch.equal(value, unseeded.state_dict()[name])
        assert value.min() >= 0
        assert value.max() < 1
    assert torch.equal(torch.get_rng_state(), global_state)


def test_train_is_still_pytorch_s_switch() -> None:
    network = torch_impl.XORNetwork(seed=0)
    assert network.train(False) is network
    assert not network.training
