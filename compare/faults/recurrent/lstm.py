"""Faults of an LSTM's gates and cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.methods import around
from compare.faults.changes.time import States, back, blocks, carried, reordered, scan
from compare.faults.fault import Changes, Method
from compare.faults.recurrent.common import LATER, STATE
from compare.faults.table import Right, Row, faults
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


def _no_cell(self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
    return hh, cache, dy, (dend[0], 0 * dend[1])


def _cells_after(self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
    *gates, cells = cache
    later = np.concatenate([cells[..., 1:, :, :], cells[..., -1:, :, :]], axis=-3)
    return hh, (*gates, later), dy, dend


FORWARD = "i, f, g, o = the four blocks, c = f c + i g, h = o tanh c"
BACK = "dc_t = dc_{t+1} f_{t+1} + dh_t o (1 − tanh² c_t)"
LSTM = faults("LSTM", Right("h = o tanh c; c itself goes on"),
    Row("cell overwritten by its tanh",
        "tanh c, which h is made of, is kept as the cell of the next step", "output",
        around("scan", _overwritten)),
    Right("PyTorch's order is input, forget, candidate, output"),
    *(Row(f"gates in the order {order}", f"the blocks of the weights are read as {order}", "output",
          reordered(["ifgo".index(gate) for gate in order]))
      for order in ("ifog", "figo", "igfo", "oifg")),
    Right("f = σ(a_f); a bias of 1 belongs into the first weights"),
    Row("forget gate with 1 added",
        "1 is added to the forget gate's pre-activation, as TensorFlow's cell does", "output",
        scan(_remembering), needs="a cell before the first step, or more than one step"),
    Right(BACK),
    Row("cell's gradient from later steps dropped",
        "dc is that of h_t alone; what c_{t+1} made of c_t is left out", STATE,
        carried(lambda dstate: (dstate[0], 0 * dstate[1])), needs=LATER),
    Right("dh_t = dy_t + dq_{t+1} W_hh"),
    Row("hidden state's gradient from later steps dropped",
        "only the cell carries the gradient back", STATE,
        carried(lambda dstate: (0 * dstate[0], dstate[1])), needs=LATER),
    Right(f"{BACK}, with the gradient at c_n for what comes back to the last step"),
    Row("last cell's gradient ignored",
        "the recursion of dc starts from 0 whatever the gradient at c_n", STATE,
        back(_no_cell), needs="a gradient at the last cell"),
    Right(BACK),
    Row("cell's gradient carried past the forget gate",
        "dc goes to the step before as it is, not times f", STATE,
        _lstm(keep=lambda f: 0 * f + 1), needs=LATER),
    Row("derivative of the cell's tanh missing", "∂h/∂c is o", STATE,
        _lstm(read=lambda o, tanh_c: 1 * o)),
    Row("derivative of the cell's tanh taken at the tanh", "∂h/∂c is o (1 − tanh²(tanh c))", STATE,
        _lstm(read=lambda o, tanh_c: o * (1 - np.tanh(tanh_c) * np.tanh(tanh_c)))),
    Row("output gate left out of the cell's gradient", "∂h/∂c is 1 − tanh² c", STATE,
        _lstm(read=lambda o, tanh_c: 1 - tanh_c * tanh_c)),
    Right("da_i = dc g i (1 − i)"),
    Row("input gate's derivative missing",
        "the error passes σ of the input gate as if it were not there", STATE,
        _slope(INPUT, lambda i, f, g, o, tanh_c, before: 1 * g)),
    Row("candidate left out of the input gate's gradient",
        "the input gate's gradient lacks the factor g", STATE,
        _slope(INPUT, lambda i, f, g, o, tanh_c, before: i * (1 - i))),
    Right("da_f = dc c_{t−1} f (1 − f)"),
    Row("forget gate's derivative missing",
        "the error passes σ of the forget gate as if it were not there", STATE,
        _slope(FORGET, lambda i, f, g, o, tanh_c, before: 1 * before)),
    Row("forget gate's gradient from the new cell", "c_t in place of c_{t−1}", STATE,
        back(_cells_after)),
    Right("da_g = dc i (1 − g²)"),
    Row("candidate's derivative that of a sigmoid", "g (1 − g) in place of 1 − g²", STATE,
        _slope(CANDIDATE, lambda i, f, g, o, tanh_c, before: i * (g * (1 - g)))),
    Row("input gate left out of the candidate's gradient",
        "the candidate's gradient lacks the factor i", STATE,
        _slope(CANDIDATE, lambda i, f, g, o, tanh_c, before: 1 - g * g)),
    Right("da_o = dh tanh c o (1 − o)"),
    Row("output gate's derivative missing",
        "the error passes σ of the output gate as if it were not there", STATE,
        _slope(OUTPUT, lambda i, f, g, o, tanh_c, before: 1 * tanh_c)),
    Row("output gate's gradient without the tanh", "c in place of tanh c", STATE,
        _slope(OUTPUT, lambda i, f, g, o, tanh_c, before: (f * before + i * g) * (o * (1 - o)))),
)  # fmt: skip
