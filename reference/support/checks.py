"""Refusing what a layer cannot take, in words that say what to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
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


def require_numbers(layer: object, **options: Any) -> None:
    """Refuse options that are no real numbers."""
    for name, value in options.items():
        require(isinstance(value, Real), layer, name, repr(value), "a number")


def require_whole(layer: object, **options: Any) -> None:
    """Refuse options that are no whole numbers."""
    for name, value in options.items():
        require(isinstance(value, Integral), layer, name, repr(value), "a whole number")


def require_floating(
    layer: object, name: str, x: Array, params: Mapping[str, Array] | None = None
) -> None:
    """Refuse integers and booleans, which have no gradient, and a precision unlike the parameters'.

    NumPy would go on in the higher one of the two, without a word. Complex numbers, whose imaginary
    part is a derivative, may meet real ones.
    """
    dtype = x.dtype
    if dtype.kind not in "fc":
        require(False, layer, f"{name}'s dtype", dtype, "a floating-point type")
    for key, value in params.items() if params else ():
        if value.dtype != dtype and value.dtype.kind == dtype.kind == "f":
            require(False, layer, f"{name}'s dtype", dtype, f"{value.dtype}, that of {key}")


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
