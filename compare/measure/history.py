"""Series of any length in a bounded space."""

from __future__ import annotations

from collections.abc import Sequence


class Thinned:
    """Keeps evenly spaced values of a series: when full, every second one is dropped.

    Args:
        capacity: the most values kept.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self.capacity = capacity
        self.stride = 1
        self.count = 0
        self.values: list[float] = []

    @property
    def due(self) -> bool:
        """Whether the next value will be kept."""
        return self.count % self.stride == 0

    def add(self, value: float) -> None:
        """Append a value to the series; it is kept if its turn has come."""
        if self.due:
            self.values.append(value)
        self.count += 1
        if len(self.values) == self.capacity:
            self.values = self.values[::2]
            self.stride *= 2


class LossHistory:
    """The losses of both sides, epoch by epoch, thinned evenly where there are many."""

    def __init__(self) -> None:
        self._epochs = Thinned()
        self._reference = Thinned()
        self._torch = Thinned()

    def add(self, epoch: int, reference: float, torch: float) -> None:
        self._epochs.add(epoch)
        self._reference.add(reference)
        self._torch.add(torch)

    @property
    def epochs(self) -> Sequence[int]:
        return [int(epoch) for epoch in self._epochs.values]

    @property
    def reference(self) -> Sequence[float]:
        return self._reference.values

    @property
    def torch(self) -> Sequence[float]:
        return self._torch.values
