"""What counts as numbers in a user's objects: an array, a number, or lists of numbers in lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import Array

#: What can be compared: PyTorch has both, and both sides round alike.
DTYPES = ("float32", "float64")


def is_leaf(value: Any) -> bool:
    """Whether a value is one tensor, rather than something that holds several."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind != "O")
    return is_number(value) or is_nested(value)


def is_number(value: Any) -> bool:
    """Whether it is one number, of Python or of NumPy."""
    return isinstance(value, int | float | complex | np.number) and not isinstance(value, bool)


def is_nested(value: Any) -> bool:
    """Whether it is a list or tuple of numbers, or of such lists of one length: a tensor."""
    if not (isinstance(value, list | tuple) and value):
        return False
    try:
        return _shape(value) is not None
    except RecursionError:  # it holds itself
        return False


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of lists in lists; None if they are ragged or hold anything but numbers."""
    if is_number(value):
        return ()
    if not (isinstance(value, list | tuple) and value):
        return None
    shapes = {_shape(item) for item in value}
    if len(shapes) != 1:
        return None
    inner = shapes.pop()
    return None if inner is None else (len(value), *inner)


def without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its axes of length 1, which do not matter."""
    return tuple(length for length in shape if length != 1)


def as_array(value: Any, what: str, advice: str = "convert it with .astype") -> Array:
    """A copy of the numbers, in their own dtype; Python's, and whole ones alone, are float64.

    Args:
        value: an array, a number or lists of numbers.
        what: it is called so in errors.
        advice: what to do about another precision.

    Raises:
        CannotCompare: it is none of these, or not of a dtype that can be compared.
    """
    if type(value).__module__.partition(".")[0] == "torch":
        raise CannotCompare(
            f"{what} is a {type(value).__name__} of PyTorch; the network should be NumPy or pure "
            f"Python, and PyTorch the other side"
        )
    if not is_leaf(value):
        raise CannotCompare(
            f"{what} is {_told(value)}, but should be an array, a number, or lists of numbers"
        )
    array = np.array(value)
    if array.dtype.kind in "iuO" and not isinstance(value, np.ndarray):
        array = _as_float(array, what)
    if array.dtype.kind in "iub":
        raise CannotCompare(
            f"{what} holds whole numbers ({array.dtype}), but should hold float64 or float32: an "
            f"array of whole numbers has no room for a fraction; make it with dtype=float, or "
            f"convert it with .astype(float), where it comes from"
        )
    if array.dtype.name not in DTYPES:
        hint = f"; {advice}" if hasattr(value, "astype") else ""
        raise CannotCompare(
            f"{what} is {array.dtype}, but should be float64 or float32, which PyTorch and NumPy "
            f"both compute in{hint}"
        )
    return array


def _as_float(whole: Array, what: str) -> Array:
    """Whole numbers that are no array: another number can be put in the place of each."""
    try:
        return whole.astype(float)
    except (OverflowError, TypeError) as error:
        raise CannotCompare(f"{what} cannot be made float64: {error}") from None


def _told(value: Any) -> str:
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"an array of objects, {value.shape}" if isinstance(value, np.ndarray) else f"a {kind}"


def fill(held: Any, values: Array, replace: Callable[[Any], None]) -> None:
    """Put numbers where others are: in place if that can be, so that views of them follow.

    Args:
        held: what is there: an array, a number, or lists of numbers.
        values: the new numbers, of the same shape.
        replace: puts a new object in its place.
    """
    if isinstance(held, np.ndarray):
        if held.flags.writeable and np.can_cast(values.dtype, held.dtype, "same_kind"):
            np.copyto(held, values)
        else:
            replace(values.copy())
    elif isinstance(held, list):
        _fill_list(held, values)
    elif isinstance(held, tuple):
        replace(_as_tuple(values))
    else:
        number = values[()]
        fits = isinstance(held, np.number) and np.can_cast(number.dtype, held.dtype, "same_kind")
        replace(type(held)(number) if fits else number.item())


def _fill_list(held: list[Any], values: Array) -> None:
    for position, item in enumerate(held):
        if isinstance(item, list):
            _fill_list(item, values[position])
        else:
            held[position] = (
                _as_tuple(values[position]) if isinstance(item, tuple) else values[position].item()
            )


def _as_tuple(values: Array) -> Any:
    return tuple(map(_as_tuple, values)) if np.ndim(values) else values.item()
