"""Faults of where a transposed convolution reads the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compare.faults.changes.layers import grad_of
from compare.faults.changes.methods import around
from compare.faults.fault import Changes, Method
from compare.faults.layers.convolution import Edges, at_end, same, steps
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.layers.convolution import columns, correlate, correlate_weight
from reference.support.windows import Window, crop, pad


def _read_back(window_of: Callable[[Window], Window], edges_of: Callable[[Edges], Edges]) -> Any:
    """What a transposed convolution's backward gives if it reads dy at other places."""

    def wrong(self: Any, params: Params, cache: Any, dy: Array) -> tuple[Array, Array]:
        x, shape = cache
        dy = dy.reshape(x.shape[0], *dy.shape[-3:])
        window = window_of(self.window)
        padded = pad(dy, edges_of([(p, p) for p in self.padding]))
        read = crop(padded, (0, 0), window.reach(shape[-2:]))
        cols = columns(read, window, self.groups)
        dx = correlate(self._grouped(params), cols).reshape(shape)
        return dx, correlate_weight(x, cols).reshape(params["weight"].shape)

    return wrong


def _dx_of(wrong: Any) -> Changes:
    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        return wrong(self, params, cache, dy)[0], right(self, params, cache, dy)[1]

    return around("backward", backward)


def _weight_of(wrong: Any) -> Changes:
    return grad_of("weight", lambda *args: wrong(*args)[1])


_BACK = "read dy as a convolution with the same stride, padding and dilation does"

#: What is ignored, what that needs, and the window and padding that dy is read with.
_SLIPS = (
    ("stride", "stride > 1", lambda window: steps(window, "stride"), same),
    ("dilation", "dilation > 1", lambda window: steps(window, "dilation"), same),
    ("padding", "padding > 0", same, at_end),
)

#: Where dy is read, and what that spoils.
_PLACES = (("input", _dx_of, "dx"), ("weight", _weight_of, "gradient weight"))

CONV_TRANSPOSE = faults("ConvTranspose2d", Right(_BACK), *(
    Row(f"{what} ignored in the {where} gradient", f"dy is read as if there were no {what}", spoils,
        of(_read_back(window_of, edges_of)), needs=needs)
    for what, needs, window_of, edges_of in _SLIPS
    for where, of, spoils in _PLACES
))  # fmt: skip
