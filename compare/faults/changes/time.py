"""How recurrent layers are made wrong: their scans, step by step and block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from compare.faults.changes.methods import around
from compare.faults.fault import Changes, Method
from reference import Array, Params

States = tuple[Array, ...]


def scan(function: Callable[[Any, Params, Array, States], tuple[Params, Array, States]]) -> Changes:
    """The right scan of what ``function(self, hh, incoming, start)`` gives."""
    return around("scan", lambda right, self, *given: right(self, *function(self, *given)))


def back(function: Callable[..., tuple[Params, Any, Array, States]]) -> Changes:
    """The right way back from what ``function(self, hh, cache, dy, dend)`` gives."""
    return around("scan_backward", lambda right, self, *given: right(self, *function(self, *given)))


def carried(change: Callable[[States], States]) -> Changes:
    """``change(dstate)`` is what each step hands to the one before it."""

    def wrong(right: Method, self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
        dps, dqs = [], []
        for t in reversed(range(dy.shape[-3])):
            dp, dq, dend = right(self, hh, _at(cache, t), dy[..., t : t + 1, :, :], dend)
            dps.append(dp)
            dqs.append(dq)
            dend = change(dend) if t else dend
        return np.concatenate(dps[::-1], axis=-3), np.concatenate(dqs[::-1], axis=-3), dend

    return around("scan_backward", wrong)


def _at(cache: Any, t: int) -> Any:
    """What a scan of step t alone would have remembered."""
    if isinstance(cache, list):
        return cache[t : t + 1]
    *each, history = cache
    return (*(one[..., t : t + 1, :, :] for one in each), history[..., t : t + 2, :, :])


def reordered(order: Sequence[int], signs: Sequence[float] | None = None) -> Changes:
    """The blocks of the weights are taken in another order, and with other signs."""
    signs = signs or [1.0] * len(order)

    def in_order(x: Array, size: int, axis: int, places: Sequence[int]) -> Array:
        moved = x.swapaxes(axis, -1)
        parts = [moved[..., k * size : (k + 1) * size] * signs[k] for k in places]
        return np.concatenate(parts, axis=-1).swapaxes(axis, -1)

    def weights(self: Any, hh: Params) -> Params:
        size = self.hidden_size
        return {k: in_order(v, size, -2 if k == "weight" else -1, order) for k, v in hh.items()}

    def forward(right: Method, self: Any, hh: Params, incoming: Array, start: States) -> Any:
        taken = in_order(incoming, self.hidden_size, -1, order)
        return right(self, weights(self, hh), taken, start)

    def backward(right: Method, self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
        dp, dq, dstart = right(self, weights(self, hh), cache, dy, dend)
        places = [order.index(k) for k in range(len(order))]
        given = [in_order(d, self.hidden_size, -1, places) for d in (dp, dq)]
        return (*given, dstart)

    return {**around("scan", forward), **around("scan_backward", backward)}


def run_back(function: Callable[..., tuple[Array, States, Params]]) -> Changes:
    """One layer in one direction: ``function(right, self, part, cache, dy, dend)``."""
    return around("_run_backward", function)


def weight_grads(function: Callable[[Any, Params, Array, Array, Array], Params]) -> Changes:
    """Other gradients of one scan: ``function(self, right ones, dp, dq, hidden)`` adds them."""

    def wrong(right: Method, self: Any, part: Params, cache: Any, dy: Array, dend: States) -> Any:
        dx, dstart, found = right(self, part, cache, dy, dend)
        *_, hidden, inner = cache
        hh = {name[:-3]: value for name, value in part.items() if name.endswith("_hh")}
        dp, dq, _ = self.scan_backward(hh, inner, dy, dend)
        others = function(self, found, dp, dq, hidden)
        return dx, dstart, found | {k: v for k, v in others.items() if k in found}

    return run_back(wrong)


def in_reverse(
    before: Callable[[Array], Array] = lambda x: x,
    after: Callable[[Array, States], tuple[Array, States]] = lambda y, end: (y, end),
    dbefore: Callable[[Array], Array] = lambda dy: dy,
    dafter: Callable[[Array], Array] = lambda dx: dx,
) -> Changes:
    """What differs in the second direction alone.

    Args:
        before: of the sequence, in the order in which the scan reads it.
        after: of the outputs, in that order, and the last states.
        dbefore: of the gradient at the outputs, in that order.
        dafter: of the gradient at the sequence.
    """

    def part(right: Method, self: Any, params: Params, layer: int, direction: int) -> Any:
        vars(self)["_direction"] = direction
        return right(self, params, layer, direction)

    def run(right: Method, self: Any, part: Params, x: Array, start: Any) -> Any:
        if not vars(self)["_direction"]:
            return right(self, part, x, start)
        y, end, cache = right(self, part, before(x), start)
        return (*after(y, end), cache)

    def back(right: Method, self: Any, part: Params, cache: Any, dy: Array, dend: States) -> Any:
        if not vars(self)["_direction"]:
            return right(self, part, cache, dy, dend)
        dx, dstart, found = right(self, part, cache, dbefore(dy), dend)
        return dafter(dx), dstart, found

    return {**around("_part", part), **around("_run", run), **around("_run_backward", back)}


def turned(x: Array) -> Array:
    """A sequence reversed in time."""
    return x[..., ::-1, :, :]


def blocks(self: Any, x: Array) -> list[Array]:
    """What belongs to each gate, along the last axis."""
    size = self.hidden_size
    return [x[..., k * size : (k + 1) * size] for k in range(self.gates)]
