"""The plain recurrent layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.activations import ReLU, Tanh
from reference.module import Array, Module, Params
from reference.recurrent.recurrent import Recurrent, States, coming_back

NONLINEARITIES: dict[str, type[Module]] = {"tanh": Tanh, "relu": ReLU}


class RNN(Recurrent):
    r"""Elman's network: ``h_t = f(p_t + q_t)`` with f = tanh or ReLU.

    p_t = W_ih x_t + b_ih is what comes in, q_t = W_hh h_{t−1} + b_hh what comes back. Both enter
    the same sum a_t = p_t + q_t with slope 1, so they share one gradient, and with f' known::

        dh_t = dy_t + dq_{t+1} W_hh
        dp_t = dq_t = da_t = dh_t · f'(a_t)

    dh_T has no later step; the gradient of the last state, h_n = h_T, takes its place.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional: see
            :class:`Recurrent`.
        nonlinearity: ``tanh`` or ``relu``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html
        Elman, Finding structure in time, Cognitive Science 14 (1990).
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        )
        if nonlinearity not in NONLINEARITIES:
            raise self._refused(
                f"nonlinearity is {nonlinearity!r}, but should be one of {[*NONLINEARITIES]}"
            )
        self.nonlinearity = nonlinearity

    def scan(self, hh: Params, incoming: Array, start: States) -> tuple[States, Any]:
        comes_back = coming_back(hh)
        f = NONLINEARITIES[self.nonlinearity]()
        (h,) = start
        hidden, caches = [h], []
        for t in range(incoming.shape[-3]):
            h, cache = f.forward({}, incoming[..., t, :, :] + comes_back(h))
            hidden.append(h)
            caches.append(cache)
        return (np.stack(hidden, axis=-3),), caches

    def scan_backward(
        self, hh: Params, cache: Any, dy: Array, dend: States
    ) -> tuple[Array, Array, States]:
        f = NONLINEARITIES[self.nonlinearity]()
        (dh,) = dend
        das = []
        for t in reversed(range(dy.shape[-3])):
            da, _ = f.backward({}, cache[t], dy[..., t, :, :] + dh)
            das.append(da)
            dh = da @ hh["weight"]
        da = np.stack(das[::-1], axis=-3)
        return da, da, (dh,)
