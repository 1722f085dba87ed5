"""A network together with its parameters, for those who just want to train and predict."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference.losses import Loss
from reference.module import Array, Module, Params
from reference.optim import Optimizer, State


def gradients(
    network: Module, loss: Loss, params: Params, x: Array, target: Array
) -> tuple[Array, Params]:
    """One pass forward and one back.

    Args:
        network: the layers.
        loss: the loss.
        params: the network's parameters, by name.
        x: inputs, ``(N, in)``.
        target: targets, ``(N, out)``.

    Returns:
        The loss and its gradient for each parameter.
    """
    y, cache = network.forward(params, x)
    value, loss_cache = loss.forward(y, target)
    _, grads = network.backward(params, cache, loss.backward(loss_cache))
    return value, grads


class Model:
    """A network, its parameters, its loss and its update rule.

    Args:
        network: the layers.
        loss: the loss to minimise.
        optimizer: the update rule.
        params: the first parameters, by name; they are copied.
        dtype: of all arithmetic.
    """

    def __init__(
        self,
        network: Module,
        loss: Loss,
        optimizer: Optimizer,
        params: Params,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.params: Params = {}
        self.state: State = {}
        self.load_state_dict(params)

    def step(self, x: Array, target: Array) -> float:
        """Train on one batch and return the loss before the step."""
        value, grads = gradients(self.network, self.loss, self.params, x, target)
        self.params, self.state = self.optimizer.step(self.params, grads, self.state)
        return float(value)

    def predict(self, x: npt.ArrayLike) -> Array:
        """Run the network forward on ``x``, of shape ``(N, in)``."""
        y: Array = self.network.forward(self.params, np.asarray(x, self.dtype))[0]
        return y

    def state_dict(self) -> Params:
        """A copy of the parameters, keyed as PyTorch keys them."""
        return {name: value.copy() for name, value in self.params.items()}

    def load_state_dict(self, params: Params) -> None:
        """Take a copy of ``params`` and start the update rule afresh.

        Raises:
            ValueError: a parameter is missing, superfluous or of another shape.
        """
        expected = self.network.parameter_shapes()
        found = {name: np.shape(value) for name, value in params.items()}
        if found != expected:
            raise ValueError(f"parameters are {found}, but should be {expected}")
        self.params = {name: np.array(params[name], self.dtype) for name in expected}
        self.state = self.optimizer.init(self.params)
