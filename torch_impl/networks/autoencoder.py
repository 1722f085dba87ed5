"""A network that describes its input in few numbers."""

from __future__ import annotations

from torch import Tensor, nn


class Autoencoder(nn.Module):
    """An encoder to a narrow code and a decoder back.

    Args:
        features: of the input, each between 0 and 1.
        hidden: units between input and code, and again between code and output.
        code: numbers in the code.
    """

    def __init__(self, features: int = 64, hidden: int = 32, code: int = 8) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, code)
        )
        self.decoder = nn.Sequential(
            nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, features), nn.Sigmoid()
        )

    def forward(self, input: Tensor) -> Tensor:
        y: Tensor = self.decoder(self.encoder(input))
        return y
