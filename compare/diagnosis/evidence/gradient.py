"""One parameter's gradient on both sides, and how much an explanation of it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compare.base.quantities import Array

#: How many decimal digits of agreement a cause must have left once it has paid for its freedom: a
#: wrong gradient that has nothing to do with the cause agrees by chance once in a thousand times.
ENOUGH = 3.0

_MOST = 1e16  # what one entry can say at most: it has no more digits


@dataclass(frozen=True, eq=False)
class Gradient:
    """One parameter's gradient on both sides.

    Attributes:
        name: of the parameter.
        actual: the numbers in question.
        expected: PyTorch's.
        allowed: the largest allowed difference of each entry, of the shape of ``expected``.
    """

    name: str
    actual: Array
    expected: Array
    allowed: Array

    @cached_property
    def wrong(self) -> bool:
        return not remaining(self.actual, self.expected, self.allowed) <= 1

    @cached_property
    def finite(self) -> bool:
        return bool(np.isfinite(self.actual).all() and np.isfinite(self.expected).all())

    @property
    def same_shape(self) -> bool:
        return self.actual.shape == self.expected.shape

    def is_times(self, factor: float) -> bool:
        """Whether it is PyTorch's times a constant."""
        allowed = max(1.0, abs(factor)) * self.allowed
        return self.same_shape and remaining(self.actual, factor * self.expected, allowed) <= 1

    @cached_property
    def unexplained(self) -> Array:
        """What a cause has to explain: the difference, or all of it if the shapes differ."""
        return np.asarray(self.actual - self.expected if self.same_shape else self.actual)


def digits(size: Array, allowed: Array) -> Array:
    """How many decimal digits each entry tells, from 0 to 16, flat: log10 of ``|size| / allowed``.

    A cause that has nothing to do with an entry that is off by ``size`` would explain it to within
    what is allowed with a chance of about 10 to minus that.
    """
    ratio = np.abs(size) / allowed
    known = np.clip(np.nan_to_num(ratio, nan=1, posinf=_MOST), 1, _MOST)
    return np.asarray(np.log10(known).ravel())


def remaining(actual: Array, predicted: Array, allowed: Array) -> float:
    """The largest ``|actual − predicted|`` over what is allowed; infinite if it cannot be told."""
    if actual.shape != predicted.shape:
        return np.inf
    error = np.abs(actual - predicted)
    ratio = np.where(error == 0, 0, error / allowed)
    largest = float(ratio.max(initial=0))
    return np.inf if np.isnan(largest) else largest


def rounding(predicted: Array) -> Array:
    """How far the one operation of a prediction may round."""
    return np.asarray(np.abs(predicted) * np.finfo(predicted.dtype).eps)


def gradients(
    actual: Mapping[str, Array], expected: Mapping[str, Array], allowed: Mapping[str, Array]
) -> list[Gradient]:
    """The gradients that both sides have, in double precision at least, in PyTorch's order."""
    found = []
    for name in (name for name in expected if name in actual):
        a, e = _wide(actual[name]), _wide(expected[name])
        found.append(Gradient(name, a, e, np.broadcast_to(_wide(allowed[name]), e.shape)))
    return found


def wrong_names(every: Sequence[Gradient]) -> tuple[str, ...]:
    """The names of the wrong ones."""
    return tuple(gradient.name for gradient in every if gradient.wrong)


def _wide(array: Array) -> Array:
    array = np.asarray(array)
    wide: Array = array.astype(np.result_type(array.dtype, np.float64))
    return wide
