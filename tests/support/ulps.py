"""How many units in the last place the elementary functions are off, measured with mpmath.

``python -m tests.support.ulps`` measures 100,000 points of each, at every level of vectorisation
that this machine offers: the constants in compare/measure/rounding/accuracy.py are its result.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import scipy.special
import torch

from reference import Array

DTYPES = ("float32", "float64")

#: Exponents of ``power``; both libraries have ways of their own for some of them. All of them are
#: float32 numbers: what rounding an exponent does is not the function's fault.
EXPONENTS = (0.5, 2.0, 3.0, -0.5, -1.0, -2.0, 0.25, 0.75, 1.5, 2.25, 10.0)

#: Levels of vectorisation: environment variables that keep NumPy and PyTorch from using more.
LEVELS: dict[str, dict[str, str]] = {
    "all that there is": {},
    "AVX2": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "avx2",
    },
    "none": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "default",
    },
}


@dataclass(frozen=True)
class Function:
    """A function in three libraries.

    Attributes:
        numpy: NumPy's, or SciPy's.
        torch: PyTorch's.
        exact: mpmath's.
        draw: gives so many points for a random generator and a dtype.
    """

    numpy: Callable[[Array], Array] | None
    torch: Callable[[torch.Tensor], torch.Tensor]
    exact: Callable[[Any], Any]
    draw: Callable[[np.random.Generator, int, np.finfo[Any]], Array]


def _sizes(rng: np.random.Generator, count: int, low: float, high: float) -> Array:
    """Evenly spread over the orders of magnitude from ``low`` to ``high``."""
    return np.exp(rng.uniform(math.log(low), math.log(high), count))


def _both_signs(rng: np.random.Generator, sizes: Array) -> Array:
    return np.asarray(np.where(rng.random(sizes.size) < 0.5, -sizes, sizes))


def _between(low: float, high: float) -> Callable[[np.random.Generator, int, Any], Array]:
    """Half spread evenly, half over the orders of magnitude, as far as from ``low`` to ``high``."""

    def draw(rng: np.random.Generator, count: int, info: Any) -> Array:
        start, end = max(low, math.log(info.smallest_normal)), min(high, math.log(info.max))
        small = _both_signs(rng, _sizes(rng, count // 2, float(info.smallest_normal), end))
        return np.concatenate([rng.uniform(start, end, count - count // 2), small])

    return draw


def _around_one(rng: np.random.Generator, count: int, info: Any) -> Array:
    """Positive: all orders of magnitude, and close to 1."""
    near = 1 + _both_signs(rng, _sizes(rng, count // 2, float(info.eps), 0.9))
    return np.concatenate([_all_sizes(rng, count - count // 2, info), near])


def _all_sizes(rng: np.random.Generator, count: int, info: Any) -> Array:
    return _sizes(rng, count, float(info.smallest_normal), 0.99 * float(info.max))


def _above_minus_one(rng: np.random.Generator, count: int, info: Any) -> Array:
    small = _both_signs(rng, _sizes(rng, count // 2, float(info.smallest_normal), 0.9))
    return np.concatenate([_around_one(rng, count - count // 2, info) - 1, small])


def _angles(rng: np.random.Generator, count: int, info: Any) -> Array:
    """Some turns, all orders of magnitude, and as near to the zeros as numbers come."""
    third = count // 3
    zeros = np.pi / 2 * rng.integers(-1000, 1000, third)
    few, any_size = rng.uniform(-10, 10, third), _all_sizes(rng, count - 2 * third, info)
    return np.concatenate([few, _both_signs(rng, any_size), zeros])


def _power(exponent: float) -> Function:
    def draw(rng: np.random.Generator, count: int, info: Any) -> Array:
        high = min(0.99, 0.99 / abs(exponent)) * math.log(info.max)
        return np.exp(rng.uniform(-high, high, count))

    return Function(
        lambda x: np.power(x, exponent),
        lambda x: torch.pow(x, exponent),
        lambda x: mpmath.power(x, mpmath.mpf(exponent)),
        draw,
    )


FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp, torch.exp, mpmath.exp, _between(-math.inf, math.inf)),
    "expm1": Function(np.expm1, torch.expm1, mpmath.expm1, _between(-40, math.inf)),
    "log": Function(np.log, torch.log, mpmath.log, _around_one),
    "log1p": Function(np.log1p, torch.log1p, mpmath.log1p, _above_minus_one),
    "tanh": Function(np.tanh, torch.tanh, mpmath.tanh, _between(-20, 20)),
    "erf": Function(scipy.special.erf, torch.erf, mpmath.erf, _between(-7, 7)),
    "sin": Function(np.sin, torch.sin, mpmath.sin, _angles),
    "cos": Function(np.cos, torch.cos, mpmath.cos, _angles),
    "sigmoid": Function(
        None, torch.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), _between(-math.inf, 40)
    ),
} | {f"power {exponent:.3g}": _power(exponent) for exponent in EXPONENTS}


def points(name: str, dtype: str, count: int, seed: int = 0) -> Array:
    """Where to measure."""
    info = np.finfo(dtype)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(FUNCTIONS[name].draw(rng, count, info).astype(dtype))
    usable = (np.abs(drawn) >= info.smallest_normal) & np.isfinite(drawn)
    return np.asarray(drawn[usable & (drawn != -1)])  # where log1p is infinite


def truth(name: str, x: Array) -> tuple[Array, Array]:
    """The function's value as the sum of two numbers, to more than twice double precision."""
    with mpmath.workprec(160):
        exact = [FUNCTIONS[name].exact(mpmath.mpf(float(one))) for one in x]
        high = [float(value) for value in exact]
        low = [float(value - first) for value, first in zip(exact, high, strict=True)]
    return np.array(high), np.array(low)


