"""A network together with its parameters, for those who just want to train and predict."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference.losses import Loss
from reference.module import Array, Module, Params
from reference.optim import Optimizer, UpdateRule
from reference.support.init import first_buffers


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
    value, grads, _ = forward_backward(network, loss, params, x, target)
    return value, grads


def forward_backward(
    network: Module, loss: Loss, params: Params, x: Array, target: Array
) -> tuple[Array, Params, Any]:
    """The same as :func:`gradients`; the network's cache comes third, which tells its buffers."""
    y, cache = network.forward(params, x)
    value, loss_cache = loss.forward(y, target)
    _, grads = network.backward(params, cache, loss.backward(loss_cache))
    return value, grads, cache


class Model:
    """A network, its parameters, its loss and its update rule.

    Args:
        network: the layers.
        loss: the loss to minimise.
        optimizer: the update rule, with or without clipping and a schedule.
        params: the first parameters and buffers, by name; they are copied.
        dtype: of all arithmetic.

    Attributes:
        params: the parameters and buffers as they are now.
        state: what the update rule returned beside the last step.
    """

    def __init__(
        self,
        network: Module,
        loss: Loss,
        optimizer: Optimizer | UpdateRule,
        params: Params,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.params: Params = {}
        self.state: Any = None
        self._buffer_names = tuple(network.buffer_shapes())
        self.load_state_dict(params)

    def step(self, x: Array, target: Array) -> float:
        """Train on one batch and return the loss before the step."""
        value, grads, cache = forward_backward(self.network, self.loss, self.params, x, target)
        stepped, self.state = self.optimizer.step(self._learned(), grads, self.state)
        if self._buffer_names:
            stepped |= self.network.buffers(self.params, cache)
        self.params = stepped
        return float(value)

    def predict(self, x: npt.ArrayLike) -> Array:
        """Run the network forward on ``x``, of shape ``(N, in)``."""
        y: Array = self.network.forward(self.params, np.asarray(x, self.dtype))[0]
        return y

    def state_dict(self) -> Params:
        """A copy of the parameters and buffers, keyed as PyTorch keys them."""
        return {name: value.copy() for name, value in self.params.items()}

    def load_state_dict(self, params: Params) -> None:
        """Take a copy of ``params`` and start the update rule afresh.

        Raises:
            ValueError: a parameter or buffer is missing, superfluous or of another shape.
        """
        expected = self.network.parameter_shapes() | self.network.buffer_shapes()
        found = {name: np.shape(value) for name, value in params.items()}
        if found != expected:
            what = "parameters and buffers" if self._buffer_names else "parameters"
            raise ValueError(f"{what} are {found}, but should be {expected}")
        dtypes = dict.fromkeys(expected, self.dtype)
        for name, value in first_buffers(self.network).items():
            if value.dtype.kind == "i":  # a count stays one
                dtypes[name] = value.dtype
        self.params = {name: np.array(params[name], dtype) for name, dtype in dtypes.items()}
        self.state = self.optimizer.init(self._learned())

    def _learned(self) -> Params:
        """What the update rule is to step: the parameters, without the buffers."""
        if not self._buffer_names:
            return self.params
        return {name: v for name, v in self.params.items() if name not in self._buffer_names}
