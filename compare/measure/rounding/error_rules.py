"""How each elementwise operation passes on the errors of what it is given.

A rule gets the model of errors, the result, the arguments' numbers and their errors, and
gives the error of the result: what comes in through each argument, by the mean value theorem at
most its error times the steepest slope within it, and the rounding of the result itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from compare.measure.rounding.accuracy import ULPS
from compare.measure.rounding.error_models import Array, Error, Model

Rule: TypeAlias = Callable[[Model, Array, tuple[Array, ...], tuple[Error, ...]], Array]


def _add(model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]) -> Array:
    rounding = _exact_zeros(model.rounding(out), out)
    if not np.isfinite(rounding).all():  # infinity, plus or minus anything, is just that
        rounding = np.where(np.isinf(out), 0.0, rounding)
    return model.combine(*errors, rounding)


def _multiply(
    model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]
) -> Array:
    (a, b), (a_error, b_error) = values, errors
    rounding = model.rounding(out)
    if not out.all():
        rounding = np.where((a == 0) | (b == 0), 0.0, rounding)
    return model.combine(np.abs(b) * a_error, (np.abs(a) + a_error) * b_error, rounding)


def _divide(
    model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]
) -> Array:
    (a, b), (a_error, b_error) = values, errors
    rounding = np.where(a == 0, 0.0, model.rounding(out))
    nearest = np.maximum(np.abs(b) - b_error, 0.0)
    return model.combine(_over(a_error, nearest), _over(np.abs(out) * b_error, nearest), rounding)


def _unchanged(
    model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]
) -> Array:
    return np.broadcast_to(model.combine(*errors), out.shape)


def _larger(
    model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]
) -> Array:
    """Maximum and minimum have the error of the argument taken, or, in doubt, the larger one."""
    (a, b), (a_error, b_error) = values, errors
    taken = np.where(out == a, a_error, b_error)
    doubtful = comparison(model, (a, b), (a_error, b_error))
    return np.asarray(np.where(doubtful, np.maximum(a_error, b_error), taken), np.float64)


def _square(
    model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]
) -> Array:
    (x,), (error,) = values, errors
    rounding = _exact_zeros(model.rounding(out), x)
    return model.combine((2 * np.abs(x) + error) * error, rounding)


def _power(model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]) -> Array:
    """``x ** c``, with slopes ``c xᶜ⁻¹`` and ``xᶜ ln x``.

    A constant that its dtype cannot hold, such as 1/3, counts: some libraries round it, some don't.
    """
    (x, exponent), (error, exponent_error) = values, errors
    size = np.abs(x).astype(np.float64)
    rounding = _exact_zeros(model.rounding(out, ULPS["power"][_real_name(out)]), x)
    nearest = np.where(exponent >= 1, size + error, np.maximum(size - error, 0.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slope = np.abs(exponent) * np.power(nearest, np.subtract(exponent, 1.0))
        flat = np.equal(error, 0) | np.equal(exponent, 0)
        through_x = np.where(flat, 0.0, slope * error)
        along = np.where((x == 0) | np.equal(exponent_error, 0), 0.0, out * np.log(size))
    return model.combine(through_x, np.abs(along) * exponent_error, rounding)


def _function(name: str, slope: Callable[[Array, Error], Array]) -> Rule:
    """The rule of a function of known accuracy, from its steepest slope within x ± error."""

    def rule(
        model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]
    ) -> Array:
        (x,), (error,) = values, errors
        ulps = ULPS[name][_real_name(out)] if name in ULPS else 0.5
        rounding = model.rounding(out, ulps)
        if _keeps_zero(name):
            rounding = _exact_zeros(rounding, x)
        elif name in ("exp", "cos"):  # 1 at 0, exactly, if that 0 has no error
            rounding = np.where((x == 0) & np.equal(error, 0), 0.0, rounding)
        if isinstance(error, float):
            return rounding
        steepest = slope(np.asarray(x, np.float64), error)
        return model.combine(_times(steepest, error), rounding)

    return rule


def _sqrt(model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]) -> Array:
    """``|√(x + d) − √x|`` is at most ``|d| / (2 √(x − |d|))``, and for small x at most ``√|d|``."""
    (x,), (error,) = values, errors
    rounding = _exact_zeros(model.rounding(out), x)
    if isinstance(error, float):
        return rounding
    slope = _over(0.5, np.sqrt(np.maximum(x - error, 0.0)))
    return model.combine(np.minimum(_times(slope, error), np.sqrt(error)), rounding)


def _sign(model: Model, out: Array, values: tuple[Array, ...], errors: tuple[Error, ...]) -> Array:
    """A jump of 1, or of 2 across the corner, where x is as close to 0 as its error."""
    (x,), (error,) = values, errors
    size = np.abs(x)
    doubtful = (size <= model.reach * np.asarray(error)) & (np.asarray(error) > 0)
    return np.where(doubtful, model.jump(1.0 + np.abs(out)), 0.0)


def _real_name(out: Array) -> str:
    return out.dtype.name if out.dtype.name in ("float32", "float64") else "float64"


def _keeps_zero(name: str) -> bool:
    """Whether the function is 0, exactly, at 0."""
    return name in ("tanh", "erf", "expm1", "log1p", "sin")


def _times(slope: Array, error: Error) -> Array:
    """Slope times error, with 0 for an infinite slope where there is no error."""
    with np.errstate(invalid="ignore"):
        return np.where(np.equal(error, 0), 0.0, slope * error)


def _exact_zeros(rounding: Array, x: Array) -> Array:
    """No rounding error where the argument, or the sum, is exactly 0."""
    return rounding if x.all() else np.where(x == 0, 0.0, rounding)


def _over(numerator: Error, denominator: Array) -> Array:
    """The quotient, with 0 for 0/0."""
    if isinstance(numerator, float) and numerator == 0:
        return np.zeros(())
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.equal(numerator, 0), 0.0, numerator / denominator)


def _toward_zero(x: Array, error: Error) -> Array:
    """|x| at the end of x ± error that is nearest to 0."""
    return np.maximum(np.abs(x) - error, 0.0)


RULES: dict[str, Rule] = {
    "add": _add,
    "subtract": _add,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _unchanged,
    "positive": _unchanged,
    "absolute": _unchanged,
    "maximum": _larger,
    "minimum": _larger,
    "square": _square,
    "power": _power,
    "exp": _function("exp", lambda x, e: np.exp(x + e)),
    "expm1": _function("expm1", lambda x, e: np.exp(x + e)),
    "log": _function("log", lambda x, e: _over(1.0, np.maximum(x - e, 0.0))),
    "log1p": _function("log1p", lambda x, e: _over(1.0, np.maximum(1 + x - e, 0.0))),
    "sqrt": _sqrt,
    "sign": _sign,
    "tanh": _function("tanh", lambda x, e: 1 / np.cosh(np.minimum(_toward_zero(x, e), 350)) ** 2),
    "erf": _function(
        "erf", lambda x, e: 2 / math.sqrt(math.pi) * np.exp(-(_toward_zero(x, e) ** 2))
    ),
    "sin": _function("sin", lambda x, e: np.minimum(np.abs(np.cos(x)) + e, 1.0)),
    "cos": _function("cos", lambda x, e: np.minimum(np.abs(np.sin(x)) + e, 1.0)),
}

#: Comparisons: their answer is uncertain where the two numbers are as close as their errors.
COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")

#: Operations on truth values, uncertain where any of the given ones is.
LOGICAL = ("logical_and", "logical_or", "logical_not", "bitwise_and", "bitwise_or", "invert")


def comparison(model: Model, values: tuple[Any, Any], errors: tuple[Error, Error]) -> Array:
    """Where the answer of a comparison is uncertain: within their error, but not exactly equal.

    Two numbers that carry no error are what they are: an exact zero or an exact tie is not a matter
    of rounding, and the convention of the code stands.
    """
    error = np.asarray(model.combine(*errors)) if any(map(_carries, errors)) else np.zeros(())
    near = np.abs(np.subtract(*values)) <= model.reach * error
    return np.asarray(near & (error > 0))


def _carries(error: Error) -> bool:
    return not isinstance(error, float) or error != 0
