"""Several networks side by side, against each of them on its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module
from tests.support.layer_checks import normal, random_params

TOLERANCE = 1e-12


def assert_ensemble(
    layer: Module, shape: tuple[int, ...], networks: tuple[int, ...], shared: bool
) -> None:
    """Compare a pass with parameters of leading axes with one pass for each network.

    Args:
        layer: the layer.
        shape: of one network's input.
        networks: the leading axes.
        shared: whether all networks have the same input.
    """
    rng = np.random.default_rng(0)
    each = {index: random_params(layer, rng) for index in np.ndindex(networks)}
    names = list(next(iter(each.values())))
    params = {
        name: np.stack([p[name] for p in each.values()]).reshape(
            *networks, *each[(0,) * len(networks)][name].shape
        )
        for name in names
    }
    x = normal(*shape) if shared else normal(*networks, *shape)
    y, cache = layer.forward(params, x)
    dy = normal(*y.shape, seed=1)
    dx, grads = layer.backward(params, cache, dy)
    found = {"y": y, "dx": dx} | grads | layer.buffers(params, cache)
    for index, own in each.items():
        own_x = x if shared else x[index]
        expected = alone(layer, own, own_x, dy[index])
        for name, value in expected.items():
            scale = np.max(np.abs(value), initial=0)
            assert found[name][index].shape == value.shape, name
            assert np.max(np.abs(found[name][index] - value), initial=0) <= TOLERANCE * scale, name


def alone(layer: Module, params: Any, x: Array, dy: Array) -> dict[str, Array]:
    """All results of one network."""
    y, cache = layer.forward(params, x)
    dx, grads = layer.backward(params, cache, dy)
    return {"y": y, "dx": dx} | grads | layer.buffers(params, cache)
