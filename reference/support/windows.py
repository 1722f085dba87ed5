"""Windows: what a kernel sees as it moves over its input, and the way back.

The kernel has K positions, its *taps*, a distance ``dilation`` apart, and moves by ``stride``.
Along each axis, output o reads through tap t the input at::

    i = o · stride + t · dilation

Reading, for one tap, is a slice of the input. The way back, for gradients, puts what came back
through that tap where it was read, and zeros everywhere else. Where windows overlap, one input was
read through several taps, so the gradients that come back through all of them add up.

Convolution and pooling consist of these two, on the last axes of an array of any number of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.module import Array

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """A kernel that moves over the last axes of an array.

    Attributes:
        kernel: taps along each axis.
        stride: how far it moves from one output to the next.
        dilation: distance from one tap to the next.
    """

    kernel: Sizes
    stride: Sizes
    dilation: Sizes

    @property
    def extent(self) -> Sizes:
        """From the first tap to the last, both included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def taps(self) -> Iterator[Sizes]:
        """The index of every tap, the last axis fastest."""
        return itertools.product(*map(range, self.kernel))

    def outputs(self, sizes: Sizes) -> Sizes:
        """How many places the kernel has on an input of these sizes."""
        steps = zip(sizes, self.extent, self.stride, strict=True)
        return tuple((size - extent) // stride + 1 for size, extent, stride in steps)

    def reach(self, outputs: Sizes) -> Sizes:
        """The sizes of the smallest input that gives so many outputs."""
        steps = zip(outputs, self.extent, self.stride, strict=True)
        return tuple((count - 1) * stride + extent for count, extent, stride in steps)

    def view(self, x: Array) -> Array:
        """All that is read, without a copy: ``(..., *sizes)`` to ``(..., *outputs, *kernel)``."""
        axes = tuple(range(-len(self.kernel), 0))
        every = np.lib.stride_tricks.sliding_window_view(x, self.extent, axis=axes)
        steps = (*self.stride, *self.dilation)
        view: Array = every[last(slice(None, None, step) for step in steps)]
        return view

    def read(self, x: Array, tap: Sizes) -> Array:
        """What is read through one tap: ``(..., *sizes)`` to ``(..., *outputs)``."""
        outputs = self.outputs(x.shape[x.ndim - len(self.kernel) :])
        steps = zip(tap, self.dilation, outputs, self.stride, strict=True)
        slices = (slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in steps)
        piece: Array = x[last(slices)]
        return piece

    def put(self, piece: Array, tap: Sizes, sizes: Sizes) -> Array:
        """The way back of :meth:`read`: ``(..., *outputs)`` to ``(..., *sizes)``."""
        piece = interleave(piece, self.stride)
        steps = zip(tap, self.dilation, sizes, piece.shape[-len(tap) :], strict=True)
        edges = [(t * d, size - t * d - length) for t, d, size, length in steps]
        return pad(piece, edges)

    def fold(self, pieces: Iterable[Array], sizes: Sizes) -> Array:
        """Add up what comes back through each tap: the way back of :meth:`view`.

        Args:
            pieces: one for each tap, in the order of :meth:`taps`, ``(..., *outputs)``.
            sizes: of the input.

        Returns:
            An array ``(..., *sizes)``.
        """
        placed = (self.put(p, tap, sizes) for p, tap in zip(pieces, self.taps(), strict=True))
        total = next(placed)
        for piece in placed:
            total = total + piece
        return total


def last(index: Iterable[int | slice]) -> tuple[Any, ...]:
    """An index into the last axes of an array."""
    return (..., *index)


def interleave(x: Array, steps: Sizes) -> Array:
    """Put ``step − 1`` zeros between neighbours along each of the last axes."""
    if max(steps) == 1:
        return x
    leading, sizes = x.shape[: x.ndim - len(steps)], x.shape[x.ndim - len(steps) :]
    x = x.reshape(*leading, *(n for size in sizes for n in (size, 1)))
    x = pad(x, [edge for step in steps for edge in ((0, 0), (0, step - 1))])
    x = x.reshape(*leading, *(size * step for size, step in zip(sizes, steps, strict=True)))
    lengths = ((size - 1) * step + 1 for size, step in zip(sizes, steps, strict=True))
    trimmed: Array = x[last(slice(length) for length in lengths)]
    return trimmed


def pad(x: Array, edges: Iterable[tuple[int, int]]) -> Array:
    """Put zeros before and after, along each of the last axes."""
    edges = list(edges)
    if not any(map(any, edges)):
        return x
    return np.pad(x, [(0, 0)] * (x.ndim - len(edges)) + edges)


def crop(x: Array, starts: Sizes, sizes: Sizes) -> Array:
    """Cut out ``sizes`` entries from ``starts`` on, along each of the last axes."""
    slices = (slice(start, start + n) for start, n in zip(starts, sizes, strict=True))
    cut: Array = x[last(slices)]
    return cut
