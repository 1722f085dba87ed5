"""Layers one after another."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes


class Sequential(Module):
    r"""The composition ``y = f_n(… f_2(f_1(x)))``.

    By the chain rule the gradient runs through the same layers in reverse, each turning the
    gradient at its output into the gradient at its input::

        dx = f_1'ᵀ f_2'ᵀ … f_n'ᵀ dy

    Each layer's parameters are prefixed with its position: ``0.weight``, ``0.bias``, ``2.weight``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
    """

    def __init__(self, *layers: Module) -> None:
        self.layers = list(layers)
        self._names = [
            [(f"{position}.{name}", name) for name in layer.parameter_shapes()]
            for position, layer in enumerate(layers)
        ]

    def children(self) -> dict[str, Module]:
        return {str(position): layer for position, layer in enumerate(self.layers)}

    def parameter_shapes(self) -> Shapes:
        return {
            f"{position}.{name}": shape
            for position, layer in self.children().items()
            for name, shape in layer.parameter_shapes().items()
        }

    def init(self, rng: np.random.Generator) -> Params:
        return {
            f"{position}.{name}": value
            for position, layer in self.children().items()
            for name, value in layer.init(rng).items()
        }

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        caches = []
        for layer, names in zip(self.layers, self._names, strict=True):
            x, cache = layer.forward({name: params[full] for full, name in names}, x)
            caches.append(cache)
        return x, caches

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        grads: Params = {}
        steps = list(zip(self.layers, self._names, cache, strict=True))
        for layer, names, layer_cache in reversed(steps):
            own = {name: params[full] for full, name in names}
            dy, layer_grads = layer.backward(own, layer_cache, dy)
            grads |= {full: layer_grads[name] for full, name in names}
        return dy, grads
