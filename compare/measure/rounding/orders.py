"""Sums from left to right, sorted numbers, and questions of order, with their rounding errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from compare.base.errors import CannotCompare
from compare.measure.rounding.array import Rounded, full_error
from compare.measure.rounding.error_rules import RULES, comparison


def accumulated(name: str, array: Rounded, axis: int | None = None) -> Rounded:
    """``cumsum`` or ``cumprod``: each result is one addition, or multiplication, after the last."""
    value = getattr(np, name)(array.value, axis=axis)
    if axis is None:
        array, axis = array.reshape(-1), 0
    terms, errors, out = (
        np.moveaxis(one, axis, 0) for one in (array.value, full_error(array), value)
    )
    rule = RULES["add" if name == "cumsum" else "multiply"]
    found = [errors[0]] if len(terms) else []
    for k in range(1, len(terms)):
        found.append(rule(array.model, out[k], (out[k - 1], terms[k]), (found[-1], errors[k])))
    error = np.moveaxis(np.array(found).reshape(out.shape), 0, axis)
    return Rounded(value, array.model, error)


def sorted_(array: Rounded, axis: int | None = -1) -> Rounded:
    """``sort``: a number has its own error, and where the order is in doubt the largest of any.

    The k-th smallest number moves by no more than the number that moves most.
    """
    if axis is None:
        array, axis = array.reshape(-1), -1
    order = np.argsort(array.value, axis)
    value = np.take_along_axis(array.value, order, axis)
    error = np.take_along_axis(full_error(array), order, axis)
    doubtful = _doubtful(Rounded(value, array.model, error), axis).any(axis=axis, keepdims=True)
    return Rounded(value, array.model, np.where(doubtful, error.max(axis, keepdims=True), error))


def order(name: str, array: Rounded, *arguments: Any, **options: Any) -> Any:
    """``argsort``, ``argmax`` or ``argmin``, if rounding has no part in the answer.

    Raises:
        CannotCompare: two numbers that count are nearer to each other than their errors.
    """
    axis = arguments[0] if arguments else options.get("axis", -1 if name == "argsort" else None)
    found = getattr(np, name)(array.value, *arguments, **options)
    if axis is None:
        array, axis = array.reshape(-1), -1
    places = np.argsort(array.value, axis)
    inner = Rounded(
        np.take_along_axis(array.value, places, axis),
        array.model,
        np.take_along_axis(full_error(array), places, axis),
    )
    if name == "argmax":
        doubt = _near_end(inner, axis, -1)
    elif name == "argmin":
        doubt = _near_end(inner, axis, 0)
    else:
        doubt = bool(_doubtful(inner, axis).any())
    if doubt:
        raise CannotCompare(
            f"numpy's {name} is asked for the order of numbers that are nearer to each other than "
            f"rounding can tell, so either order is right; compare at other weights or data"
        )
    return found


def _doubtful(ordered: Rounded, axis: int) -> Any:
    """Whether each number may be on the other side of the next one."""
    value, error = (np.moveaxis(one, axis, -1) for one in (ordered.value, full_error(ordered)))
    neighbours = (value[..., :-1], value[..., 1:]), (error[..., :-1], error[..., 1:])
    return np.moveaxis(comparison(ordered.model, *neighbours), -1, axis)


def _near_end(ordered: Rounded, axis: int, end: int) -> bool:
    """Whether any number may be beyond the last one in an order, or the first."""
    value, error = (np.moveaxis(one, axis, -1) for one in (ordered.value, full_error(ordered)))
    rest = slice(None, -1) if end else slice(1, None)
    pairs = (value[..., rest], value[..., [end]]), (error[..., rest], error[..., [end]])
    return bool(comparison(ordered.model, *pairs).any())


def clipped(array: Rounded, least: Any, greatest: Any) -> Any:
    """``clip``: two choices, one after the other."""
    return np.minimum(np.maximum(array, least), greatest)


#: By the names of NumPy's functions.
SPECIAL: dict[str, Callable[..., Any]] = {
    "clip": clipped,
    "sort": sorted_,
    **{name: partial(order, name) for name in ("argsort", "argmax", "argmin")},
    **{name: partial(accumulated, name) for name in ("cumsum", "cumprod")},
}