def off(y: Array, high: Array, low: Array) -> Array:
    """The error in units in the last place, where the true value is a normal number."""
    info = np.finfo(y.dtype)
    size = np.abs(high)
    normal = (size >= 2 * float(info.smallest_normal)) & (size < float(info.max) / 2)
    _, exponent = np.frexp(size[normal])
    unit = np.ldexp(1.0, exponent - 1 - info.nmant)
    return np.asarray(np.abs((y[normal].astype(np.float64) - high[normal]) - low[normal]) / unit)


def _whole(function: Callable[[Array], Array], x: Array) -> Array:
    """On one long array, as the vectorised loops see it."""
    return function(np.resize(x, max(10_000, x.size)))[: x.size]


def _strided(function: Callable[[Array], Array], x: Array) -> Array:
    """On an array whose numbers are not next to each other."""
    return function(np.repeat(x, 2)[::2])


def _tails(function: Callable[[Array], Array], x: Array) -> Array:
    """On arrays of one, two and three entries, which the vectorised loops do not fill."""
    x = x[:1200]
    cuts = np.cumsum([1, 2, 3] * (x.size // 6))
    return np.concatenate([function(part) for part in np.split(x, cuts) if part.size])


WAYS = {"whole": _whole, "strided": _strided, "tails": _tails}


def measured(name: str, dtype: str, count: int, seed: int = 0) -> dict[str, float]:
    """The largest error in ulp, by library and way of calling it."""
    function, x = FUNCTIONS[name], points(name, dtype, count, seed)
    high, low = truth(name, x)
    found = {}
    for library, compute in (("NumPy", function.numpy), ("PyTorch", _on_arrays(function.torch))):
        for way, call in WAYS.items() if compute else ():
            y = call(compute, x)  # type: ignore[arg-type]
            found[f"{library} {way}"] = float(off(y, high[: y.size], low[: y.size]).max(initial=0))
    return found


def _on_arrays(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Array], Array]:
    def compute(x: Array) -> Array:
        result: Array = function(torch.from_numpy(x)).numpy()
        return result

    return compute


def _show(count: int) -> None:
    for name in FUNCTIONS:
        for dtype in DTYPES:
            found = measured(name, dtype, count, seed=1)
            told = ", ".join(f"{way} {ulps:.3f}" for way, ulps in found.items())
            print(f"{name:12} {dtype} {max(found.values()):.3f}   {told}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _show(int(sys.argv[1]))
    else:
        for level, variables in LEVELS.items():
            print(level, flush=True)
            command = [sys.executable, "-m", "tests.support.ulps", "100000"]
            subprocess.run(command, env=os.environ | variables, check=True)
