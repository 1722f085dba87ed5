"""Several networks stacked on a leading axis are the networks one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import MLP, SGD, Array, HalfSquaredErrorLoss, Loss, MSELoss, Params, gradients
from tests.support.strategies import draw_params, generators, lengths


def train(
    network: MLP, loss: Loss, params: Params, x: Array, target: Array
) -> tuple[list[Array], Params]:
    """Losses and last parameters of 20 steps."""
    losses = []
    for _ in range(20):
        value, grads = gradients(network, loss, params, x, target)
        params, _ = SGD(0.2).step(params, grads, {})
        losses.append(value)
    return losses, params


@pytest.mark.parametrize("loss", [HalfSquaredErrorLoss(), MSELoss()], ids=["half", "mse"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "identity"])
@given(rng=generators, networks=st.integers(1, 4), samples=lengths)
def test_stacked_networks_train_as_each_alone(
    activation: str, loss: Loss, rng: np.random.Generator, networks: int, samples: int
) -> None:
    network = MLP((3, 4, 2), activation)
    stacked = draw_params(network, rng, (networks,))
    x, target = rng.normal(size=(samples, 3)), rng.random((samples, 2))
    losses, trained = train(network, loss, stacked, x, target)
    for number in range(networks):
        alone = {name: value[number] for name, value in stacked.items()}
        alone_losses, alone_trained = train(network, loss, alone, x, target)
        together = [value[number] for value in losses]
        np.testing.assert_allclose(together, alone_losses, rtol=1e-9, atol=1e-14)
        for name, value in alone_trained.items():
            np.testing.assert_allclose(trained[name][number], value, rtol=1e-9, atol=1e-12)


def test_networks_on_inputs_of_their_own() -> None:
    rng = np.random.default_rng(0)
    network = MLP((3, 4, 2), "tanh")
    params, x = draw_params(network, rng, (5,)), rng.normal(size=(5, 6, 3))
    y, _ = network.forward(params, x)
    for number in range(5):
        alone, _ = network.forward({name: v[number] for name, v in params.items()}, x[number])
        np.testing.assert_allclose(y[number], alone, rtol=1e-14)
