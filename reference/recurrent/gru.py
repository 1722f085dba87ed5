"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.activations import Sigmoid
from reference.module import Array, Params
from reference.recurrent.recurrent import Recurrent, States, coming_back


class GRU(Recurrent):
    r"""The new state is a blend of the old one and a candidate.

    With p_t = W_ih x_t + b_ih coming in and q_t = W_hh h_{t−1} + b_hh coming back, each is three
    blocks of H, in PyTorch's order the reset gate, update gate and candidate::

        r = σ(p_r + q_r)    z = σ(p_z + q_z)    n = tanh(p_n + r q_n)
        h_t = (1 − z) n + z h_{t−1}

    The reset gate is applied to q_n, that is after W_hh and with its bias; the first paper applied
    it to h_{t−1}. So p_n and q_n do not share a gradient as the other blocks do.

    Going back, h_{t−1} is read by the output of step t − 1, by q_t, and by h_t directly::

        dh_t = dy_t + dq_{t+1} W_hh + dh_{t+1} z_{t+1}

    and with σ' = σ (1 − σ), tanh' = 1 − tanh², each at its own pre-activation::

        dp_n = dh_t · (1 − z)(1 − n²)           dq_n = dp_n r
        dp_z = dh_t · (h_{t−1} − n) z (1 − z)   dq_z = dp_z
        dp_r = dp_n q_n r (1 − r)               dq_r = dp_r

    Every one of them is dh_t times factors known from the forward pass, for all steps at once; only
    dh needs the loop.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional: see
            :class:`Recurrent`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
        Cho et al., Learning phrase representations using RNN encoder–decoder,
        https://arxiv.org/abs/1406.1078.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        )

    def scan(self, hh: Params, incoming: Array, start: States) -> tuple[States, Any]:
        size = self.hidden_size
        comes_back = coming_back(hh)
        (h,) = start
        hidden = [h]
        gates: list[States] = []
        for t in range(incoming.shape[-3]):
            p = incoming[..., t, :, :]
            q = comes_back(h)
            r_and_z, _ = Sigmoid().forward({}, p[..., : 2 * size] + q[..., : 2 * size])
            r, z = r_and_z[..., :size], r_and_z[..., size:]
            q_n = q[..., 2 * size :]
            n = np.tanh(p[..., 2 * size :] + r * q_n)
            h = (1 - z) * n + z * h
            hidden.append(h)
            gates.append((r, z, n, q_n))
        history = np.stack(hidden, axis=-3)
        stacked = tuple(np.stack(each, axis=-3) for each in zip(*gates, strict=True))
        return (history,), (*stacked, history)

    def scan_backward(
        self, hh: Params, cache: Any, dy: Array, dend: States
    ) -> tuple[Array, Array, States]:
        r, z, n, q_n, history = cache
        in_n = (1 - z) * (1 - n * n)
        in_z = (history[..., :-1, :, :] - n) * (z * (1 - z))
        in_r = in_n * q_n * (r * (1 - r))
        slope_p = np.concatenate([in_r, in_z, in_n], axis=-1)  # (..., T, N, 3 H)
        slope_q = np.concatenate([in_r, in_z, in_n * r], axis=-1)
        (dh,) = dend
        dhs = []
        for t in reversed(range(dy.shape[-3])):
            dh = dy[..., t, :, :] + dh
            dhs.append(dh)
            dq = _thrice(dh) * slope_q[..., t, :, :]
            dh = dq @ hh["weight"] + dh * z[..., t, :, :]
        every_dh = _thrice(np.stack(dhs[::-1], axis=-3))
        return every_dh * slope_p, every_dh * slope_q, (dh,)


def _thrice(dh: Array) -> Array:
    """The same gradient for each of the three blocks, ``(..., 3 H)``."""
    return np.concatenate([dh, dh, dh], axis=-1)
