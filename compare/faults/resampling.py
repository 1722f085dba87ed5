"""Faults of adaptive pooling, of enlarging images, and of layers that only lay numbers out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from compare.faults.changes import around, instead, output, result
from compare.faults.changes_layers import fault, other, when
from compare.faults.fault import Changes, Method
from reference import Array, Params
from reference.resample import resample
from reference.upsample import linear, nearest


def _matrices(change: Callable[[Array], Array]) -> Changes:
    """A backward through other matrices than forward's."""
    return around(
        "backward",
        lambda right, self, params, cache, dy: right(self, params, [*map(change, cache)], dy),
    )


def _first_of_column(matrix: Array) -> Array:
    """Of the outputs that read an entry, the first alone."""
    return np.where(np.cumsum(matrix != 0, axis=0) == 1, matrix, 0)


def _mean_of_column(matrix: Array) -> Any:
    return matrix / np.maximum(matrix.sum(axis=0), 1)


def _with_floors(right: Method, self: Any, params: Params, x: Array) -> Any:
    """Windows that end where the next begins."""
    matrices = []
    for n, m in zip(x.shape[-2:], self.output_size, strict=True):
        output, entry = np.arange(m or n)[:, None], np.arange(n)
        start, end = output * n // (m or n), (output + 1) * n // (m or n)
        inside = (start <= entry) & (entry < np.maximum(end, start + 1))
        matrices.append(inside / inside.sum(axis=1, keepdims=True).astype(x.dtype))
    return resample(x, matrices), matrices


def _mode(*modes: str) -> Callable[[Any], bool]:
    return lambda self: self.mode in modes


def _rounding(self: Any, n: int, m: int, ratio: float | None, dtype: Any) -> Any:
    if m in (n, 2 * n):  # the centre of a pixel then lies half-way between two
        return nearest(n, m, ratio, dtype)
    r = n / m if ratio is None else ratio
    source = np.minimum(np.floor(np.arange(m) * r + 0.5).astype(int), n - 1)
    return (source[:, None] == np.arange(n)).astype(dtype)


def _from_corner(self: Any, n: int, m: int, ratio: float | None, dtype: Any) -> Any:
    """Places o r, without the half pixel."""
    r = n / m if ratio is None else ratio
    place = np.arange(m) * r
    before = np.minimum(np.floor(place).astype(int), n - 1)
    share = np.minimum(place - before, 1)[:, None]
    entry = np.arange(n)
    first, second = (np.minimum(before + more, n - 1)[:, None] == entry for more in (0, 1))
    return ((1 - share) * first + share * second).astype(dtype)


def _interpolated_back(self: Any, params: Params, cache: Sequence[Array], dy: Array) -> Any:
    """The error made smaller as an image would be."""
    back = [
        linear(m.shape[0], m.shape[1], None, self.align_corners, m.dtype)
        if self.mode != "nearest"
        else nearest(m.shape[0], m.shape[1], None, m.dtype)
        for m in cache
    ]
    return resample(dy, back), {}


def _size_by_ratio(self: Any) -> dict[str, Any]:
    return {"align_corners": not self.align_corners}


RESAMPLING = (
    fault(
        "AdaptiveAvgPool2d",
        "windows do not overlap",
        "window o ends at ⌊(o + 1) n/m⌋, where it should end at ⌈(o + 1) n/m⌉",
        around("forward", _with_floors),
        "output",
        "from ⌊o n/m⌋ up to, not including, ⌈(o + 1) n/m⌉",
        "a size that the output's does not divide",
    ),
    fault(
        "AdaptiveAvgPool2d",
        "gradient not divided",
        "every entry of a window gets dy, not its share of it",
        _matrices(lambda matrix: (matrix > 0).astype(matrix.dtype)),
        "dx",
        "dx = dy divided by the window's size",
    ),
    fault(
        "AdaptiveAvgPool2d",
        "gradient of one size of window",
        "every window is taken to have n/m entries when the gradient is divided",
        _matrices(lambda m: (m > 0).astype(m.dtype) * (m.shape[0] / m.shape[1])),
        "dx",
        "dx = dy divided by the size of this window",
        "a size that the output's does not divide",
    ),
    fault(
        "AdaptiveAvgPool2d",
        "overlapping windows assigned",
        "dx is set where it should be added to, where windows overlap",
        _matrices(lambda m: _first_of_column(m[::-1])[::-1]),
        "dx",
        "dx += for every window",
        "windows that overlap",
    ),
    fault(
        "Upsample",
        "copies assigned",
        "the gradient of one copy is taken, as by dy[::2, ::2]",
        when(_mode("nearest"), _matrices(_first_of_column)),
        "dx",
        "dx of an entry is the sum of dy over all its copies",
        "mode='nearest'",
    ),
    fault(
        "Upsample",
        "gradient averaged over the copies",
        "dx is the mean of dy over an entry's copies, not the sum",
        when(_mode("nearest"), _matrices(_mean_of_column)),
        "dx",
        "dx of an entry is the sum of dy over all its copies",
        "mode='nearest'",
    ),
    fault(
        "Upsample",
        "error interpolated back",
        "dy is brought to the input's size as an image is, by interpolation",
        instead("backward", _interpolated_back),
        "dx",
        "dx = Aᵀ dy for y = A x: each entry gets back its share of every output",
    ),
    fault(
        "Upsample",
        "corners aligned the other way",
        "align_corners is taken for its opposite",
        when(_mode("linear", "bilinear"), other("forward", _size_by_ratio)),
        "output",
        "p = (o + ½) r − ½, and p = o (n − 1)/(m − 1) if align_corners",
        "mode='bilinear'",
    ),
    fault(
        "Upsample",
        "half a pixel missing",
        "output o reads at o r, not at (o + ½) r − ½",
        when(
            lambda self: self.mode != "nearest" and not self.align_corners,
            instead("_matrix", _from_corner),
        ),
        "output",
        "p = (o + ½) r − ½",
        "mode='bilinear'",
    ),
    fault(
        "Upsample",
        "nearest by rounding",
        "output o takes entry ⌊o r + ½⌋, not ⌊o r⌋",
        when(_mode("nearest"), instead("_matrix", _rounding)),
        "output",
        "the entry at ⌊o r⌋",
        "mode='nearest', a factor other than 2",
    ),
)


