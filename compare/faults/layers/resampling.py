"""Faults of adaptive pooling and of enlarging images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from compare.faults.changes.layers import other, when
from compare.faults.changes.methods import around, instead
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.layers.upsample import linear, nearest
from reference.support.resample import resample


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


def _of_one_size(matrix: Array) -> Any:
    return (matrix > 0).astype(matrix.dtype) * (matrix.shape[0] / matrix.shape[1])


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

    def back(m: Array) -> Array:
        n, length = m.shape
        if self.mode == "nearest":
            return nearest(n, length, None, m.dtype)
        return linear(n, length, None, self.align_corners, m.dtype)

    return resample(dy, [back(m) for m in cache]), {}


def _size_by_ratio(self: Any) -> dict[str, Any]:
    return {"align_corners": not self.align_corners}


def _half_a_pixel_missing(self: Any) -> Any:
    return self.mode != "nearest" and not self.align_corners


RESAMPLING = faults(
    "AdaptiveAvgPool2d", Right("from ⌊o n/m⌋ up to, not including, ⌈(o + 1) n/m⌉"),
    Row("windows do not overlap",
        "window o ends at ⌊(o + 1) n/m⌋, where it should end at ⌈(o + 1) n/m⌉", "output",
        around("forward", _with_floors), needs="a size that the output's does not divide"),
    Right("dx = dy divided by the window's size"),
    Row("gradient not divided", "every entry of a window gets dy, not its share of it", "dx",
        _matrices(lambda matrix: (matrix > 0).astype(matrix.dtype))),
    Right("dx = dy divided by the size of this window"),
    Row("gradient of one size of window",
        "every window is taken to have n/m entries when the gradient is divided", "dx",
        _matrices(_of_one_size), needs="a size that the output's does not divide"),
    Right("dx += for every window"),
    Row("overlapping windows assigned",
        "dx is set where it should be added to, where windows overlap", "dx",
        _matrices(lambda m: _first_of_column(m[::-1])[::-1]), needs="windows that overlap"),
    "Upsample", Right("dx of an entry is the sum of dy over all its copies"),
    Row("copies assigned", "the gradient of one copy is taken, as by dy[::2, ::2]", "dx",
        when(_mode("nearest"), _matrices(_first_of_column)), needs="mode='nearest'"),
    Row("gradient averaged over the copies",
        "dx is the mean of dy over an entry's copies, not the sum", "dx",
        when(_mode("nearest"), _matrices(_mean_of_column)), needs="mode='nearest'"),
    Right("dx = Aᵀ dy for y = A x: each entry gets back its share of every output"),
    Row("error interpolated back",
        "dy is brought to the input's size as an image is, by interpolation", "dx",
        instead("backward", _interpolated_back)),
    Right("p = (o + ½) r − ½, and p = o (n − 1)/(m − 1) if align_corners"),
    Row("corners aligned the other way", "align_corners is taken for its opposite", "output",
        when(_mode("linear", "bilinear"), other("forward", _size_by_ratio)),
        needs="mode='bilinear'"),
    Right("p = (o + ½) r − ½"),
    Row("half a pixel missing", "output o reads at o r, not at (o + ½) r − ½", "output",
        when(_half_a_pixel_missing, instead("_matrix", _from_corner)), needs="mode='bilinear'"),
    Right("the entry at ⌊o r⌋"),
    Row("nearest by rounding", "output o takes entry ⌊o r + ½⌋, not ⌊o r⌋", "output",
        when(_mode("nearest"), instead("_matrix", _rounding)),
        needs="mode='nearest', a factor other than 2"),
)  # fmt: skip
