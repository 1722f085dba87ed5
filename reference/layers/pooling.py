"""Pooling: a window's maximum or its average."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import (
    Size,
    per_axis,
    require,
    require_axes,
    require_floating,
    require_whole,
)
from reference.support.windows import Sizes, Window, crop, pad


class Pooling(Module):
    """What a window of any number of axes needs, whatever is made of what it sees.

    With ``ceil_mode`` there is one more window where the last stride does not come out even,
    provided that it starts within the input or the padding before it.
    """

    axes: int

    def __init__(
        self, kernel_size: Size, stride: Size | None, padding: Size, dilation: Size, ceil_mode: bool
    ) -> None:
        kernel = per_axis(self, "kernel_size", kernel_size, self.axes)
        self.window = Window(
            kernel,
            kernel if stride is None else per_axis(self, "stride", stride, self.axes),
            per_axis(self, "dilation", dilation, self.axes),
        )
        self.padding = per_axis(self, "padding", padding, self.axes, least=0)
        self.ceil_mode = ceil_mode
        limits = tuple(k // 2 for k in kernel)
        fits = all(p <= limit for p, limit in zip(self.padding, limits, strict=True))
        require(fits, self, "padding", self.padding, f"at most half the kernel, {limits}")

    def edges(self, x: Array) -> list[tuple[int, int]]:
        """Check the input and give the padding before and after, along each axis."""
        require_floating(self, "the input", x)
        require_axes(self, x, self.axes + 1, self.axes + 2)
        sizes = x.shape[-self.axes :]
        padded = tuple(size + 2 * p for size, p in zip(sizes, self.padding, strict=True))
        extent = self.window.extent
        needed = "without empty axes but that of the samples"
        require(min(x.shape[-1 - self.axes :]) > 0, self, "the input's shape", x.shape, needed)
        fits = all(e <= size for e, size in zip(extent, padded, strict=True))
        require(fits, self, "the padded input's size", padded, f"at least the kernel's {extent}")
        return [(p, p + self._beyond(axis, sizes[axis], p)) for axis, p in enumerate(self.padding)]

    def _beyond(self, axis: int, size: int, padding: int) -> int:
        """How far past the padding the last window of ``ceil_mode`` reaches."""
        stride, extent = self.window.stride[axis], self.window.extent[axis]
        left_over = (size + 2 * padding - extent) % stride
        start = size + 2 * padding - extent - left_over + stride
        one_more = self.ceil_mode and left_over > 0 and start < size + padding
        return stride - left_over if one_more else 0


class MaxPooling(Pooling):
    r"""The largest entry of each window; what lies in the padding does not take part.

    Only the largest entry moves the output, with slope 1, so it gets all of the gradient and the
    others get none. Where several are equally large, the first one counts, row by row. An entry
    that is the largest of several windows gets the sum of their gradients.

    Args:
        kernel_size: size of the window.
        stride: from one window to the next; the kernel's size if None.
        padding: entries before and after the input that windows may reach into; at most half
            the kernel.
        dilation: distance from one tap to the next.
        return_indices: not implemented, so False.
        ceil_mode: whether a last, incomplete window counts.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode)
        require(not return_indices, self, "return_indices", return_indices, "False")

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        edges, sizes = self.edges(x), x.shape[-self.axes :]
        x = pad(x, edges)
        inside = pad(np.ones(sizes, bool), edges)
        first = next(self.window.taps())
        y = self.window.read(x, first)
        found = self.window.read(inside, first)  # whether y is an entry yet, not padding
        winner = np.zeros(y.shape, int)  # the tap through which y was read
        for number, tap in enumerate(self.window.taps()):
            entry = self.window.read(x, tap)
            here = self.window.read(inside, tap)
            nan = entry.real != entry.real
            larger = here & (~found | (entry.real > y.real) | nan)
            y = np.where(larger, entry, y)
            winner = np.where(larger, number, winner)
            found = found | here
        needed = "such that every window holds an entry of the input"
        require(bool(found.all()), self, "the input's size", sizes, needed)
        return y, (winner, x.shape[-self.axes :], sizes)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        winner, padded, sizes = cache
        taps = enumerate(self.window.taps())
        pieces = (np.where(winner == number, dy, 0) for number, _ in taps)
        return crop(self.window.fold(pieces, padded), self.padding, sizes), {}


class MaxPool1d(MaxPooling):
    """Maxima along one axis: x ``(N, C, L)`` or ``(C, L)``. See :class:`MaxPooling`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
    """

    axes = 1


class MaxPool2d(MaxPooling):
    """Maxima of images: x ``(N, C, H, W)`` or ``(C, H, W)``. See :class:`MaxPooling`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
    """

    axes = 2


class AvgPooling(Pooling):
    r"""The average of each window: ``y[o] = (1/D[o]) Σ_t x[o · stride + t − padding]``.

    Every entry moves every window that it is in with slope 1/D, so each window sends dy/D back
    through each of its taps, and where windows overlap this adds up.

    D is the number of entries in the window. Those in the padding count if ``count_include_pad``,
    those beyond the padding, where ``ceil_mode`` may reach, never do; ``divisor_override``
    replaces D altogether.
    """

    divisor_override: int | None = None

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, 1, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        edges, sizes = self.edges(x), x.shape[-self.axes :]
        x = pad(x, edges)
        total = self._sum(x)
        divisor = self._divisor(sizes, edges, x.real.dtype)
        return total / divisor, (divisor, x.shape[-self.axes :], sizes)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        divisor, padded, sizes = cache
        share = dy / divisor
        pieces = (share for _ in self.window.taps())
        return crop(self.window.fold(pieces, padded), self.padding, sizes), {}

    def _sum(self, x: Array) -> Array:
        """The sum over each window."""
        first, *others = self.window.taps()
        total = self.window.read(x, first)
        for tap in others:
            total = total + self.window.read(x, tap)
        return total

    def _divisor(self, sizes: Sizes, edges: list[tuple[int, int]], dtype: Any) -> Array:
        """D for each window, ``(*outputs)``."""
        if self.count_include_pad:
            sizes = tuple(size + 2 * p for size, p in zip(sizes, self.padding, strict=True))
            edges = [(0, after - before) for before, after in edges]
        counts = self._sum(pad(np.ones(sizes, dtype), edges))
        return (
            counts if self.divisor_override is None else np.full_like(counts, self.divisor_override)
        )


class AvgPool1d(AvgPooling):
    """Averages along one axis: x ``(N, C, L)`` or ``(C, L)``. See :class:`AvgPooling`.

    Args:
        kernel_size: size of the window.
        stride: from one window to the next; the kernel's size if None.
        padding: zeros before and after the input; at most half the kernel.
        ceil_mode: whether a last, incomplete window counts.
        count_include_pad: whether the padding counts.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html
    """

    axes = 1


class AvgPool2d(AvgPooling):
    """Averages of images: x ``(N, C, H, W)`` or ``(C, H, W)``. See :class:`AvgPooling`.

    Args:
        kernel_size: size of the window.
        stride: from one window to the next; the kernel's size if None.
        padding: zeros before and after the input; at most half the kernel.
        ceil_mode: whether a last, incomplete window counts.
        count_include_pad: whether the padding counts.
        divisor_override: what to divide by instead of the number of entries.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
    """

    axes = 2

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        require_whole(self, divisor_override=1 if divisor_override is None else divisor_override)
        require(divisor_override != 0, self, "divisor_override", 0, "another number than 0")
        self.divisor_override = divisor_override
