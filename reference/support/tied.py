"""Shared parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

from reference.module import Module, Params, Shapes


class Tied(Module):
    r"""A module in which one parameter is used under several names.

    A language model's first layer and its last, for one, may share a matrix: the embedding of a
    token is also the weight that scores it. In ``y = f(w, w, x)`` the shared w reaches y in both
    places, so by the chain rule its gradient is the sum of what it would be in each if the other
    were a constant::

        ∂L/∂w = ∂L/∂w₁ + ∂L/∂w₂      at w₁ = w₂ = w

    Names are the module's own; the tied ones are gone from parameters and gradients, as they are
    from PyTorch's ``named_parameters()`` (a ``state_dict`` holds the same tensor under both).

    Example:
        >>> decoder = Tied(Sequential(Linear(3, 5), Tanh(), Linear(5, 5)), {"2.bias": "0.bias"})
        >>> list(decoder.parameter_shapes())
        ['0.weight', '0.bias', '2.weight']

    Args:
        module: the module.
        ties: for each name that is no parameter of its own, the parameter used there.

    Raises:
        ValueError: a name is unknown, tied to another tied one, or the shapes differ.

    Source:
        Press and Wolf, Using the output embedding to improve language models,
        https://arxiv.org/abs/1608.05859.
    """

    def __init__(self, module: Module, ties: Mapping[str, str]) -> None:
        shapes = module.parameter_shapes()
        for name, owner in ties.items():
            if name not in shapes or owner not in shapes or owner in ties:
                raise ValueError(
                    f"Tied: {name!r} is tied to {owner!r}, but both should be among "
                    f"{[*shapes]}, and {owner!r} not tied itself"
                )
            if shapes[name] != shapes[owner]:
                raise ValueError(
                    f"Tied: {name!r} is {shapes[name]} and {owner!r} is {shapes[owner]}, but they "
                    f"should have the same shape"
                )
        self.module = module
        self.ties = dict(ties)

    def children(self) -> dict[str, Module]:
        return self.module.children()

    def with_children(self, children: Mapping[str, Module]) -> Self:
        twin = copy.copy(self)
        twin.module = self.module.with_children(children)
        return twin

    def train(self, mode: bool = True) -> Self:
        self.training = mode
        self.module.train(mode)
        return self

    def parameter_shapes(self) -> Shapes:
        shapes = self.module.parameter_shapes().items()
        return {name: shape for name, shape in shapes if name not in self.ties}

    def buffer_shapes(self) -> Shapes:
        return self.module.buffer_shapes()

    def buffers(self, params: Params, cache: Any) -> Params:
        return self.module.buffers(self._all(params), cache)

    def init(self, rng: Any) -> Params:
        """Draw all parameters as the module does, and leave the tied ones out."""
        drawn = self.module.init(rng).items()
        return {name: value for name, value in drawn if name not in self.ties}

    def forward(self, params: Params, *inputs: Any, **options: Any) -> tuple[Any, Any]:
        return self.module.forward(self._all(params), *inputs, **options)

    def backward(self, params: Params, cache: Any, dy: Any) -> tuple[Any, Params]:
        dx, parts = self.module.backward(self._all(params), cache, dy)
        grads = {name: part for name, part in parts.items() if name not in self.ties}
        for name, owner in self.ties.items():
            grads[owner] = grads[owner] + parts[name]
        return dx, grads

    def _all(self, params: Params) -> Params:
        """The parameters under every name that the module uses."""
        return params | {name: params[owner] for name, owner in self.ties.items()}
