"""A network that foretells one number."""

from __future__ import annotations

from torch import nn


class Regression(nn.Sequential):
    """One hidden layer, normalised over the batch, and one output that is any number.

    Args:
        features: of the input.
        hidden: units of the hidden layer.
    """

    def __init__(self, features: int = 10, hidden: int = 16) -> None:
        super().__init__(
            nn.Linear(features, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )
