"""Transposed convolution: the way back of a convolution, taken as a layer of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.layers.convolution import (
    check_channels,
    check_image,
    columns,
    correlate,
    correlate_input,
    correlate_weight,
    draw,
)
from reference.module import Array, Module, Params, Shapes
from reference.support.checks import Size, per_axis, require
from reference.support.windows import Window, crop, pad


class ConvTranspose2d(Module):
    r"""Each input stamps the kernel, times its value, onto the output: ``y = Aᵀ x + b``.

    A convolution of images is a linear map A from (C_out, H_out, W_out) to (C_in, H, W); its input
    gradient is Aᵀ. This layer computes Aᵀ forward, so what was forward there is the way back
    here, with the very same functions (see :class:`reference.layers.convolution.Convolution`)::

        y  = Aᵀ x + b
        dx = (Aᵀ)ᵀ dy = A dy

    In ``⟨Aᵀ x, dy⟩ = ⟨x, A dy⟩`` the weight sits in A alone, so dW is that of a convolution whose
    input is dy and whose upstream gradient is x. b is added everywhere, so db sums dy over
    samples and places.

    The stamps reach over (H − 1) · stride + dilation · (kernel − 1) + 1 rows. ``padding`` is cut
    from both ends, as a convolution would have had zeros there; ``output_padding`` adds rows at
    the end, where a convolution's stride would have left them unread.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: rows and columns of the kernel.
        stride: from one stamp to the next.
        padding: cut from each end.
        output_padding: added at the end; less than the stride or the dilation.
        groups: parts into which the channels are cut.
        bias: whether b is there.
        dilation: distance from one tap to the next.
        padding_mode: "zeros"; PyTorch has no other here.

    Shapes:
        x ``(N, C_in, H, W)`` or ``(C_in, H, W)``, weight ``(C_in, C_out/groups, kH, kW)``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
    ) -> None:
        check_channels(self, in_channels, out_channels, groups)
        require(padding_mode == "zeros", self, "padding_mode", repr(padding_mode), "'zeros'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups
        self.bias = bias
        self.window = Window(
            per_axis(self, "kernel_size", kernel_size, 2),
            per_axis(self, "stride", stride, 2),
            per_axis(self, "dilation", dilation, 2),
        )
        self.padding = per_axis(self, "padding", padding, 2, least=0)
        self.output_padding = per_axis(self, "output_padding", output_padding, 2, least=0)
        limits = tuple(map(max, self.window.stride, self.window.dilation))
        fits = all(p < limit for p, limit in zip(self.output_padding, limits, strict=True))
        require(fits, self, "output_padding", self.output_padding, f"less than {limits}")

    def parameter_shapes(self) -> Shapes:
        weight = (self.in_channels, self.out_channels // self.groups, *self.window.kernel)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def init(self, rng: np.random.Generator) -> Params:
        """Weight and bias uniform in ±1/√(C_out/groups · kH · kW), PyTorch's default."""
        return draw(self.parameter_shapes(), rng)

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        check_image(self, params, x, self.in_channels, 2)
        leading, sizes = x.shape[:-3], x.shape[-2:]
        require(min(sizes) > 0, self, "the input's size", sizes, "at least (1, 1)")
        flat = x.reshape(
            math.prod(leading), self.groups, self.in_channels // self.groups, math.prod(sizes)
        )
        reach = tuple(map(sum, zip(self.window.reach(sizes), self.output_padding, strict=True)))
        cut = tuple(size - 2 * p for size, p in zip(reach, self.padding, strict=True))
        require(min(cut) > 0, self, "the output's size", cut, "at least (1, 1)")
        y = correlate_input(self._grouped(params), flat, self.window, sizes, reach)
        y = crop(y, self.padding, cut).reshape(*leading, self.out_channels, *cut)
        if self.bias:
            y = y + params["bias"][:, None, None]
        return y, (flat, x.shape)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        x, shape = cache
        dy = dy.reshape(x.shape[0], *dy.shape[-3:])  # (N, C_out, *cut)
        grads = {}
        if self.bias:
            grads["bias"] = dy.sum(axis=(0, 2, 3))
        padded = pad(dy, [(p, p) for p in self.padding])  # (N, C_out, *reach)
        cols = columns(crop(padded, (0, 0), self._read(shape)), self.window, self.groups)
        grads["weight"] = correlate_weight(x, cols).reshape(params["weight"].shape)
        return correlate(self._grouped(params), cols).reshape(shape), grads

    def _read(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """How much of the padded output the convolution reads: all but ``output_padding``."""
        return self.window.reach(shape[-2:])

    def _grouped(self, params: Params) -> Array:
        """The weight as a convolution's from y to x: ``(G, C_in/G, C_out/G, kH, kW)``."""
        weight = params["weight"]
        return weight.reshape(self.groups, self.in_channels // self.groups, *weight.shape[1:])
