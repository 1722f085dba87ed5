"""Two views of rounding errors: how far they probably go, and how far they can go at most."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Error: TypeAlias = Array | float


@lru_cache
def unit_roundoff(dtype: np.dtype[Any]) -> float:
    """The largest relative error of one correctly rounded operation: half an ulp of 1.

    Whole numbers are exact.
    """
    return float(np.finfo(dtype).eps) / 2 if dtype.kind in "fc" else 0.0


@lru_cache
def smallest_normal(dtype: np.dtype[Any]) -> float:
    """Below this, relative accuracy is lost, and some libraries give 0 at once."""
    return float(np.finfo(dtype).smallest_normal) if dtype.kind in "fc" else 0.0


class Model:
    """How the errors of several sources make one, and how large a single one is.

    Args:
        reach: how many times its error a difference may be off for the other side of a kink to
            be right as well.

    Attributes:
        spread: size of the error of one rounding, in units of the largest possible one.
    """

    name: ClassVar[str]
    spread: ClassVar[float]

    def __init__(self, reach: float) -> None:
        self.reach = reach

    def combine(self, *errors: Error) -> Array:
        """The error of a sum of independent errors."""
        raise NotImplementedError

    def jump(self, size: Array) -> Array:
        """The error of not knowing whether something of this size is there or not."""
        raise NotImplementedError

    def rounding(self, out: Array, ulps: float = 0.5) -> Array:
        """The error of rounding a result, which is off by at most so many ulp."""
        size = np.abs(out)
        error = size * (2 * ulps * self.spread * unit_roundoff(out.dtype))
        small = size < smallest_normal(out.dtype)
        if small.any():
            error = np.where(small, smallest_normal(out.dtype), error)
        return np.asarray(error, np.float64)

    def inner(self, x: Array, y: Array, x_error: Error, y_error: Error, out: Array) -> Array:
        """The error of ``x @ y``, rounded after each multiplication and addition."""
        raise NotImplementedError

    def total(self, x: Array, x_error: Error, out: Array, axis: tuple[int, ...]) -> Array:
        """The error of ``x.sum(axis, keepdims=True)``; ``out`` is that sum."""
        raise NotImplementedError

    def interleaved(self, x: Array, terms: int, dtype: np.dtype[Any]) -> Array:
        """The error of adding ``terms`` numbers to ``x`` that hardly change it, one by one."""
        raise NotImplementedError


class Statistical(Model):
    """Standard deviations: rounding errors as independent random numbers with mean zero.

    One rounding is uniform within ±u, relative to its result, so its standard deviation is
    u/√3. Independent errors add in quadrature.

    An inner product of n terms rounds n products and n − 1 partial sums. With terms of random
    sign the partial sums grow like a random walk, with terms of one sign like a straight line to
    the result s; taken together::

        variance = u²/3 · ( (n+1)/2 · Σ tᵢ²  +  (n−1)/3 · s² )

    Source:
        Higham and Mary, A new approach to probabilistic rounding error analysis, SIAM J. Sci.
        Comput. 41 (2019); Ipsen and Zhou, arXiv 1906.10465.
    """

    name = "statistical"
    spread = 1 / math.sqrt(3)

    def combine(self, *errors: Error) -> Array:
        total, *rest = [error for error in errors if not _zero(error)] or [0.0]
        for error in rest:
            total = np.hypot(total, error)
        return np.asarray(total, np.float64)

    def jump(self, size: Array) -> Array:
        return size / self.reach

    def inner(self, x: Array, y: Array, x_error: Error, y_error: Error, out: Array) -> Array:
        n = x.shape[-1]
        unit = self.spread * unit_roundoff(out.dtype)
        x_scale, y_scale = _scale(x), _scale(y)
        xx, yy = _squares(x, x_scale), _squares(y, y_scale)
        left = xx * (unit * unit * (n + 1) / 2)
        if not _zero(x_error):
            left = left + _squares(x_error, x_scale)
        variance = left @ yy
        if not _zero(y_error):
            variance = variance + (xx + left) @ _squares(y_error, y_scale)
        error = np.sqrt(variance) * (x_scale * y_scale)
        straight = np.abs(out) * (unit * math.sqrt((n - 1) / 3))
        return np.asarray(np.hypot(error, straight))

    def total(self, x: Array, x_error: Error, out: Array, axis: tuple[int, ...]) -> Array:
        n = x.size // max(out.size, 1)
        unit = self.spread * unit_roundoff(out.dtype)
        scale = _scale(x)
        variance = _squares(x, scale) * (unit * unit * (n - 1) / 2)
        if not _zero(x_error):
            variance = variance + _squares(x_error, scale)
        error = np.sqrt(variance.sum(axis=axis, keepdims=True)) * scale
        straight = np.abs(out) * (unit * math.sqrt((n - 1) / 3))
        return np.asarray(np.hypot(error, straight))

    def interleaved(self, x: Array, terms: int, dtype: np.dtype[Any]) -> Array:
        return np.abs(x) * (math.sqrt(terms) * self.spread * unit_roundoff(dtype))


class Rigorous(Model):
    """Bounds: each rounding as large as it can be, and all of them in the worst direction.

    With γₙ = n·u/(1 − n·u), an inner product of n terms in any order of summation is off by at
    most γₙ Σ |tᵢ|.

    Source:
        Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), equation (3.5).
    """

    name = "rigorous"
    spread = 1.0

    def combine(self, *errors: Error) -> Array:
        return np.asarray(sum(errors), np.float64)

    def jump(self, size: Array) -> Array:
        return size

    def inner(self, x: Array, y: Array, x_error: Error, y_error: Error, out: Array) -> Array:
        n = x.shape[-1]
        xx, yy = np.abs(x).astype(np.float64), np.abs(y).astype(np.float64)
        bound = (xx * _gamma(n, out.dtype) + x_error) @ yy
        if not _zero(y_error):
            bound = bound + (xx + x_error) @ np.broadcast_to(y_error, y.shape)
        return bound

    def total(self, x: Array, x_error: Error, out: Array, axis: tuple[int, ...]) -> Array:
        n = x.size // max(out.size, 1)
        bound = np.abs(x).astype(np.float64) * _gamma(n - 1, out.dtype) + x_error
        return np.asarray(bound.sum(axis=axis, keepdims=True))

    def interleaved(self, x: Array, terms: int, dtype: np.dtype[Any]) -> Array:
        return np.abs(x) * _gamma(terms, dtype)


def _gamma(n: int, dtype: np.dtype[Any]) -> float:
    nu = n * unit_roundoff(dtype)
    return nu / (1 - nu) if nu < 1 else math.inf


def _zero(error: Error) -> bool:
    return isinstance(error, float) and error == 0


def _scale(x: Array) -> float:
    """A power of two near the largest entry, so that its square neither over- nor underflows."""
    largest = float(np.abs(x).max(initial=0))
    return 2.0 ** (math.frexp(largest)[1] - 1) if 0 < largest < math.inf else 1.0


def _squares(x: Error, scale: float) -> Array:
    scaled = np.asarray(x, np.float64) / scale
    return np.asarray(scaled * scaled)
