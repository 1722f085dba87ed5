"""Long short-term memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.activations import Sigmoid
from reference.module import Array, Params
from reference.recurrent.recurrent import Recurrent, States, coming_back


class LSTM(Recurrent):
    r"""A state c that is kept, written and read through gates.

    With p_t = W_ih x_t + b_ih coming in and q_t = W_hh h_{t−1} + b_hh coming back, a_t = p_t + q_t
    is four blocks of H, in PyTorch's order the input gate, forget gate, candidate and
    output gate::

        i = σ(a_i)    f = σ(a_f)    g = tanh(a_g)    o = σ(a_o)
        c_t = f c_{t−1} + i g
        h_t = o tanh(c_t)

    Going back, h_t is read by the output of step t and by q_{t+1}; c_t by h_t and by c_{t+1}::

        dh_t = dy_t + dq_{t+1} W_hh
        dc_t = dc_{t+1} f_{t+1} + dh_t o (1 − tanh²c_t)

    All gates but o act through c_t. With σ' = σ (1 − σ) and tanh' = 1 − tanh², each at its own
    pre-activation::

        da_i = dc_t · g i (1 − i)
        da_f = dc_t · c_{t−1} f (1 − f)
        da_g = dc_t · i (1 − g²)
        da_o = dh_t · tanh(c_t) o (1 − o)

    p and q enter the same sum, so dp_t = dq_t = da_t. The factors after the dots and o (1 − tanh²)
    are known from the forward pass, for all steps at once; only dh and dc need the loop.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional: see
            :class:`Recurrent`.
        proj_size: only 0, no projection, is supported.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
        Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9 (1997);
        forget gate: Gers, Schmidhuber and Cummins, Learning to forget (2000).
    """

    gates = 4
    states = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        )
        if proj_size != 0:
            raise self._refused(f"proj_size is {proj_size}, but only 0 is supported")

    def scan(self, hh: Params, incoming: Array, start: States) -> tuple[States, Any]:
        size = self.hidden_size
        comes_back = coming_back(hh)
        h, c = start
        hidden, cells = [h], [c]
        gates: list[States] = []
        for t in range(incoming.shape[-3]):
            a = incoming[..., t, :, :] + comes_back(h)
            i_and_f = _sigmoid(a[..., : 2 * size])
            i, f = i_and_f[..., :size], i_and_f[..., size:]
            g = np.tanh(a[..., 2 * size : 3 * size])
            o = _sigmoid(a[..., 3 * size :])
            c = f * c + i * g
            tanh_c = np.tanh(c)
            h = o * tanh_c
            hidden.append(h)
            cells.append(c)
            gates.append((i, f, g, o, tanh_c))
        cell_history = np.stack(cells, axis=-3)
        stacked = tuple(np.stack(each, axis=-3) for each in zip(*gates, strict=True))
        return (np.stack(hidden, axis=-3), cell_history), (*stacked, cell_history)

    def scan_backward(
        self, hh: Params, cache: Any, dy: Array, dend: States
    ) -> tuple[Array, Array, States]:
        i, f, g, o, tanh_c, cells = cache
        slope = np.concatenate(
            [
                g * (i * (1 - i)),
                cells[..., :-1, :, :] * (f * (1 - f)),
                i * (1 - g * g),
                tanh_c * (o * (1 - o)),
            ],
            axis=-1,
        )  # (..., T, N, 4 H)
        c_in_h = o * (1 - tanh_c * tanh_c)
        dh, dc = dend
        das = []
        for t in reversed(range(dy.shape[-3])):
            dh = dy[..., t, :, :] + dh
            dc = dc + dh * c_in_h[..., t, :, :]
            da = np.concatenate([dc, dc, dc, dh], axis=-1) * slope[..., t, :, :]
            das.append(da)
            dh = da @ hh["weight"]
            dc = dc * f[..., t, :, :]
        da = np.stack(das[::-1], axis=-3)
        return da, da, (dh, dc)


def _sigmoid(x: Array) -> Array:
    y: Array = Sigmoid().forward({}, x)[0]
    return y
