"""Layers that only lay their numbers out anew: each goes back to where it came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import require


class Flatten(Module):
    """Makes one axis of the axes from ``start_dim`` to ``end_dim``; dx is dy, laid out as x was.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        shape = x.shape or (1,)
        start = axis_of(self, "start_dim", self.start_dim, shape)
        end = axis_of(self, "end_dim", self.end_dim, shape)
        require(start <= end, self, "start_dim", self.start_dim, "at or before end_dim")
        flat = math.prod(x.shape[start : end + 1])
        return x.reshape(*x.shape[:start], flat, *x.shape[end + 1 :]), x.shape

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        return dy.reshape(cache), {}


class Unflatten(Module):
    """Makes several axes of the axis ``dim``; dx is dy, laid out as x was.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        needed = "sizes of which at most one is -1"
        several = isinstance(unflattened_size, Sequence)
        require(several, self, "unflattened_size", repr(unflattened_size), needed)
        known = [size for size in unflattened_size if size != -1]
        valid = len(known) + 1 >= len(unflattened_size) > 0 and all(size >= 0 for size in known)
        require(valid, self, "unflattened_size", tuple(unflattened_size), needed)
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        axis = axis_of(self, "dim", self.dim, x.shape)
        known = math.prod(size for size in self.unflattened_size if size != -1)
        sizes = tuple(
            x.shape[axis] // max(known, 1) if size == -1 else size for size in self.unflattened_size
        )
        fits = math.prod(sizes) == x.shape[axis]
        require(fits, self, "the input's shape", x.shape, f"{sizes} on axis {self.dim}")
        return x.reshape(*x.shape[:axis], *sizes, *x.shape[axis + 1 :]), x.shape

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        return dy.reshape(cache), {}


def axis_of(layer: Module, name: str, dim: int, shape: tuple[int, ...]) -> int:
    """The axis that the option ``name`` of the layer gives, counted from the front."""
    axes = len(shape)
    inside = isinstance(dim, int | np.integer) and -axes <= dim < axes
    needed = f"from {-axes} to {axes - 1} for an input of shape {shape}"
    require(inside, layer, name, repr(dim), needed)
    return dim % axes
