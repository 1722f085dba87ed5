"""Room for results: zeros that code makes first and writes to afterwards, entry by entry.

Most code never writes to such zeros, and until it does they are what they are: plain numbers
without an error. Once a number that has one is written, its error is written beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from compare.measure.rounding.array import MAKING, MOVING, Rounded, certain, full_error
from compare.measure.rounding.error_models import Array, Model


class Room(Rounded):
    """An array that may be written to.

    Args:
        value: the numbers.
        model: how errors combine.
        error: of each number.
        written: whether anything was written; shared by all views of the same memory.
    """

    error: Array

    def __init__(
        self,
        value: Array,
        model: Model,
        error: Array | None = None,
        written: list[bool] | None = None,
    ) -> None:
        super().__init__(value, model, np.zeros(value.shape) if error is None else error)
        self.written = [False] if written is None else written

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, Rounded) and index.error is not None and np.ndim(value) == 0:
            value, index = np.where(index, value, self.view()), ...  # either may be right
        index = certain(index)
        self.value[index] = value.value if isinstance(value, Rounded) else value
        self.error[index] = _error_of(value)
        self.written[0] = True

    def view(self) -> Rounded:
        """What it holds now, as an array that is not written to."""
        return Rounded(self.value, self.model, self.error)

    def put_along_axis(self, indices: Array, values: Any, axis: int | None) -> None:
        """What ``numpy.put_along_axis`` does."""
        plain = values.value if isinstance(values, Rounded) else values
        np.put_along_axis(self.value, indices, plain, axis)
        np.put_along_axis(self.error, indices, _error_of(values), axis)
        self.written[0] = True

    def _moved(self, move: Callable[[Array], Array]) -> Rounded:
        return Room(move(self.value), self.model, move(self.error), self.written)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if not self.written[0]:
            return getattr(ufunc, method)(*_without(self, inputs), **options)
        return super().__array_ufunc__(ufunc, method, *inputs, **options)

    def __array_function__(
        self, function: Any, types: Any, inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        if function is np.put_along_axis:
            first, *rest = inputs
            if isinstance(first, Room):
                return first.put_along_axis(*rest, **options)
        elif inputs[0] is self and function.__name__ in MOVING:  # a view is written with the whole
            moved = function(self.value, *inputs[1:], **options)
            if isinstance(moved, np.ndarray) and np.shares_memory(moved, self.value):
                errors = function(self.error, *inputs[1:], **options)
                return Room(moved, self.model, errors, self.written)
        if not self.written[0]:
            return function(*_without(self, inputs), **options)
        return super().__array_function__(function, types, inputs, options)


def copied(array: Rounded, *order: Any) -> Room:
    """``copy``: the same numbers, to be written to."""
    return Room(array.value.copy(), array.model, full_error(array).copy(), written=[True])


def made(name: str, array: Rounded, *rest: Any, **options: Any) -> Any:
    """``zeros_like`` or ``empty_like``: plain, if it has no room for numbers with an error."""
    numbers = getattr(np, name)(array.value, *rest, **options)
    return Room(numbers, array.model) if numbers.dtype.kind == "f" else numbers


#: By the names of NumPy's functions.
SPECIAL: dict[str, Callable[..., Any]] = {
    "copy": copied,
    **{name: partial(made, name) for name in sorted(MAKING)},
}


def _error_of(value: Any) -> Any:
    return full_error(value) if isinstance(value, Rounded) else 0.0


def _without(room: Room, inputs: tuple[Any, ...]) -> list[Any]:
    """The arguments with plain numbers for the room, in lists and tuples of arrays, too."""
    return [
        room.value
        if one is room
        else [room.value if inner is room else inner for inner in one]
        if isinstance(one, list | tuple) and any(inner is room for inner in one)
        else one
        for one in inputs
    ]
