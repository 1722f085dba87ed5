"""Watching the layers of a reference network at work, without touching its code."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from compare.base.nested import leaves
from compare.base.quantities import Observation, activation, gradient, gradient_at
from compare.sides.networks.beside import Beside
from reference import (
    Array,
    Module,
    MultiheadAttention,
    Params,
    Shapes,
    TransformerEncoderLayer,
)

#: Layers that are watched as a whole, although they are made of others.
WHOLE = (MultiheadAttention, TransformerEncoderLayer)


class Tap(Module):
    """Stands in for a layer, does what it does and writes down what passes.

    A layer that is used several times shows its last use, and its whole gradient only in the end.
    """

    def __init__(self, layer: Module, path: str, seen: Observation) -> None:
        self.layer = layer
        self.path = path
        self.seen = seen
        self.training = layer.training

    def __getattr__(self, name: str) -> Any:
        """What a parent may ask of the layer beside this, such as its sizes."""
        if name.startswith("__") or name == "layer":
            raise AttributeError(name)
        return getattr(self.layer, name)

    def children(self) -> dict[str, Module]:
        return {}

    def parameter_shapes(self) -> Shapes:
        return self.layer.parameter_shapes()

    def buffer_shapes(self) -> Shapes:
        return self.layer.buffer_shapes()

    def buffers(self, params: Params, cache: Any) -> Params:
        return self.layer.buffers(params, cache)

    def init(self, rng: np.random.Generator) -> Params:
        return self.layer.init(rng)

    def forward(self, params: Params, *inputs: Any, **options: Any) -> tuple[Any, Any]:
        y, cache = self.layer.forward(params, *inputs, **options)
        self.seen |= leaves(y, activation(self.path))
        return y, cache

    def backward(self, params: Params, cache: Any, dy: Any) -> tuple[Any, Params]:
        self.seen |= {
            name: value
            for name, value in leaves(dy, gradient_at(self.path)).items()
            if name not in self.seen
        }
        dx, grads = self.layer.backward(params, cache, dy)
        self.seen |= {gradient(joined(self.path, name)): value for name, value in grads.items()}
        return dx, grads


def tapped(
    module: Module, seen: Observation, path: str = "", watched: Collection[str] | None = None
) -> Module:
    """A twin of ``module`` whose layers write what they compute into ``seen``.

    Args:
        module: the network.
        seen: where they write.
        path: of the module within the whole.
        watched: paths of the layers to watch; None for all.
    """
    children = module.children()
    if _is_watched_as_a_whole(module, children):
        return Tap(module, path, seen) if watched is None or path in watched else module
    return module.with_children(
        {name: tapped(child, seen, joined(path, name), watched) for name, child in children.items()}
    )


def layer_paths(module: Module, path: str = "") -> list[str]:
    """Where the layers are that can be watched."""
    children = module.children()
    if _is_watched_as_a_whole(module, children):
        return [path]
    return [
        found
        for name, child in children.items()
        for found in layer_paths(child, joined(path, name))
    ]


def joined(path: str, name: str) -> str:
    """The name within the whole of what is called ``name`` at ``path``."""
    return f"{path}.{name}" if path and name else path or name


def settle(seen: Observation, grads: dict[str, Array]) -> None:
    """Put the whole gradient of each parameter for what single uses of it gave."""
    whole = {gradient(name): value for name, value in grads.items()}
    for name in [name for name in seen if name.startswith(gradient("")) and name not in whole]:
        if not name.startswith(gradient_at("")):
            del seen[name]
    seen.update(whole)


def _is_watched_as_a_whole(module: Module, children: dict[str, Module]) -> bool:
    inner = module.network if isinstance(module, Beside) else module
    return not children or isinstance(inner, WHOLE)
