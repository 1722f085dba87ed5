"""What a computation gives without rounding, nearly: the same code in the next wider dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.measure.rounding import Model, Rounded
from compare.referee.derivative import extended_precision
from reference import Array

#: For each dtype the one that tells its errors.
WIDER: dict[str, type[np.floating[Any]]] = {"float32": np.float64}
if extended_precision():
    WIDER["float64"] = np.longdouble


def difference(compute: Callable[..., Any], arrays: tuple[Array, ...], got: Array) -> Array:
    """How far ``got`` is from what ``compute`` gives in the wider dtype."""
    wider = WIDER[arrays[0].dtype.name]
    true = compute(*(array.astype(wider) for array in arrays))
    return np.asarray(np.abs(got.astype(wider) - true), np.float64)


def errors(
    compute: Callable[..., Any], model: Model, *arrays: Array
) -> tuple[Array, Array, Rounded]:
    """The true error of each entry of ``compute(*arrays)``, and the error that it carries."""
    result = compute(*(Rounded(array, model) for array in arrays))
    carried = np.zeros(result.shape) if result.error is None else result.error
    return difference(compute, arrays, result.value), carried, result


def ratios(compute: Callable[..., Any], model: Model, *arrays: Array) -> Array:
    """The true errors in units of the carried ones; 0 where there is none of either."""
    true, carried, _ = errors(compute, model, *arrays)
    with np.errstate(divide="ignore"):
        return np.divide(true, carried, out=np.zeros(true.shape), where=true > 0)
