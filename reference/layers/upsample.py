"""Enlarging an image by repeating its entries or by interpolating between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import Size, per_axis, require, require_axes, require_floating
from reference.support.resample import resample, resample_backward

AXES = {"nearest": (1, 2, 3), "linear": (1,), "bilinear": (2,)}


class Upsample(Module):
    r"""Reads the input at places between its entries, one axis after the other.

    Along an axis of n entries with m outputs, output o reads the input at a place p. With r = n/m,
    or 1/scale_factor where that is given (the two differ where m was rounded down)::

        nearest                        p = o r             the entry at ⌊p⌋
        linear                         p = (o + ½) r − ½   centres of pixels map to each other
        linear with align_corners      p = o (n−1)/(m−1)   first and last entries map to each other

    Linear interpolation, p being at least 0, takes (1 − λ) of the entry at ⌊p⌋ and λ = p − ⌊p⌋ of
    the one after it (of the last entry itself where none comes after). Either way the output is a
    matrix times the input, along each axis: ``y = A_H x A_Wᵀ``, whose gradient is derived in
    :mod:`reference.support.resample`.

    Args:
        size: of the output; or
        scale_factor: by which to multiply the size, rounding down.
        mode: "nearest", "linear" (one axis) or "bilinear" (two).
        align_corners: see above; only for the linear modes.
        recompute_scale_factor: whether r is n/m also where ``scale_factor`` is given.

    Shapes:
        x ``(N, C, L)``, ``(N, C, H, W)`` or ``(N, C, D, H, W)``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html
    """

    def __init__(
        self,
        size: Size | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        require(mode in AXES, self, "mode", repr(mode), f"one of {', '.join(AXES)}")
        one = (size is None) != (scale_factor is None)
        given = f"size={size}, scale_factor={scale_factor}"
        require(one, self, "the choice of size and scale_factor", given, "one of the two")
        free = align_corners is None or mode != "nearest"
        require(free, self, "align_corners", align_corners, "None where mode is 'nearest'")
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.recompute_scale_factor = bool(recompute_scale_factor)
        self.align_corners = bool(align_corners)

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        require_axes(self, x, *(2 + axes for axes in AXES[self.mode]))
        require(min(x.shape[1:]) > 0, self, "the input's shape", x.shape, "without empty axes")
        sizes = x.shape[2:]
        matrices = [
            self._matrix(n, m, r, x.real.dtype)
            for n, m, r in zip(sizes, self._outputs(sizes), self._ratios(sizes), strict=True)
        ]
        return resample(x, matrices), matrices

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        return resample_backward(dy, cache), {}

    def _factors(self, axes: int) -> tuple[float, ...]:
        factor = self.scale_factor
        factors = tuple(factor) if isinstance(factor, Sequence) else (factor,) * axes
        fit = len(factors) == axes and all(f is not None and f > 0 for f in factors)
        require(fit, self, "scale_factor", factor, f"one positive number or {axes} of them")
        return tuple(float(f) for f in factors if f is not None)

    def _outputs(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if self.size is not None:
            return per_axis(self, "size", self.size, len(sizes))
        factors = self._factors(len(sizes))
        outputs = tuple(int(n * factor) for n, factor in zip(sizes, factors, strict=True))
        require(min(outputs) > 0, self, "the output's size", outputs, "at least 1 everywhere")
        return outputs

    def _ratios(self, sizes: tuple[int, ...]) -> tuple[float | None, ...]:
        """Entries per output, where ``scale_factor`` gives them."""
        if self.size is not None or self.recompute_scale_factor:
            return (None,) * len(sizes)
        return tuple(1 / factor for factor in self._factors(len(sizes)))

    def _matrix(self, n: int, m: int, ratio: float | None, dtype: Any) -> Array:
        if self.mode == "nearest":
            return nearest(n, m, ratio, dtype)
        return linear(n, m, ratio, self.align_corners, dtype)


def nearest(n: int, m: int, ratio: float | None, dtype: Any) -> Array:
    """The matrix ``(m, n)`` that repeats n entries.

    Where o r is a whole number but for rounding, the entry that ⌊o r⌋ names is a matter of
    precision. PyTorch computes it in float32 (in some forward passes of float64, in float64).
    Where the size stays or doubles, it takes r = n/m whatever ``scale_factor`` says: forward and
    back for images, back alone for sequences and volumes, whose gradient then is not that of y.
    """
    if m in (n, 2 * n):
        ratio = None
    r = np.float32(n) / np.float32(m) if ratio is None else np.float32(ratio)
    source = np.floor(np.arange(m, dtype=np.float32) * r).astype(int)
    return _pick(np.minimum(source, n - 1), n, dtype)


def linear(n: int, m: int, ratio: float | None, align_corners: bool, dtype: Any) -> Array:
    """The matrix ``(m, n)`` that interpolates between n entries.

    The places are computed in the dtype of x, as PyTorch does.
    """
    number = np.dtype(dtype).type
    output = np.arange(m).astype(dtype)
    if align_corners:
        place = output * (number(n - 1) / number(max(m - 1, 1)))
    else:
        r = number(n) / number(m) if ratio is None else number(ratio)
        place = np.maximum(r * (output + number(0.5)) - number(0.5), number(0))
    before = np.minimum(np.floor(place).astype(int), n - 1)
    share = np.minimum(place - before.astype(dtype), number(1))[:, None]
    after = np.minimum(before + 1, n - 1)
    matrix: Array = (1 - share) * _pick(before, n, dtype) + share * _pick(after, n, dtype)
    return matrix


def _pick(source: Array, n: int, dtype: Any) -> Array:
    """The matrix with a 1 in each row, at the entry that this output takes."""
    matrix: Array = (source[:, None] == np.arange(n)).astype(dtype)
    return matrix
