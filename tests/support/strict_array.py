"""An array that can do only what every arithmetic of the reference can do.

The reference has to run on arrays that carry their own rounding error, so its layers confine
themselves to a list of operations. This array knows no others: it shows where a layer writes into
an array, compares a number that may be complex, or turns an array of a special kind into a plain
one unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy import special

UFUNCS = {
    *(np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.power, np.matmul),
    *(np.exp, np.log, np.log1p, np.expm1, np.tanh, np.sqrt, np.sin, np.cos),
    *(np.maximum, np.minimum, special.erf),
}

FUNCTIONS = {
    *(np.where, np.concatenate, np.stack, np.broadcast_to, np.pad, np.moveaxis, np.zeros_like),
    *(np.take_along_axis, np.lib.stride_tricks.sliding_window_view),
}


class StrictArray(NDArrayOperatorsMixin):
    """A plain array behind a list of operations."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a special array would become a plain one here")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if ufunc not in UFUNCS or method != "__call__" or kwargs.get("out") is not None:
            raise TypeError(f"{ufunc.__name__}.{method} with {sorted(kwargs)} is not on the list")
        return StrictArray(ufunc(*map(plain, args), **kwargs))

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if function not in FUNCTIONS:
            raise TypeError(f"{function.__name__} is not on the list")
        return StrictArray(function(*plain(args), **plain(kwargs)))

    def __getitem__(self, index: Any) -> StrictArray:
        return StrictArray(self.value[index])

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "ndim", "size", "dtype"):
            return getattr(self.value, name)
        if name == "real":
            return self.value.real
        if name == "T":
            return StrictArray(self.value.T)
        if name in ("sum", "mean", "max", "reshape", "swapaxes", "transpose", "copy"):
            method = getattr(self.value, name)
            return lambda *args, **kwargs: StrictArray(method(*args, **kwargs))
        raise AttributeError(f"{name} is not on the list")


def plain(value: Any) -> Any:
    """What strict arrays hold, also within tuples, lists and dictionaries."""
    if isinstance(value, StrictArray):
        return value.value
    if isinstance(value, tuple | list):
        return type(value)(plain(item) for item in value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
