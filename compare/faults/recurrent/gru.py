"""Faults of a GRU's gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.methods import around
from compare.faults.changes.time import States, blocks, reordered, scan
from compare.faults.fault import Changes, Method
from compare.faults.recurrent.common import LATER, STATE
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _gru(
    in_n: Callable[..., Array] = lambda right, r, z, n, q_n, before: right,
    in_z: Callable[..., Array] = lambda right, r, z, n, q_n, before: right,
    in_r: Callable[..., Array] = lambda right, r, z, n, q_n, before: right,
    back_n: Callable[..., Array] = lambda in_n, r: in_n * r,
    keep: Callable[[Array], Array] = lambda z: z,
) -> Changes:
    """GRU's way back with one of its factors wrong.

    Args:
        in_n: ∂h/∂p_n, from the right one and from what it is made of.
        in_z: ∂h/∂p_z, likewise.
        in_r: ∂h/∂p_r, likewise.
        back_n: ∂h/∂q_n, from ∂h/∂p_n.
        keep: ∂h_t/∂h_{t−1}, but for what q does.
    """

    def wrong(right: Method, self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
        r, z, n, q_n, history = cache
        known = (r, z, n, q_n, history[..., :-1, :, :])
        n_slope = in_n((1 - z) * (1 - n * n), *known)
        z_slope = in_z((known[-1] - n) * (z * (1 - z)), *known)
        r_slope = in_r(n_slope * q_n * (r * (1 - r)), *known)
        slope_p = np.concatenate([r_slope, z_slope, n_slope], axis=-1)
        slope_q = np.concatenate([r_slope, z_slope, back_n(n_slope, r)], axis=-1)
        (dh,), dhs = dend, []
        for t in reversed(range(dy.shape[-3])):
            dh = dy[..., t, :, :] + dh
            dhs.append(np.concatenate([dh, dh, dh], axis=-1))
            dq = dhs[-1] * slope_q[..., t, :, :]
            dh = dq @ hh["weight"] + dh * keep(z)[..., t, :, :]
        every = np.stack(dhs[::-1], axis=-3)
        return every * slope_p, every * slope_q, (dh,)

    return around("scan_backward", wrong)


def _through(r: Array, z: Array, n: Array, other: Array) -> Any:
    """What the error meets on its way to the reset gate, with ``other`` for q_n."""
    return (1 - z) * (1 - n * n) * other * (r * (1 - r))


def _sigmoid(x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def _reset_first(right: Method, self: Any, hh: Params, incoming: Array, start: States) -> Any:
    """Cho's form: W_hn is applied to r h."""
    (h,), size = start, self.hidden_size
    weight = hh["weight"].swapaxes(-1, -2)
    bias = hh["bias"][..., None, :] if "bias" in hh else 0.0
    hidden, kept = [h], []
    for t in range(incoming.shape[-3]):
        p_r, p_z, p_n = blocks(self, incoming[..., t, :, :])
        q_r, q_z, _ = blocks(self, h @ weight + bias)
        r, z = _sigmoid(p_r + q_r), _sigmoid(p_z + q_z)
        q_n = ((r * h) @ weight + bias)[..., 2 * size :]
        n = np.tanh(p_n + q_n)
        h = (1 - z) * n + z * h
        hidden.append(h)
        kept.append((r, z, n, q_n))
    history = np.stack(hidden, axis=-3)
    each = (np.stack(one, axis=-3) for one in zip(*kept, strict=True))
    return (history,), (*each, history)


def _bias_outside(self: Any, hh: Params, incoming: Array, start: States) -> Any:
    if "bias" not in hh:
        return hh, incoming, start
    size, bias = self.hidden_size, hh["bias"]
    inside, outside = bias[..., : 2 * size], bias[..., 2 * size :]
    moved = np.concatenate([0 * inside, outside], axis=-1)[..., None, None, :]
    kept = np.concatenate([inside, 0 * outside], axis=-1)
    return hh | {"bias": kept}, incoming + moved, start


