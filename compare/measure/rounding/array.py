"""The array type: numbers, and the error of each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from compare.base.errors import CannotCompare
from compare.measure.rounding.error_models import Array, Error, Model
from compare.measure.rounding.error_rules import COMPARISONS, LOGICAL, RULES, comparison

#: Functions that only move numbers about: the errors move with them.
MOVING = {
    "broadcast_to", "concatenate", "expand_dims", "flip", "moveaxis", "pad", "repeat",
    "reshape", "roll", "sliding_window_view", "split", "squeeze", "stack", "swapaxes",
    "take", "take_along_axis", "tile", "transpose",
}  # fmt: skip

#: Functions of shape and dtype alone: the numbers, or nothing, will do.
PLAIN = {"ones_like", "full_like", "shape", "ndim", "size"}

#: Functions that make an array to be written to, of any dtype.
MAKING = {"zeros_like", "empty_like"}

#: Functions that are more than a rule for each entry. The modules that know how they go stand above
#: this one, so the package enters them.
SPECIAL: dict[str, Callable[..., Any]] = {}


class UnknownOperation(CannotCompare, AttributeError):
    """An operation whose effect on rounding errors is not known; to ``hasattr``, a missing one."""


class Rounded(NDArrayOperatorsMixin):
    """An array whose entries know their rounding error.

    Every operation computes its numbers with NumPy's own, on the numbers alone, so they are bit for
    bit what they would be without the errors.

    Args:
        value: the numbers.
        model: how errors combine.
        error: of each number; None if they are exact. Of truth values: whether they are
            uncertain.
        terms: of how many terms each number is the sum. Whatever is added to such a sum may have
            been added first of all, as in a fused multiply-add of a bias, and is then rounded
            with each of them.

    Raises:
        CannotCompare: an operation is used whose effect on errors is not known; it is named.
    """

    def __init__(
        self, value: Array, model: Model, error: Array | None = None, terms: int = 1
    ) -> None:
        self.value = value
        self.model = model
        self.error = error
        self.terms = terms

    def __repr__(self) -> str:
        return f"Rounded({self.value!r}, error={self.error!r})"

    # What code asks of an array.

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        return np.size(self.value)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value.dtype

    @property
    def real(self) -> Rounded:
        return self

    @property
    def T(self) -> Rounded:
        return self._moved(lambda array: array.T)

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Rounded:
        index = certain(index)
        return self._moved(lambda array: array[index])

    # What would be answered without a word about errors, or by an error that blames the code.

    def __setitem__(self, index: Any, value: Any) -> None:
        raise _unknown("assignment to entries")

    def __bool__(self) -> bool:
        if self.dtype != bool or self.error is not None:
            raise _unknown("truth value, as in an if,")
        return bool(self.value)

    def __float__(self) -> float:
        raise _unknown("conversion to float")

    def __array__(self, *args: Any, **options: Any) -> Array:
        raise _unknown("asarray, as in an assignment to entries of a plain array,")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise _unknown(f"ndarray.{name}")

    def reshape(self, *shape: Any) -> Rounded:
        return self._moved(lambda array: array.reshape(*shape))

    def swapaxes(self, first: int, second: int) -> Rounded:
        return self._moved(lambda array: array.swapaxes(first, second))

    def transpose(self, *axes: Any) -> Rounded:
        return self._moved(lambda array: array.transpose(*axes))

    def squeeze(self, axis: int | tuple[int, ...] | None = None) -> Rounded:
        return self._moved(lambda array: array.squeeze(axis))

    def copy(self) -> Rounded:
        made: Rounded = SPECIAL["copy"](self)
        return made

    def cumsum(self, axis: int | None = None) -> Rounded:
        total: Rounded = SPECIAL["cumsum"](self, axis)
        return total

    def sum(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Rounded:
        axes = _axes(axis, self.ndim)
        value = self.value.sum(axis=axes, keepdims=keepdims)
        kept = value if keepdims else np.expand_dims(value, axes)
        error = self.model.total(self.value, _error(self), np.asarray(kept), axes)
        return Rounded(value, self.model, error.reshape(np.shape(value)))

    def mean(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Rounded:
        total = self.sum(axis, keepdims)
        value = self.value.mean(axis=_axes(axis, self.ndim), keepdims=keepdims)
        quotient = total / (self.size // max(total.size, 1))
        return Rounded(value, self.model, cast(Rounded, quotient).error)

    def item(self) -> Any:
        """The only entry as a plain number; what is made of it has no error."""
        return self.value.item()

    def any(self, *args: Any, **options: Any) -> Any:
        return self.value.any(*args, **options)

    def all(self, *args: Any, **options: Any) -> Any:
        return self.value.all(*args, **options)

    def min(self, axis: int | None = None, keepdims: bool = False) -> Rounded:
        """The smallest entry changes by no more than the entry that changes most."""
        value = self.value.min(axis=axis, keepdims=keepdims)
        return Rounded(value, self.model, self.max(axis, keepdims).error)

    def max(self, axis: int | None = None, keepdims: bool = False) -> Rounded:
        """The largest entry changes by no more than the entry that changes most."""
        value = self.value.max(axis=axis, keepdims=keepdims)
        if self.error is None:
            return Rounded(value, self.model)
        return Rounded(value, self.model, self.error.max(axis=axis, keepdims=keepdims))

    def _moved(self, move: Callable[[Array], Array]) -> Rounded:
        """The same numbers in another arrangement."""
        error = None if self.error is None else move(self.error)
        return Rounded(move(self.value), self.model, error)

    # What NumPy asks of an array.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if method == "reduce" and name in ("add", "maximum"):
            return _reduce(name, *inputs, **options)
        if method != "__call__" or options:
            raise _unknown(f"{name}.{method}" if method != "__call__" else f"{name}{[*options]}")
        values = tuple(map(_value, inputs))
        out = ufunc(*values)
        if name in COMPARISONS:
            return Rounded(out, self.model, _uncertain(self.model, inputs))
        if name in LOGICAL:
            return Rounded(out, self.model, _any_uncertain(inputs, out.shape))
        errors = tuple([_error(one, out.dtype) for one in inputs])
        if name == "matmul":
            error = self.model.inner(values[0], values[1], errors[0], errors[1], out)
            return Rounded(out, self.model, error, terms=np.shape(values[0])[-1])
        if name not in RULES:
            raise _unknown(name)
        error = RULES[name](self.model, out, values, errors)
        if name in ("add", "subtract"):
            error = self._added(error, inputs, out)
        if error.shape != out.shape:
            error = np.broadcast_to(error, out.shape)
        return Rounded(out, self.model, error)

    def _added(self, error: Array, inputs: Sequence[Any], out: Array) -> Array:
        """The error of adding to a sum, if it may have been added before the sum was complete."""
        for one, other in (inputs, inputs[::-1]):
            if isinstance(one, Rounded) and one.terms > 1:
                error = self.model.combine(
                    error, self.model.interleaved(np.asarray(_value(other)), one.terms, out.dtype)
                )
        return error

    def __array_function__(
        self, function: Any, types: Any, inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        name = function.__name__
        if name == "where" and len(inputs) == 3:
            return _where(self.model, *inputs)
        if name in ("sum", "mean", "max", "amax") and options.keys() <= {"axis", "keepdims"}:
            return getattr(inputs[0], name.removeprefix("a"))(*inputs[1:], **options)
        if name in ("any", "all"):
            return getattr(inputs[0], name)(*inputs[1:], **options)
        if name in PLAIN:
            return function(*_each(inputs, _value), **options)
        if name in SPECIAL:
            return _special(name, inputs, options)
        if name in MOVING:
            return _move(self.model, function, inputs, options)
        raise _unknown(name)


def certain(index: Any) -> Any:
    """An index as plain numbers, if rounding has no part in it."""
    if isinstance(index, tuple):
        return tuple(certain(one) for one in index)
    if not isinstance(index, Rounded):
        return index
    if index.dtype != bool or index.error is not None:
        raise _unknown("indexing by a computed array")
    return index.value


def _value(one: Any) -> Any:
    return one.value if isinstance(one, Rounded) else one


def _error(one: Any, dtype: np.dtype[Any] | None = None) -> Error:
    """The error of an argument; a plain constant has that of being rounded to the dtype."""
    if isinstance(one, Rounded):
        if one.error is None:
            return 0.0
        return one.model.jump(one.error * 1.0) if one.dtype == bool else one.error
    if isinstance(one, float) and dtype is not None and dtype.kind == "f":
        return abs(float(dtype.type(one)) - one)
    return 0.0


def _uncertain(model: Model, inputs: Sequence[Any]) -> Array | None:
    first, second = inputs
    if first is second:
        return None
    near = comparison(model, (_value(first), _value(second)), (_error(first), _error(second)))
    return near if near.any() else None


def _any_uncertain(inputs: Sequence[Any], shape: tuple[int, ...]) -> Array | None:
    masks = [one.error for one in inputs if isinstance(one, Rounded) and one.error is not None]
    if not masks:
        return None
    return np.asarray(np.any([np.broadcast_to(mask, shape) for mask in masks], axis=0))


def _where(model: Model, condition: Any, first: Any, second: Any) -> Rounded:
    """A choice; where the condition is uncertain, both branches are right."""
    chosen, a, b = _value(condition), _value(first), _value(second)
    value = np.where(chosen, a, b)
    errors = _error(first, value.dtype), _error(second, value.dtype)
    doubt = condition.error if isinstance(condition, Rounded) else None
    if doubt is None and all(isinstance(error, float) for error in errors):
        return Rounded(value, model)
    error = np.broadcast_to(np.where(chosen, *errors), value.shape)
    if doubt is not None:
        apart = model.combine(model.jump(np.abs(np.subtract(a, b))), np.maximum(*errors))
        error = np.where(doubt, apart, error)
    return Rounded(value, model, np.asarray(error, np.float64))


def _reduce(name: str, array: Rounded, axis: Any = 0, keepdims: bool = False, **rest: Any) -> Any:
    if rest.get("out") is not None or rest.get("dtype") is not None or "where" in rest:
        raise _unknown(f"{name}.reduce with {[*rest]}")
    return array.sum(axis, keepdims) if name == "add" else array.max(axis, keepdims)


def _special(name: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    array, *rest = inputs
    if not isinstance(array, Rounded) or options.keys() - {"axis", "dtype", "shape"}:
        raise _unknown(f"{name} with {[*options]}" if options else name)
    if "dtype" in options and name not in MAKING:
        raise _unknown(f"{name} in another dtype")
    return SPECIAL[name](array, *rest, **options)


def _move(model: Model, function: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Apply a function that moves numbers to the numbers and to their errors."""
    value = function(*_each(inputs, _value), **options)
    error = function(*_each(inputs, full_error), **options)
    if isinstance(value, list):
        return [Rounded(v, model, e) for v, e in zip(value, error, strict=True)]
    return Rounded(value, model, error)


def _each(inputs: Sequence[Any], of: Callable[[Any], Any]) -> list[Any]:
    """Apply ``of`` to each argument, and within lists and tuples of arrays."""
    return [
        [of(item) for item in one]
        if isinstance(one, list | tuple) and any(isinstance(item, Rounded) for item in one)
        else of(one)
        for one in inputs
    ]


def full_error(one: Any) -> Any:
    """The error as an array of the argument's shape; an argument that is no number, as it is."""
    if isinstance(one, Rounded):
        return np.zeros(one.shape) if one.error is None else one.error
    if isinstance(one, np.ndarray) and one.dtype.kind == "f":
        return np.zeros(one.shape)
    return one


def _axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else axis
    return tuple(one % ndim for one in axes)


def _unknown(name: str) -> UnknownOperation:
    return UnknownOperation(
        f"how rounding errors pass through numpy's {name} is not known, so no tolerance can be "
        f"computed for it; use --tolerance fixed, or add its rule to "
        f"compare/measure/rounding/error_rules.py"
    )
