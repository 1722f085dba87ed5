"""Faults of an LSTM's gates and cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes import around
from compare.faults.fault import Changes, Fault, Method
from compare.faults.recurrent import LATER, STATE
from compare.faults.time_changes import States, back, blocks, carried, reordered, scan
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


def _remembering(self: Any, hh: Params, incoming: Array, start: States) -> Any:
    i, f, *rest = blocks(self, incoming)
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
