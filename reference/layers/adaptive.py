"""Average pooling to an output of a given size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import per_axis, require, require_axes, require_floating
from reference.support.resample import resample, resample_backward


class AdaptiveAvgPool2d(Module):
    r"""Averages over windows chosen so that the output has ``output_size``.

    Along an axis of n entries with m outputs, output o averages the entries from ⌊o n / m⌋ up to,
    not including, ⌈(o + 1) n / m⌉; where m does not divide n, neighbours overlap. A window's
    average over rows and columns is the average over rows of the averages over columns, so with
    A[o, i] = 1/length for entries in window o and 0 elsewhere this is ``y = A_H x A_Wᵀ``, whose
    gradient is derived in :mod:`reference.support.resample`.

    Args:
        output_size: rows and columns of the output; of the two, None keeps the input's.

    Shapes:
        x ``(N, C, H, W)`` or ``(C, H, W)``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
    """

    def __init__(self, output_size: int | Sequence[int | None]) -> None:
        both = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * 2
        needed = "one whole number of at least 1, or 2 of them; of the 2, None keeps the input's"
        require(output_size is not None, self, "output_size", output_size, needed)
        per_axis(self, "output_size", tuple(1 if size is None else size for size in both), 2)
        self.output_size = both

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        require_axes(self, x, 3, 4)
        require(min(x.shape[-3:]) > 0, self, "the input's shape", x.shape, "without empty axes")
        sizes = zip(x.shape[-2:], self.output_size, strict=True)
        matrices = [averages(n, n if m is None else m, x.real.dtype) for n, m in sizes]
        return resample(x, matrices), matrices

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        return resample_backward(dy, cache), {}


def averages(n: int, m: int, dtype: Any) -> Array:
    """The matrix ``(m, n)`` that averages n entries into m."""
    output, entry = np.arange(m)[:, None], np.arange(n)
    start, end = output * n // m, -(-(output + 1) * n // m)
    inside = (start <= entry) & (entry < end)
    matrix: Array = inside.astype(dtype) / (end - start).astype(dtype)
    return matrix
