"""The straight line."""

from __future__ import annotations

from reference.layers.linear import Linear, Shift
from reference.layers.sequential import Sequential


class Line(Sequential):
    """The straight line ``y = k x + offset``; the slope k is learned, the offset is not."""

    def __init__(self, offset: float = 3.0) -> None:
        super().__init__(Linear(1, 1, bias=False), Shift(offset))
