"""Faults of the gates of LSTM and GRU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes import around
from compare.faults.fault import Changes, Fault, Method
from compare.faults.recurrent import LATER, STATE
from compare.faults.time_changes import States, back, carried, reordered, scan
from reference import Array, Params

Slopes = tuple[Array, ...]

INPUT, FORGET, CANDIDATE, OUTPUT = range(4)  # the gates of an LSTM


def _lstm(
    slopes: Callable[..., Slopes] = lambda right, i, f, g, o, tanh_c, before: right,
    read: Callable[[Array, Array], Array] = lambda o, tanh_c: o * (1 - tanh_c * tanh_c),
    keep: Callable[[Array], Array] = lambda f: f,
) -> Changes:
    """LSTM's way back with one of its factors wrong.

    Args:
        slopes: of i, f, g and o, from the right ones and from what they are made of.
        read: ∂h/∂c.
        keep: ∂c_t/∂c_{t−1}.
    """

    def wrong(right: Method, self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
        i, f, g, o, tanh_c, cells = cache
        before = cells[..., :-1, :, :]
        factors = (
            g * (i * (1 - i)), before * (f * (1 - f)), i * (1 - g * g), tanh_c * (o * (1 - o)),
        )  # fmt: skip
        slope = np.concatenate(slopes(factors, i, f, g, o, tanh_c, before), axis=-1)
        (dh, dc), das = dend, []
        for t in reversed(range(dy.shape[-3])):
            dh = dy[..., t, :, :] + dh
            dc = dc + dh * read(o, tanh_c)[..., t, :, :]
            das.append(np.concatenate([dc, dc, dc, dh], axis=-1) * slope[..., t, :, :])
            dh, dc = das[-1] @ hh["weight"], dc * keep(f)[..., t, :, :]
        da = np.stack(das[::-1], axis=-3)
        return da, da, (dh, dc)

    return around("scan_backward", wrong)


def _slope(gate: int, function: Callable[..., Array]) -> Changes:
    """LSTM's way back with the slope of one gate ``function(i, f, g, o, tanh_c, before)``."""
    return _lstm(lambda right, *given: (*right[:gate], function(*given), *right[gate + 1 :]))


def _overwritten(right: Method, self: Any, hh: Params, incoming: Array, start: States) -> Any:
    """Scan step by step; what is kept of c is its tanh."""
    histories, caches = [tuple(s[..., None, :, :] for s in start)], []
    for t in range(incoming.shape[-3]):
        (hidden, cells), cache = right(self, hh, incoming[..., t : t + 1, :, :], start)
        start = hidden[..., -1, :, :], np.tanh(cells[..., -1, :, :])
        histories.append(tuple(s[..., None, :, :] for s in start))
        caches.append(cache)
    joined = tuple(np.concatenate(each, axis=-3) for each in zip(*histories, strict=True))
    each = zip(*(cache[:-1] for cache in caches), strict=True)
    return joined, (*(np.concatenate(one, axis=-3) for one in each), joined[1])


def _blocks(self: Any, x: Array) -> list[Array]:
    size = self.hidden_size
    return [x[..., k * size : (k + 1) * size] for k in range(self.gates)]


def _remembering(self: Any, hh: Params, incoming: Array, start: States) -> Any:
    i, f, *rest = _blocks(self, incoming)
    return hh, np.concatenate([i, f + 1, *rest], axis=-1), start


