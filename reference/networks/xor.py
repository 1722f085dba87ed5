"""The smallest network that needs a hidden layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reference.losses import HalfSquaredErrorLoss
from reference.model import Model
from reference.module import Array
from reference.networks.mlp import MLP
from reference.optim import SGD
from reference.support.init import uniform


class XORNetwork(Model):
    """Two inputs, two hidden sigmoid units, one sigmoid output, taught exclusive or.

    All four rows of the truth table are one batch; the loss is half the squared error and the
    learning rate 1. The first weights are uniform in [0, 1).

    Example:
        >>> network = XORNetwork(seed=0)
        >>> losses = network.train(epochs=5000)
        >>> network.predict([[0, 1]]).round().item()
        1.0

    Args:
        seed: of the first weights.
        dtype: of all arithmetic: float32, float64 or longdouble.
    """

    inputs = ((0, 0), (0, 1), (1, 0), (1, 1))
    targets = ((0,), (1,), (1,), (0,))

    def __init__(self, seed: int | None = None, dtype: npt.DTypeLike = np.float64) -> None:
        network = MLP((2, 2, 1))
        params = uniform(network, np.random.default_rng(seed))
        super().__init__(network, HalfSquaredErrorLoss(), SGD(lr=1.0), params, dtype)

    def train(self, epochs: int = 5000) -> list[float]:
        """Train on the truth table and return the loss before each epoch's step."""
        return [self.step(self._rows, self._truth) for _ in range(epochs)]

    @property
    def _rows(self) -> Array:
        return np.array(self.inputs, self.dtype)

    @property
    def _truth(self) -> Array:
        return np.array(self.targets, self.dtype)
