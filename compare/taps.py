"""Watching the layers of a reference network at work, without touching its code."""

from __future__ import annotations

from typing import Any

from compare.observation import Observation, activation, gradient, gradient_at
from reference import Array, Module, Params


class Tap(Module):
    """Stands in for a layer, does what it does and writes down what passes."""

    def __init__(self, layer: Module, path: str, seen: Observation) -> None:
        self.layer = layer
        self.path = path
        self.seen = seen

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return self.layer.parameter_shapes()

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        y, cache = self.layer.forward(params, x)
        self.seen[activation(self.path)] = y
        return y, cache

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        self.seen[gradient_at(self.path)] = dy
        dx, grads = self.layer.backward(params, cache, dy)
        self.seen |= {gradient(f"{self.path}.{name}"): value for name, value in grads.items()}
        return dx, grads


def tapped(module: Module, seen: Observation, path: str = "") -> Module:
    """A twin of ``module`` whose layers write what they compute into ``seen``."""
    children = module.children()
    if not children:
        return Tap(module, path, seen)
    prefix = f"{path}." if path else ""
    return module.with_children(
        {name: tapped(child, seen, f"{prefix}{name}") for name, child in children.items()}
    )
