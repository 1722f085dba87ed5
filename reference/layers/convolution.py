"""Convolution, as one matrix product per sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes
from reference.support.checks import Size, per_axis, require, require_axes, require_floating
from reference.support.windows import Sizes, Window, crop, last, pad


def columns(x: Array, window: Window, groups: int) -> Array:
    """Lay out what each output reads as a column (known as im2col).

    Args:
        x: ``(N, C, *sizes)``, already padded.
        window: with K taps and L places on x.
        groups: into which the C channels are cut.

    Returns:
        An array ``(N, groups, C/groups · K, L)``.
    """
    samples, channels = x.shape[:2]
    axes = len(window.kernel)
    view = window.view(x)  # (N, C, *outputs, *kernel)
    view = view.transpose(0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes))
    depth = channels // groups * math.prod(window.kernel)
    return view.reshape(samples, groups, depth, math.prod(view.shape[-axes:]))


def correlate(weight: Array, cols: Array) -> Array:
    """``y = W cols``: weight ``(G, O, C, *kernel)``, cols (N, G, C·K, L), y (N, G, O, L)."""
    return weight.reshape(*weight.shape[:2], cols.shape[-2]) @ cols


def correlate_weight(dy: Array, cols: Array) -> Array:
    """``dW = Σ_n dy colsᵀ``: dy (N, G, O, L), cols (N, G, C·K, L), dW (G, O, C·K)."""
    dw: Array = (dy @ cols.swapaxes(-1, -2)).sum(axis=0)
    return dw


def correlate_input(
    weight: Array, dy: Array, window: Window, outputs: Sizes, sizes: Sizes
) -> Array:
    """``dx = Σ_t put_t(W_tᵀ dy)``, tap by tap, as all taps at once would take K times the memory.

    Args:
        weight: ``(G, O, C, *kernel)``.
        dy: ``(N, G, O, L)``.
        window: with K taps and L places on x.
        outputs: the places along each axis.
        sizes: of x along each axis.

    Returns:
        An array ``(N, G·C, *sizes)``.
    """
    shape = (dy.shape[0], weight.shape[0] * weight.shape[2], *outputs)
    pieces = (
        (weight[last(tap)].swapaxes(-1, -2) @ dy).reshape(shape)  # (G, C, O) @ (N, G, O, L)
        for tap in window.taps()
    )
    return window.fold(pieces, sizes)


class Convolution(Module):
    r"""What convolutions of any number of axes share.

    Output o of channel c is the inner product of the kernel with the window that it reads. With t
    running over the K taps, and the input zero outside::

        y[n, c, o] = Σ_k Σ_t W[c, k, t] x[n, k, o · stride + t · dilation − padding] + b[c]

    Written as a column, the window is ``cols[n, (k, t), o]``, and with W as a matrix of shape
    (C_out, C_in · K) convolution is the fully connected layer, at every place::

        y = W cols + b

    So are its gradients, with sums over samples and places, as W and b serve at each of them::

        dW    = Σ_n dy colsᵀ
        db    = Σ_n Σ_o dy
        dcols = Wᵀ dy

    An input was copied into the column of every window that reads it; dx adds up what comes back
    from all of them (known as col2im). Tap t of output o read the input at i = o · stride + t ·
    dilation − padding, so that is where its share goes::

        dx[n, k, i] = Σ_t Σ_o [i = o · stride + t · dilation − padding] Σ_c W[c, k, t] dy[n, c, o]

    that is: for each tap, Wᵀ_t dy with stride − 1 zeros between its entries, moved by t · dilation
    and cut where the padding was. At stride 1 this is a correlation with the flipped kernel.

    With ``groups``, the channels are cut into as many parts that do not see each other: the same,
    side by side, on an axis of its own.

    The peak of memory, forward and backward, is that of the columns, K times the input where the
    stride is 1, and beside them about five arrays as large as the padded input. With 16 channels
    to 32 of 28×28, by 3×3 with padding 1, the columns are 4.5 times the output and the rest 3.2
    times; :mod:`benchmarks.memory` measures it.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: taps along each axis.
        stride: how far the kernel moves from one output to the next.
        padding: zeros before and after the input; "valid" is none, "same" is as many as keep the
            size (where they are odd, the one more is at the end).
        dilation: distance from one tap to the next.
        groups: parts into which the channels are cut.
        bias: whether b is there.
        padding_mode: "zeros"; no other is implemented.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """

    axes: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        check_channels(self, in_channels, out_channels, groups)
        require(padding_mode == "zeros", self, "padding_mode", repr(padding_mode), "'zeros'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups
        self.bias = bias
        self.window = Window(
            per_axis(self, "kernel_size", kernel_size, self.axes),
            per_axis(self, "stride", stride, self.axes),
            per_axis(self, "dilation", dilation, self.axes),
        )
        self.edges = self._edges(padding)

    def _edges(self, padding: Size | str) -> list[tuple[int, int]]:
        """Zeros before and after the input, along each axis."""
        if not isinstance(padding, str):
            return [(p, p) for p in per_axis(self, "padding", padding, self.axes, least=0)]
        named = padding in ("same", "valid")
        require(named, self, "padding", repr(padding), "'same', 'valid' or whole numbers")
        if padding == "valid":
            return [(0, 0)] * self.axes
        stride = self.window.stride
        require(max(stride) == 1, self, "stride", stride, "1 where padding is 'same'")
        return [((e - 1) // 2, e - 1 - (e - 1) // 2) for e in self.window.extent]

    def parameter_shapes(self) -> Shapes:
        weight = (self.out_channels, self.in_channels // self.groups, *self.window.kernel)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def init(self, rng: np.random.Generator) -> Params:
        """Weight and bias uniform in ±1/√(inputs of one output), PyTorch's default."""
        return draw(self.parameter_shapes(), rng)

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        check_image(self, params, x, self.in_channels, self.axes)
        leading, sizes = x.shape[: -1 - self.axes], x.shape[-self.axes :]
        x = pad(x.reshape(math.prod(leading), self.in_channels, *sizes), self.edges)
        padded = x.shape[2:]
        extent = self.window.extent
        fits = all(e <= size for e, size in zip(extent, padded, strict=True))
        require(fits, self, "the padded input's size", padded, f"at least the kernel's {extent}")
        outputs = self.window.outputs(padded)
        cols = columns(x, self.window, self.groups)  # (N, G, C/G·K, L)
        y = correlate(self._grouped(params), cols)  # (N, G, O/G, L)
        y = y.reshape(*leading, self.out_channels, *outputs)
        if self.bias:
            y = y + params["bias"].reshape(self.out_channels, *(1,) * self.axes)
        return y, (cols, padded, (*leading, self.in_channels, *sizes))

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        cols, padded, shape = cache
        outputs, sizes = dy.shape[-self.axes :], shape[-self.axes :]
        flat = dy.reshape(cols.shape[0], self.out_channels, cols.shape[-1])  # (N, O, L)
        grads = {}
        if self.bias:
            grads["bias"] = flat.sum(axis=(0, 2))
        flat = flat.reshape(*cols.shape[:2], self.out_channels // self.groups, cols.shape[-1])
        grads["weight"] = correlate_weight(flat, cols).reshape(params["weight"].shape)
        dx = correlate_input(self._grouped(params), flat, self.window, outputs, padded)
        starts = tuple(before for before, _ in self.edges)
        return crop(dx, starts, sizes).reshape(shape), grads

    def _grouped(self, params: Params) -> Array:
        """The weight with an axis for the groups: ``(G, O/G, C/G, *kernel)``."""
        weight = params["weight"]
        return weight.reshape(self.groups, self.out_channels // self.groups, *weight.shape[1:])


class Conv1d(Convolution):
    """Convolution along one axis: x ``(N, C, L)`` or ``(C, L)``. See :class:`Convolution`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
    """

    axes = 1


class Conv2d(Convolution):
    """Convolution of images: x ``(N, C, H, W)`` or ``(C, H, W)``. See :class:`Convolution`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """

    axes = 2


def check_channels(layer: Module, in_channels: int, out_channels: int, groups: int) -> None:
    """Refuse channels that cannot be cut into so many groups."""
    per_axis(layer, "groups", groups, 1)
    for name, count in (("in_channels", in_channels), ("out_channels", out_channels)):
        per_axis(layer, name, count, 1)
        needed = f"a multiple of the {groups} groups"
        require(count % groups == 0, layer, name, count, needed)


def check_image(layer: Module, params: Params, x: Array, channels: int, axes: int) -> None:
    """Refuse inputs that are not ``(N, channels, *sizes)`` or ``(channels, *sizes)``."""
    require_floating(layer, "the input", x, params)
    require_axes(layer, x, axes + 1, axes + 2)
    found = x.shape[-1 - axes]
    require(found == channels, layer, "the input's number of channels", found, f"{channels}")


def draw(shapes: Shapes, rng: np.random.Generator) -> Params:
    """Uniform in ±1/√(size of one slice of the weight along its first axis)."""
    bound = 1 / math.sqrt(math.prod(shapes["weight"][1:]))
    return {name: rng.uniform(-bound, bound, shape) for name, shape in shapes.items()}