GATES = f"{STATE} or gradient weight_hh"
BLEND = "h_t = (1 − z) n + z h_{t−1}"


GRU = faults("GRU", Right("n = tanh(p_n + r (W_hn h + b_hn))"),
    Row("reset gate before the recurrent weight", "W_hn is applied to r h, as in the first paper",
        "output", around("scan", _reset_first), needs="a first state, or more than one step"),
    Row("reset gate on the wrong side of the bias", "b_hn is added after the reset gate",
        "output or gradient weight_ih", scan(_bias_outside), needs="bias"),
    Right(BLEND),
    Row("update gate reversed", "h_t = z n + (1 − z) h_{t−1}", "output",
        reordered((0, 1, 2), (1.0, -1.0, 1.0))),
    Right("PyTorch's order is reset, update, candidate"),
    *(Row(f"gates in the order {order}", f"the blocks of the weights are read as {order}", "output",
          reordered(["rzn".index(gate) for gate in order]))
      for order in ("zrn", "rnz")),
    Right("dq_n = dp_n r"),
    Row("reset gate left out of the gradient coming back",
        "p_n and q_n share a gradient, as the other blocks do",
        "gradient weight_ih or gradient weight_hh", _gru(back_n=lambda in_n, r: 1 * in_n)),
    Right("dq_n = dp_n r, dp_n without it"),
    Row("reset gate applied to both gradients", "dp_n is multiplied by r, as dq_n is", STATE,
        _gru(in_n=lambda right, r, *rest: right * r, in_r=lambda right, r, z, n, q_n, before:
            _through(r, z, n, q_n), back_n=lambda in_n, r: 1 * in_n)),
    Right("dh_{t−1} = dq_t W_hh + dh_t z"),
    Row("blend's gradient to the old state dropped",
        "dh z is not added to the gradient of the state before", STATE,
        _gru(keep=lambda z: 0 * z), needs=f"{LATER} or first states given"),
    Row("blend's gradient to the old state by 1 − z",
        "the gradient of the state before gets dh (1 − z)", STATE,
        _gru(keep=lambda z: 1 - z), needs=f"{LATER} or first states given"),
    Right("dp_z = dh (h_{t−1} − n) z (1 − z)"),
    Row("update gate's gradient of the wrong sign", "n − h_{t−1} in place of h_{t−1} − n", GATES,
        _gru(in_z=lambda right, *rest: -right)),
    Row("update gate's gradient from the candidate alone", "−n in place of h_{t−1} − n", GATES,
        _gru(in_z=lambda right, r, z, n, q_n, before: -n * (z * (1 - z)))),
    Row("update gate's derivative missing",
        "the error passes σ of the update gate as if it were not there", GATES,
        _gru(in_z=lambda right, r, z, n, q_n, before: before - n)),
    Right("dp_n = dh (1 − z)(1 − n²)"),
    Row("candidate's gradient by z", "z in place of 1 − z", GATES,
        _gru(in_n=lambda right, r, z, n, *rest: z * (1 - n * n))),
    Row("candidate's derivative missing", "the error passes tanh as if it were not there", GATES,
        _gru(in_n=lambda right, r, z, *rest: 1 - z)),
    Right("dp_r = dp_n q_n r (1 − r)"),
    Row("reset gate's gradient by the old state",
        "h_{t−1} in place of q_n, as if the gate were applied to it", GATES,
        _gru(in_r=lambda right, r, z, n, q_n, before: _through(r, z, n, before))),
    Row("reset gate's derivative missing",
        "the error passes σ of the reset gate as if it were not there", GATES,
        _gru(in_r=lambda right, r, z, n, q_n, before: (1 - z) * (1 - n * n) * q_n)),
    Row("reset gate's gradient missing", "the reset gate counts as a constant", GATES,
        _gru(in_r=lambda right, *rest: 0 * right)),
)  # fmt: skip
