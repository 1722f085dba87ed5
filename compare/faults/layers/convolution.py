"""Faults of convolutions, transposed ones too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.layers import (
    dx_with,
    forward_with,
    grad_at,
    grad_of,
    other,
    without_bias,
)
from compare.faults.changes.methods import around, dx, grad
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.layers.convolution import columns
from reference.support.windows import Window, last, pad

CONVOLUTIONS = ("Conv1d", "Conv2d", "ConvTranspose2d")

Edges = list[tuple[int, int]]


def _axes(self: Any) -> int:
    return len(self.window.kernel)


def _flipped(self: Any, params: Params) -> Params:
    axes = tuple(range(-_axes(self), 0))
    return params | {"weight": np.flip(params["weight"], axis=axes)}


def steps(window: Window, name: str) -> Window:
    """A window whose stride or dilation is 1."""
    return dataclasses.replace(window, **{name: (1,) * len(window.kernel)})


def _window(name: str) -> Callable[[Any], dict[str, Any]]:
    return lambda self: {"window": steps(self.window, name)}


def _reads(window_of: Callable[[Window], Window], edges_of: Callable[[Edges], Edges]) -> Changes:
    """A forward that remembers other columns, so that the weight gradient is of other inputs."""

    def forward(right: Method, self: Any, params: Params, x: Array) -> Any:
        y, (cols, padded, shape) = right(self, params, x)
        window = window_of(self.window)
        image = pad(x.reshape(cols.shape[0], *shape[-1 - self.axes :]), edges_of(self.edges))
        reach = window.reach(y.shape[-self.axes :])
        image = image[last(slice(length) for length in reach)]
        return y, (columns(image, window, self.groups), padded, shape)

    return around("forward", forward)


def same(one: Any) -> Any:
    """The window or the padding as it is."""
    return one


def at_end(edges: Edges) -> Edges:
    """All of the padding after the input, none before."""
    return [(0, before + after) for before, after in edges]


def _turned(self: Any) -> dict[str, Any]:
    return {"edges": [edge[::-1] for edge in self.edges]}


def _uncut(self: Any) -> dict[str, Any]:
    """Padding that is not cut from the start."""
    return {"edges": [(0, 0)] * self.axes}


def _samples_averaged(self: Any, cache: Any, dy: Array) -> Array:
    batch = dy.shape[0] if dy.ndim == _axes(self) + 2 else 1
    return dy / batch


def _last_sample(self: Any, cache: Any, dy: Array) -> Array:
    """Zero for all samples but the last."""
    if dy.ndim == _axes(self) + 1:
        return dy
    numbers = np.arange(dy.shape[0]).reshape(-1, *(1,) * (dy.ndim - 1))
    return np.where(numbers == dy.shape[0] - 1, dy, 0)


def _bias(of: Callable[[Array, tuple[int, ...]], Array]) -> Changes:
    """A bias gradient ``of(dy, places)``, with dy ``(N, C, *places)``."""

    def found(self: Any, params: Params, cache: Any, dy: Array) -> Array:
        axes = _axes(self)
        dy = dy.reshape(-1, *dy.shape[-1 - axes :])
        return of(dy, tuple(range(2, 2 + axes)))

    return grad_of("bias", found)


def _interleaved(self: Any) -> Callable[[Array], Array]:
    """The channels of an image dealt out to the groups one by one."""

    def change(d: Array) -> Any:
        axes, groups = _axes(self), self.groups
        split = d.ndim - 1 - axes
        channels = d.shape[split]
        cut = d.reshape(*d.shape[:split], groups, channels // groups, *d.shape[split + 1 :])
        return cut.swapaxes(split, split + 1).reshape(d.shape)

    return change


def _dealt(right: Method, self: Any, *args: Any) -> Any:
    back, found = right(self, *args)
    return _interleaved(self)(back), found


#: What can be wrong with any convolution.
_EVERY = faults(CONVOLUTIONS,
    Right("dx[i] = Σ W[t] dy[o] over i = o · stride + t · dilation − padding"),
    Row("kernel not flipped back",
        "the error is carried back with the kernel turned the wrong way round", "dx",
        dx_with(_flipped), needs="a kernel of more than one tap"),
    Right("y[o] = Σ_t W[t] x[o · stride + t · dilation − padding]"),
    Row("kernel flipped forward",
        "a convolution in the strict sense, where PyTorch computes a correlation", "output",
        forward_with(_flipped), needs="a kernel of more than one tap"),
    Right("dW[t] = Σ_o dy[o] x[o · stride + t · dilation − padding]"),
    Row("weight gradient flipped", "the kernel's gradient is turned the wrong way round",
        "gradient weight", grad("weight", lambda g: np.flip(g, axis=tuple(range(2, g.ndim)))),
        needs="a kernel of more than one tap"),
    Right("sum over samples and places; a loss that averages has put its 1/N into dy already"),
    Row("weight gradient averaged over the batch",
        "the weight gradient is divided by the batch, though the loss has done so",
        "gradient weight", grad_at("weight", _samples_averaged), needs="batch > 1"),
    Right("dW += … for every sample"),
    Row("weight gradient overwritten sample by sample",
        "a loop over the samples sets the weight gradient where it should add to it",
        "gradient weight", grad_at("weight", _last_sample), needs="batch > 1"),
    Right("db = Σₙ Σₒ dy[n, :, o]"),
    Row("bias gradient averaged over the places",
        "the mean over the places is taken, not the sum", "gradient bias",
        _bias(lambda dy, places: dy.mean(axis=places).sum(axis=0)), needs="more than one place"),
    Row("bias gradient averaged over the batch",
        "the mean over the samples is taken, not the sum", "gradient bias",
        _bias(lambda dy, places: dy.sum(axis=places).mean(axis=0)), needs="batch > 1"),
    Right("db = Σₙ Σₒ dy[n, :, o], one number for each channel"),
    Row("one bias gradient for all channels", "dy is summed over the channels, too",
        "gradient bias", grad("bias", lambda g: 0 * g + g.sum(axis=-1, keepdims=True)),
        needs="more than one channel"),
    Right("db = Σₙ Σₒ dy[n, :, o]"),
    Row("bias never trained", "the bias gradient is 0", "gradient bias",
        grad("bias", lambda g: 0 * g)),
    Right("y = W ⋆ x + b"),
    Row("bias not added", "the bias is left out of the forward pass", "output",
        forward_with(without_bias), needs="a bias that is not 0"),
    Right("group g has the channels g · C/G to (g + 1) · C/G − 1"),
    Row("groups dealt out on the way back",
        "the channels of dx are taken in the order of the groups' members, not of the groups", "dx",
        around("backward", _dealt), needs="groups of more than one channel"),
    Right("dx[i] = Σ W[t] dy[o] over i = o · stride + t · dilation − padding"),
    Row("input gradient dropped", "dx is 0, as for a first layer", "dx", dx(lambda d: 0 * d)),
)  # fmt: skip


#: What can be wrong with where a convolution reads and writes.
_FORWARD = faults(("Conv1d", "Conv2d"),
    Right("put stride − 1 zeros between the entries of dy first"),
    Row("stride ignored on the way back",
        "the entries of dy are put side by side: no zeros come between them", "dx",
        other("backward", _window("stride")), needs="stride > 1"),
    Right("tap t goes back to i = o · stride + t · dilation − padding"),
    Row("dilation ignored on the way back", "the taps are taken to be neighbours", "dx",
        other("backward", _window("dilation")), needs="dilation > 1"),
    Right("cut the padding from both ends of the padded dx"),
    Row("padding not cut on the way back", "dx begins with what belongs to the padding", "dx",
        other("backward", _uncut), needs="padding > 0"),
    Right("dW[t] = Σ_o dy[o] x[o · stride + t · dilation − padding]"),
    Row("stride ignored in the weight gradient",
        "dW is taken from neighbouring places of the input", "gradient weight",
        _reads(lambda window: steps(window, "stride"), same), needs="stride > 1"),
    Row("dilation ignored in the weight gradient",
        "dW is taken from neighbouring taps of the input", "gradient weight",
        _reads(lambda window: steps(window, "dilation"), same), needs="dilation > 1"),
    Right("remember the padded input"),
    Row("padding ignored in the weight gradient",
        "dW is taken from the input as it was before padding", "gradient weight",
        _reads(same, at_end), needs="padding > 0"),
    Right("as many zeros before the input as after it"),
    Row("padding at the end alone",
        "all of the padding is put after the input, none before", "output",
        other("forward", lambda self: {"edges": at_end(self.edges)}), needs="padding > 0"),
    Right("where padding is 'same' and odd, PyTorch puts the one more after the input"),
    Row("odd padding at the start",
        "of an odd number of zeros, the one more is put before the input", "output",
        other("forward", _turned), needs="padding='same', an even kernel"),
)  # fmt: skip


def _tap_order(self: Any, params: Params) -> Params:
    weight = params["weight"]
    kernel = weight.shape[-2:]
    turned = weight.swapaxes(-1, -2).reshape(*weight.shape[:-2], *kernel)
    return params | {"weight": turned}


_OF_IMAGES = faults(("Conv2d", "ConvTranspose2d"),
    Right("lay kernel and columns out in the same order, the last axis fastest"),
    Row("taps read column by column",
        "rows and columns of the kernel are mixed up when it is laid out as a matrix", "output",
        forward_with(_tap_order), needs="a kernel of more than one row and column"),
)  # fmt: skip


CONVOLUTION = (*_EVERY, *_FORWARD, *_OF_IMAGES)
