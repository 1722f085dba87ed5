"""The straight line."""

from __future__ import annotations

from torch import Tensor, nn


class Shift(nn.Module):
    """Adds a fixed number to its input."""

    def __init__(self, amount: float) -> None:
        super().__init__()
        self.amount = amount

    def forward(self, input: Tensor) -> Tensor:
        return input + self.amount


class Line(nn.Sequential):
    """The straight line ``y = k x + offset``; the slope k is learned, the offset is not."""

    def __init__(self, offset: float = 3.0) -> None:
        super().__init__(nn.Linear(1, 1, bias=False), Shift(offset))
