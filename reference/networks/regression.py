"""A network that foretells one number."""

from __future__ import annotations

from reference.activations import ReLU
from reference.layers.batchnorm import BatchNorm1d
from reference.layers.linear import Linear
from reference.layers.sequential import Sequential


class Regression(Sequential):
    """One hidden layer, normalised over the batch, and one output that is any number.

    ::

        x (N, features) → Linear, BatchNorm1d, ReLU (N, hidden) → Linear (N, 1)

    The first Linear has no bias: the batch norm subtracts the mean, and any bias with it.

    Args:
        features: of the input.
        hidden: units of the hidden layer.
    """

    def __init__(self, features: int = 10, hidden: int = 16) -> None:
        super().__init__(
            Linear(features, hidden, bias=False), BatchNorm1d(hidden), ReLU(), Linear(hidden, 1)
        )