def _column_major(y: Array) -> Array:
    """The same shape, filled in the order in which the first axis runs fastest."""
    axes = tuple(reversed(range(y.ndim)))
    turned: Array = y.transpose(axes).reshape(y.shape)
    return turned


def _samples_mixed(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    return _column_major(dy).reshape(cache), {}


def _channels_last(right: Method, self: Any, params: Params, x: Array) -> Any:
    """An image flattened with its channels running fastest."""
    y, _ = right(self, params, x)
    start = self.start_dim % x.ndim
    order = (*range(start), *range(start + 1, x.ndim), start)
    return x.transpose(order).reshape(y.shape), x.shape


SHAPES = (
    fault(
        "Flatten",
        "order of columns",
        "the numbers are laid out with the first axis fastest, as by order='F'",
        output(_column_major),
        "output",
        "y = x.reshape(N, −1), the last axis fastest",
    ),
    fault(
        "Flatten",
        "channels last",
        "the channels run fastest: the image was laid out (N, H, W, C)",
        when(lambda self: self.end_dim == -1, around("forward", _channels_last)),
        "output",
        "y = x.reshape(N, −1) of x (N, C, H, W)",
        "more than one channel and place",
    ),
    fault(
        "Flatten",
        "gradient laid out in another order",
        "dx = dy laid out with the first axis fastest",
        around("backward", _samples_mixed),
        "dx",
        "dx = dy.reshape(x.shape)",
        "more than one axis",
    ),
    fault(
        "Unflatten",
        "order of columns",
        "the numbers are laid out with the first axis fastest, as by order='F'",
        output(_column_major),
        "output",
        "y = x.reshape(…), the last axis fastest",
    ),
    fault(
        "Unflatten",
        "gradient laid out in another order",
        "dx = dy laid out with the first axis fastest",
        around("backward", _samples_mixed),
        "dx",
        "dx = dy.reshape(x.shape)",
    ),
)


def _skip_only(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    return dy, right(self, params, cache, dy)[1]


def _without_skip(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    dx, found = right(self, params, cache, dy)
    return dx - dy, found


def _overwritten(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
    """The gradient at the tied name alone."""
    dx, found = right(self, params, cache, dy)
    _, parts = self.module.backward(self._all(params), cache, dy)
    return dx, found | {owner: parts[name] for name, owner in self.ties.items()}


def _first_use(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
    """The gradient at the owner's name alone."""
    dx, found = right(self, params, cache, dy)
    _, parts = self.module.backward(self._all(params), cache, dy)
    return dx, {name: parts[name] for name in found}


def _averaged_uses(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
    dx, found = right(self, params, cache, dy)
    uses = {owner: 1 + [*self.ties.values()].count(owner) for owner in self.ties.values()}
    return dx, {name: g / uses.get(name, 1) for name, g in found.items()}


#: The spoiled gradient of a tied parameter has the name of its owner, which differs by network.
CONNECTIONS = (
    fault(
        "Residual",
        "skip's gradient dropped",
        "dx is what comes back through the module alone",
        around("backward", _without_skip),
        "dx",
        "dx = dy + f'ᵀ dy: x reaches y in two ways",
        "a layer before it, or the input's gradient compared",
    ),
    fault(
        "Residual",
        "module's gradient dropped",
        "dx = dy: what comes back through the module is forgotten",
        around("backward", _skip_only),
        "dx",
        "dx = dy + f'ᵀ dy: x reaches y in two ways",
        "a layer before it, or the input's gradient compared",
    ),
    fault(
        "Residual",
        "gradient halved",
        "dx is the mean of the two ways, not their sum",
        result("backward", lambda pair: (pair[0] / 2, pair[1])),
        "dx",
        "dx = dy + f'ᵀ dy: x reaches y in two ways",
        "a layer before it, or the input's gradient compared",
    ),
    fault(
        "Residual",
        "input not added",
        "y = f(x): the skip is missing",
        around(
            "forward",
            lambda right, self, params, x, **given: (
                right(self, params, x, **given)[0] - x,
                right(self, params, x, **given)[1],
            ),
        ),
        "output",
        "y = x + f(x)",
    ),
    fault(
        "Tied",
        "gradient overwritten by the second use",
        "the gradient of the second use replaces that of the first",
        around("backward", _overwritten),
        "gradient",
        "add the gradients of all uses of a shared parameter",
        "a shared parameter",
    ),
    fault(
        "Tied",
        "gradient of the first use only",
        "the second use counts as a constant",
        around("backward", _first_use),
        "gradient",
        "add the gradients of all uses of a shared parameter",
        "a shared parameter",
    ),
    fault(
        "Tied",
        "gradient averaged over the uses",
        "the mean over the uses is taken, not the sum",
        around("backward", _averaged_uses),
        "gradient",
        "add the gradients of all uses of a shared parameter",
        "a shared parameter",
    ),
)
