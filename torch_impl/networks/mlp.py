"""The fully connected network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class MLP(nn.Sequential):
    """A fully connected network of any depth: ``nn.Linear`` and activation in turn.

    Args:
        sizes: the width of the input, of each hidden layer and of the output.
        activation: after each hidden layer: ``sigmoid``, ``relu``, ``tanh`` or ``identity``.
        output_activation: after the output layer.
    """

    def __init__(
        self, sizes: Sequence[int], activation: str = "sigmoid", output_activation: str = "sigmoid"
    ) -> None:
        super().__init__()
        for fan_in, fan_out in pairwise(sizes):
            self.append(nn.Linear(fan_in, fan_out))
            self.append(ACTIVATIONS[activation]())
        self[-1] = ACTIVATIONS[output_activation]()
