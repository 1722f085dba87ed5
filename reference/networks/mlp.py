"""The fully connected network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from reference.activations import ACTIVATIONS
from reference.layers.linear import Linear
from reference.layers.sequential import Sequential
from reference.module import Module
from reference.support.checks import require


class MLP(Sequential):
    """A fully connected network of any depth: Linear and activation in turn.

    Args:
        sizes: the width of the input, of each hidden layer and of the output.
        activation: after each hidden layer: ``sigmoid``, ``relu``, ``tanh`` or ``identity``.
        output_activation: after the output layer.

    Raises:
        ValueError: there are fewer than two sizes, or there is no such activation.
    """

    def __init__(
        self, sizes: Sequence[int], activation: str = "sigmoid", output_activation: str = "sigmoid"
    ) -> None:
        sizes = tuple(sizes)
        require(len(sizes) >= 2, self, "sizes", sizes, "at least two, of the input and the output")
        for name in (activation, output_activation):
            needed = f"one of {', '.join(ACTIVATIONS)}"
            require(name in ACTIVATIONS, self, "activation", repr(name), needed)
        layers: list[Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [Linear(fan_in, fan_out), ACTIVATIONS[activation]()]
        layers[-1] = ACTIVATIONS[output_activation]()
        super().__init__(*layers)
