"""A reference network together with what travels beside its parameters.

Buffers, such as running statistics, and the masks of dropouts are no parameters: no gradient, no
update rule. Held here, they reach every layer under its own name, and all that trains a network
needs to know of parameters alone.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from reference import Dropout, Module, Params, Shapes


class Beside(Module):
    """A network that holds its buffers and masks, and computes the networks of an ensemble in turn.

    Not every layer has room for an ensemble's axes, so each network of it gets a pass of its own.

    Args:
        network: the network.
        held: its buffers, by name. Masks are held here too, under ``<path>.mask``.
        seed: of the masks that dropouts draw if none are held.
    """

    def __init__(self, network: Module, held: Params, seed: int = 0) -> None:
        self.network = network
        self.held = dict(held)
        for number, dropout in enumerate(dropouts(network)):
            dropout.rng = np.random.default_rng((seed, number))

    def children(self) -> dict[str, Module]:
        return self.network.children()

    def with_children(self, children: Mapping[str, Module]) -> Self:
        twin = copy.copy(self)
        twin.network = self.network.with_children(children)
        return twin

    def train(self, mode: bool = True) -> Self:
        self.training = mode
        self.network.train(mode)
        return self

    def parameter_shapes(self) -> Shapes:
        return self.network.parameter_shapes()

    def buffer_shapes(self) -> Shapes:
        return {}

    def init(self, rng: np.random.Generator) -> Params:
        drawn, learned = self.network.init(rng), self.network.parameter_shapes()
        return {name: drawn[name] for name in learned}

    def forward(self, params: Params, *inputs: Any, **options: Any) -> tuple[Any, Any]:
        members = self._members(params)
        if members is None:
            return self.network.forward(self.held | params, *inputs, **options)
        several = [self.network.forward(one, *inputs, **options) for one in members]
        return np.stack([y for y, _ in several]), [cache for _, cache in several]

    def backward(self, params: Params, cache: Any, dy: Any) -> tuple[Any, Params]:
        members = self._members(params)
        if members is None:
            return self.network.backward(self.held | params, cache, dy)
        each = [
            self.network.backward(one, *rest)[1]
            for one, *rest in zip(members, cache, dy, strict=True)
        ]
        return None, {name: np.stack([grads[name] for grads in each]) for name in each[0]}

    def buffers(self, params: Params, cache: Any) -> Params:
        return self.network.buffers(self.held | params, cache)

    def buffers_now(self) -> Params:
        """The buffers as they are."""
        return {name: self.held[name] for name in self.network.buffer_shapes()}

    def _members(self, params: Params) -> list[Params] | None:
        """The parameters of each network, if they are an ensemble's."""
        shapes = self.parameter_shapes()
        if all(params[name].ndim == len(shape) for name, shape in shapes.items()):
            return None
        count = len(next(params[name] for name in shapes))
        return [self.held | {name: params[name][k] for name in shapes} for k in range(count)]


def needed_by(network: Module) -> bool:
    """Whether a network has buffers or dropouts."""
    return bool(network.buffer_shapes()) or any(dropout.p > 0 for dropout in dropouts(network))


def dropouts(network: Module) -> list[Dropout]:
    """Every dropout within a network."""
    if isinstance(network, Dropout):
        return [network]
    return [found for child in network.children().values() for found in dropouts(child)]
