"""Faults of pooling."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.layers import cache_of, having, other, when
from compare.faults.changes.methods import around, dx_of, instead
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.support.windows import crop, pad

#: For each tap, where an output was read through it and what comes back there.
Back = Callable[[Any, Any, Array], list[tuple[Any, Array]]]


def _pieces_of_max(self: Any, cache: Any, dy: Array) -> list[tuple[Any, Array]]:
    winner, *_ = cache
    return [(winner == number, dy) for number, _ in enumerate(self.window.taps())]


def _pieces_of_average(self: Any, cache: Any, dy: Array) -> list[tuple[Any, Array]]:
    divisor, *_ = cache
    return [(np.ones(dy.shape, bool), dy / divisor) for _ in self.window.taps()]


def _assigned(pieces_of: Back) -> Changes:
    """A backward that sets entries of dx where it should add to them.

    A loop over the outputs comes to an entry first through its last tap, so the first tap wins.
    """

    def backward(self: Any, params: Params, cache: Any, dy: Array) -> Any:
        *_, padded, sizes = cache
        taps = list(self.window.taps())
        total = 0 * self.window.put(dy, taps[0], padded)
        placed = zip(taps, pieces_of(self, cache, dy), strict=True)
        for tap, (mask, piece) in reversed(list(placed)):
            there = self.window.put(mask, tap, padded)
            total = np.where(there, self.window.put(piece, tap, padded), total)
        return crop(total, self.padding, sizes), {}

    return instead("backward", backward)


def _tied(self: Any, x: Array, y: Array) -> list[Any]:
    """For each tap, where it reads an entry that equals the maximum."""
    edges = self.edges(x)
    inside = pad(np.ones(x.shape[-self.axes :], bool), edges)
    image = pad(x, edges)
    read = self.window.read
    return [(read(image, tap) == y) & read(inside, tap) for tap in self.window.taps()]


def _folded(self: Any, x: Array, pieces: list[Array]) -> Array:
    sizes = x.shape[-self.axes :]
    padded = pad(np.ones(sizes, bool), self.edges(x)).shape
    return crop(self.window.fold(pieces, padded), self.padding, sizes)


def _to_all_ties(self: Any, x: Array, y: Array, dy: Array) -> Array:
    return _folded(self, x, [np.where(tie, dy, 0) for tie in _tied(self, x, y)])


def _shared_by_ties(self: Any, x: Array, y: Array, dy: Array) -> Array:
    ties = _tied(self, x, y)
    count = sum(np.where(tie, 1.0, 0 * dy) for tie in ties)
    return _folded(self, x, [np.where(tie, dy / count, 0) for tie in ties])


def _to_last_tie(self: Any, x: Array, y: Array, dy: Array) -> Array:
    pieces, left = [], dy
    for tie in reversed(_tied(self, x, y)):
        pieces.append(np.where(tie, left, 0))
        left = np.where(tie, 0, left)
    return _folded(self, x, pieces[::-1])


def _spread(self: Any, x: Array, y: Array, dy: Array) -> Array:
    taps = list(self.window.taps())
    return _folded(self, x, [dy / len(taps) for _ in taps])


def _to_all(self: Any, x: Array, y: Array, dy: Array) -> Array:
    return _folded(self, x, [dy for _ in self.window.taps()])


def _zeros_take_part(right: Method, self: Any, params: Params, x: Array) -> Any:
    """The padding's zeros compete for the maximum."""
    y, cache = right(self, params, x)
    inside = pad(np.ones(x.shape[-self.axes :], bool), self.edges(x))
    whole = [self.window.read(inside, tap) for tap in self.window.taps()]
    touches = ~np.all(whole, axis=0)
    return np.where(touches, np.maximum(y, 0), y), cache


def _side_by_side(self: Any) -> dict[str, Any]:
    return {"window": dataclasses.replace(self.window, stride=(1,) * self.axes)}


def _each(pieces_of: Back) -> tuple[Right | Row, ...]:
    """What can be wrong with either."""
    return (
        Right("dx += for every window"),
        Row("overlapping windows assigned",
            "dx is set where it should be added to: of windows that overlap, the last one wins",
            "dx", _assigned(pieces_of), needs="stride < kernel"),
        Right("output o goes back to the entries from o · stride − padding on"),
        Row("stride ignored on the way back",
            "the windows are taken to start at neighbouring entries", "dx",
            other("backward", _side_by_side), needs="stride > 1"),
        Right("cut the padding from both ends of the padded dx"),
        Row("padding not cut on the way back", "dx begins with what belongs to the padding", "dx",
            other("backward", lambda self: {"padding": (0,) * self.axes}), needs="padding > 0"),
        Right("round the number of windows up, but let none begin beyond the input"),
        Row("ceil_mode ignored", "the last, incomplete window is left out", "output",
            other("forward", lambda self: {"ceil_mode": False}),
            needs="ceil_mode, and a window that it adds"),
    )  # fmt: skip


_MAX = faults(("MaxPool1d", "MaxPool2d"), *_each(_pieces_of_max),
    Right("of equal maxima the first one, row by row, gets all of the gradient"),
    Row("every tied maximum gets the gradient", "dx = dy wherever x equals the maximum", "dx",
        dx_of(_to_all_ties), needs="ties"),
    Row("tied maxima share the gradient",
        "the gradient is divided among the entries that equal the maximum", "dx",
        dx_of(_shared_by_ties), needs="ties"),
    Row("last of tied maxima gets the gradient",
        "≥ in place of > while searching: the last of several maxima counts", "dx",
        dx_of(_to_last_tie), needs="ties"),
    Right("the largest entry gets all of the gradient"),
    Row("gradient spread over the window",
        "every entry of the window gets an equal share, as of an average", "dx", dx_of(_spread)),
    Right("pad with −∞, or leave the padding out"),
    Row("padding's zeros take part",
        "the padding is 0, which is larger than a window of negative numbers", "output",
        around("forward", _zeros_take_part), needs="padding > 0 and negative inputs"),
)  # fmt: skip


def _no_pad_counted(self: Any) -> dict[str, Any]:
    return {"count_include_pad": not self.count_include_pad}


_PLAIN = having(divisor_override=None)


def _whole(self: Any) -> dict[str, Any]:
    return {"divisor_override": len(list(self.window.taps()))}


_DIVISOR = "divide by the kernel's size if count_include_pad, else by the entries of the input"


_AVERAGE = faults(("AvgPool1d", "AvgPool2d"), *_each(_pieces_of_average),
    Right(_DIVISOR),
    Row("padding counted the other way",
        "the divisor counts the padding where it should not, or the reverse", "output",
        when(_PLAIN, other("forward", _no_pad_counted)), needs="padding > 0"),
    Right("divide dy by the divisor of forward"),
    Row("padding counted the other way in the gradient",
        "forward divides by the right number, backward counts the padding otherwise", "dx",
        when(_PLAIN, cache_of(_no_pad_counted)), needs="padding > 0"),
    Right("divide by the entries that are there"),
    Row("always divided by the kernel's size",
        "windows that reach beyond the input count as whole", "output",
        when(_PLAIN, other("forward", _whole)), needs="ceil_mode, or padding that does not count"),
    Right("dx = dy/D for every entry of the window"),
    Row("gradient not divided", "every entry gets dy, not its share of it", "dx", dx_of(_to_all)),
)  # fmt: skip


POOLING = (*_MAX, *_AVERAGE)