def _cells_after(self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
    *gates, cells = cache
    later = np.concatenate([cells[..., 1:, :, :], cells[..., -1:, :, :]], axis=-3)
    return hh, (*gates, later), dy, dend


FORWARD = "i, f, g, o = the four blocks, c = f c + i g, h = o tanh c"
BACK = "dc_t = dc_{t+1} f_{t+1} + dh_t o (1 − tanh² c_t)"
LSTM = (
    Fault(
        "LSTM: cell overwritten by its tanh",
        "tanh c, which h is made of, is kept as the cell of the next step",
        "LSTM",
        around("scan", _overwritten),
        "output",
        "h = o tanh c; c itself goes on",
    ),
    *(
        Fault(
            f"LSTM: gates in the order {order}",
            f"the blocks of the weights are read as {order}",
            "LSTM",
            reordered(["ifgo".index(gate) for gate in order]),
            "output",
            "PyTorch's order is input, forget, candidate, output",
        )
        for order in ("ifog", "figo", "igfo", "oifg")
    ),
    Fault(
        "LSTM: forget gate with 1 added",
        "1 is added to the forget gate's pre-activation, as TensorFlow's cell does",
        "LSTM",
        scan(_remembering),
        "output",
        "f = σ(a_f); a bias of 1 belongs into the first weights",
        "a cell before the first step, or more than one step",
    ),
    Fault(
        "LSTM: cell's gradient from later steps dropped",
        "dc is that of h_t alone; what c_{t+1} made of c_t is left out",
        "LSTM",
        carried(lambda dstate: (dstate[0], 0 * dstate[1])),
        STATE,
        BACK,
        LATER,
    ),
    Fault(
        "LSTM: hidden state's gradient from later steps dropped",
        "only the cell carries the gradient back",
        "LSTM",
        carried(lambda dstate: (0 * dstate[0], dstate[1])),
        STATE,
        "dh_t = dy_t + dq_{t+1} W_hh",
        LATER,
    ),
    Fault(
        "LSTM: last cell's gradient ignored",
        "the recursion of dc starts from 0 whatever the gradient at c_n",
        "LSTM",
        back(lambda self, hh, cache, dy, dend: (hh, cache, dy, (dend[0], 0 * dend[1]))),
        STATE,
        f"{BACK}, with the gradient at c_n for what comes back to the last step",
        "a gradient at the last cell",
    ),
    Fault(
        "LSTM: cell's gradient carried past the forget gate",
        "dc goes to the step before as it is, not times f",
        "LSTM",
        _lstm(keep=lambda f: 0 * f + 1),
        STATE,
        BACK,
        LATER,
    ),
    *(
        Fault(f"LSTM: {what}", does, "LSTM", changes, STATE, BACK)
        for what, does, changes in (
            (
                "derivative of the cell's tanh missing",
                "∂h/∂c is o",
                _lstm(read=lambda o, tanh_c: 1 * o),
            ),
            (
                "derivative of the cell's tanh taken at the tanh",
                "∂h/∂c is o (1 − tanh²(tanh c))",
                _lstm(read=lambda o, tanh_c: o * (1 - np.tanh(tanh_c) * np.tanh(tanh_c))),
            ),
            (
                "output gate left out of the cell's gradient",
                "∂h/∂c is 1 − tanh² c",
                _lstm(read=lambda o, tanh_c: 1 - tanh_c * tanh_c),
            ),
        )
    ),
    *(
        Fault(f"LSTM: {what}", does, "LSTM", changes, STATE, remedy)
        for what, does, changes, remedy in (
            (
                "input gate's derivative missing",
                "the error passes σ of the input gate as if it were not there",
                _slope(INPUT, lambda i, f, g, o, tanh_c, before: 1 * g),
                "da_i = dc g i (1 − i)",
            ),
            (
                "candidate left out of the input gate's gradient",
                "the input gate's gradient lacks the factor g",
                _slope(INPUT, lambda i, f, g, o, tanh_c, before: i * (1 - i)),
                "da_i = dc g i (1 − i)",
            ),
            (
                "forget gate's derivative missing",
                "the error passes σ of the forget gate as if it were not there",
                _slope(FORGET, lambda i, f, g, o, tanh_c, before: 1 * before),
                "da_f = dc c_{t−1} f (1 − f)",
            ),
            (
                "forget gate's gradient from the new cell",
                "c_t in place of c_{t−1}",
                back(_cells_after),
                "da_f = dc c_{t−1} f (1 − f)",
            ),
            (
                "candidate's derivative that of a sigmoid",
                "g (1 − g) in place of 1 − g²",
                _slope(CANDIDATE, lambda i, f, g, o, tanh_c, before: i * (g * (1 - g))),
                "da_g = dc i (1 − g²)",
            ),
            (
                "input gate left out of the candidate's gradient",
                "the candidate's gradient lacks the factor i",
                _slope(CANDIDATE, lambda i, f, g, o, tanh_c, before: 1 - g * g),
                "da_g = dc i (1 − g²)",
            ),
            (
                "output gate's derivative missing",
                "the error passes σ of the output gate as if it were not there",
                _slope(OUTPUT, lambda i, f, g, o, tanh_c, before: 1 * tanh_c),
                "da_o = dh tanh c o (1 − o)",
            ),
            (
                "output gate's gradient without the tanh",
                "c in place of tanh c",
                _slope(
                    OUTPUT,
                    lambda i, f, g, o, tanh_c, before: (f * before + i * g) * (o * (1 - o)),
                ),
                "da_o = dh tanh c o (1 − o)",
            ),
        )
    ),
)


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


def _sigmoid(x: Array) -> Array:
    y: Array = 1 / (1 + np.exp(-x))
    return y


def _reset_first(right: Method, self: Any, hh: Params, incoming: Array, start: States) -> Any:
    """Cho's form: W_hn is applied to r h."""
    (h,), size = start, self.hidden_size
    weight = hh["weight"].swapaxes(-1, -2)
    bias = hh["bias"][..., None, :] if "bias" in hh else 0.0
    hidden, kept = [h], []
    for t in range(incoming.shape[-3]):
        p_r, p_z, p_n = _blocks(self, incoming[..., t, :, :])
        q_r, q_z, _ = _blocks(self, h @ weight + bias)
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


BLEND = "h_t = (1 − z) n + z h_{t−1}"

GRU = (
    Fault(
        "GRU: reset gate before the recurrent weight",
        "W_hn is applied to r h, as in the first paper",
        "GRU",
        around("scan", _reset_first),
        "output",
        "n = tanh(p_n + r (W_hn h + b_hn))",
        "a first state, or more than one step",
    ),
    Fault(
        "GRU: reset gate on the wrong side of the bias",
        "b_hn is added after the reset gate",
        "GRU",
        scan(_bias_outside),
        "output or gradient weight_ih",
        "n = tanh(p_n + r (W_hn h + b_hn))",
        "bias",
    ),
    Fault(
        "GRU: update gate reversed",
        "h_t = z n + (1 − z) h_{t−1}",
        "GRU",
        reordered((0, 1, 2), (1.0, -1.0, 1.0)),
        "output",
        BLEND,
    ),
    *(
        Fault(
            f"GRU: gates in the order {order}",
            f"the blocks of the weights are read as {order}",
            "GRU",
            reordered(["rzn".index(gate) for gate in order]),
            "output",
            "PyTorch's order is reset, update, candidate",
        )
        for order in ("zrn", "rnz")
    ),
    Fault(
        "GRU: reset gate left out of the gradient coming back",
        "p_n and q_n share a gradient, as the other blocks do",
        "GRU",
        _gru(back_n=lambda in_n, r: 1 * in_n),
        "gradient weight_ih or gradient weight_hh",
        "dq_n = dp_n r",
    ),
    Fault(
        "GRU: reset gate applied to both gradients",
        "dp_n is multiplied by r, as dq_n is",
        "GRU",
        _gru(
            in_n=lambda right, r, *rest: right * r,
            in_r=lambda right, r, z, n, q_n, before: (1 - z) * (1 - n * n) * q_n * (r * (1 - r)),
            back_n=lambda in_n, r: 1 * in_n,
        ),
        STATE,
        "dq_n = dp_n r, dp_n without it",
    ),
    Fault(
        "GRU: blend's gradient to the old state dropped",
        "dh z is not added to the gradient of the state before",
        "GRU",
        _gru(keep=lambda z: 0 * z),
        STATE,
        "dh_{t−1} = dq_t W_hh + dh_t z",
        f"{LATER} or first states given",
    ),
    Fault(
        "GRU: blend's gradient to the old state by 1 − z",
        "the gradient of the state before gets dh (1 − z)",
        "GRU",
        _gru(keep=lambda z: 1 - z),
        STATE,
        "dh_{t−1} = dq_t W_hh + dh_t z",
        f"{LATER} or first states given",
    ),
    *(
        Fault(f"GRU: {what}", does, "GRU", changes, f"{STATE} or gradient weight_hh", remedy)
        for what, does, changes, remedy in (
            (
                "update gate's gradient of the wrong sign",
                "n − h_{t−1} in place of h_{t−1} − n",
                _gru(in_z=lambda right, *rest: -right),
                "dp_z = dh (h_{t−1} − n) z (1 − z)",
            ),
            (
                "update gate's gradient from the candidate alone",
                "−n in place of h_{t−1} − n",
                _gru(in_z=lambda right, r, z, n, q_n, before: -n * (z * (1 - z))),
                "dp_z = dh (h_{t−1} − n) z (1 − z)",
            ),
            (
                "update gate's derivative missing",
                "the error passes σ of the update gate as if it were not there",
                _gru(in_z=lambda right, r, z, n, q_n, before: before - n),
                "dp_z = dh (h_{t−1} − n) z (1 − z)",
            ),
            (
                "candidate's gradient by z",
                "z in place of 1 − z",
                _gru(in_n=lambda right, r, z, n, *rest: z * (1 - n * n)),
                "dp_n = dh (1 − z)(1 − n²)",
            ),
            (
                "candidate's derivative missing",
                "the error passes tanh as if it were not there",
                _gru(in_n=lambda right, r, z, *rest: 1 - z),
                "dp_n = dh (1 − z)(1 − n²)",
            ),
            (
                "reset gate's gradient by the old state",
                "h_{t−1} in place of q_n, as if the gate were applied to it",
                _gru(
                    in_r=lambda right, r, z, n, q_n, before: (
                        (1 - z) * (1 - n * n) * before * (r * (1 - r))
                    )
                ),
                "dp_r = dp_n q_n r (1 − r)",
            ),
            (
                "reset gate's derivative missing",
                "the error passes σ of the reset gate as if it were not there",
                _gru(in_r=lambda right, r, z, n, q_n, before: (1 - z) * (1 - n * n) * q_n),
                "dp_r = dp_n q_n r (1 − r)",
            ),
            (
                "reset gate's gradient missing",
                "the reset gate counts as a constant",
                _gru(in_r=lambda right, *rest: 0 * right),
                "dp_r = dp_n q_n r (1 − r)",
            ),
        )
    ),
)

GATES = (*LSTM, *GRU)
