"""Layers one after another."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

from reference.module import Array, Module, Params, prefixed, scoped


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
        self.layers = {str(position): layer for position, layer in enumerate(layers)}

    def children(self) -> dict[str, Module]:
        return self.layers

    def with_children(self, children: Mapping[str, Module]) -> Self:
        twin = copy.copy(self)
        twin.layers = self.layers | dict(children)
        return twin

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        caches = {}
        for name, layer in self.layers.items():
            x, caches[name] = layer.forward(scoped(params, name), x)
        return x, caches

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        grads: Params = {}
        for name, layer in reversed(self.layers.items()):
            dy, layer_grads = layer.backward(scoped(params, name), cache[name], dy)
            grads |= prefixed(name, layer_grads)
        return dy, grads

    def buffers(self, params: Params, cache: Any) -> Params:
        merged: Params = {}
        for name, layer in self.layers.items():
            merged |= prefixed(name, layer.buffers(scoped(params, name), cache[name]))
        return merged
