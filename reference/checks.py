"""Refusing what a layer cannot take, in words that say what to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from reference.module import Array

Size: TypeAlias = int | Sequence[int]


def require(condition: bool, layer: object, what: str, got: object, needed: str) -> None:
    """Go on only if ``condition`` holds.

    Raises:
        ValueError: it does not; the message names the layer, what it got and what it needs.
    """
    if not condition:
        raise ValueError(f"{type(layer).__name__}: {what} is {got}, but should be {needed}")


def require_floating(layer: object, name: str, x: Array) -> None:
    """Refuse integers and booleans, which have no gradient."""
    require(x.dtype.kind in "fc", layer, f"{name}'s dtype", x.dtype, "a floating-point type")


def require_axes(layer: object, x: Array, *allowed: int) -> None:
    """Refuse inputs of another number of axes than those allowed."""
    needed = f"one with {' or '.join(map(str, allowed))} axes"
    require(x.ndim in allowed, layer, "the input's shape", x.shape, needed)


def per_axis(layer: object, name: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """One whole number for each axis; a single number is for all of them.

    Raises:
        ValueError: they are too few, too many, too small or not whole.
    """
    numbers = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    whole = all(isinstance(number, int | np.integer) and number >= least for number in numbers)
    needed = f"one whole number of at least {least}" + (f" or {axes} of them" * (axes > 1))
    require(len(numbers) == axes and whole, layer, name, repr(value), needed)
    return tuple(int(number) for number in numbers)
