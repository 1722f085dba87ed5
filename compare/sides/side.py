"""What both sides have in common."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from compare.base.quantities import Array


class Side(Protocol):
    """One implementation of a case, with its parameters, being trained."""

    name: str

    def training(self) -> AbstractContextManager[None]:
        """What to be within while training."""

    def load(self, array: Array) -> Any:
        """The array as this side's own kind of data."""

    def step(self, x: Any, target: Any) -> float:
        """Train on one batch of its own kind of data and return the loss before the step."""

    def evaluate(self, x: Array, target: Array) -> float:
        """The loss, without training."""

    def predict(self, x: Array) -> Array:
        """Run the network forward."""

    def weights(self) -> dict[str, Array]:
        """The parameters, by name; not to be written to."""

    def state_dict(self) -> dict[str, Array]:
        """The parameters and the buffers, by name; not to be written to."""

    def load_weights(self, weights: dict[str, Array]) -> None:
        """Take a copy of these parameters and buffers."""
