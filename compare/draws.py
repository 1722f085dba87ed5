"""Drawing the inputs of a comparison: each kind with what makes faults show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.entries.entry import Draw
from compare.observation import Array

#: Numbers at which something overflows, underflows or cancels in a careless formula.
EXTREMES = (-1e3, -50.0, -1e-30, 0.0, 1e-30, 50.0, 1e3)

#: Probabilities that are nearly 0 and 1, where a guard of a logarithm shows.
CERTAIN = (1e-9, 1e-6, 1e-3, 0.999, 0.999999)

#: What PyTorch takes for no class.
IGNORED = -100


def draw(one: Any, rng: np.random.Generator, dtype: str) -> Any:
    """An array for a draw, a tuple of arrays for a tuple of draws; anything else as it is."""
    if isinstance(one, tuple):
        return tuple(draw(part, rng, dtype) for part in one)
    if not isinstance(one, Draw):
        return one
    array = np.asarray(KINDS[one.kind](rng, one))
    return array.astype(dtype) if array.dtype.kind == "f" else array


def _normal(rng: np.random.Generator, one: Draw) -> Array:
    return np.asarray(one.scale * rng.standard_normal(one.shape))


def _zeros(rng: np.random.Generator, one: Draw) -> Array:
    """A third of the entries exactly 0."""
    return _normal(rng, one) * (rng.random(one.shape) > 1 / 3)


def _ties(rng: np.random.Generator, one: Draw) -> Array:
    """Few different numbers, the corners of piecewise functions among them."""
    return rng.choice([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0], one.shape)


def _extreme(rng: np.random.Generator, one: Draw) -> Array:
    """Every other entry, on the average, an extreme one; one of each where there is room."""
    array = np.where(
        rng.random(one.shape) < 0.5, rng.choice(EXTREMES, one.shape), _normal(rng, one)
    )
    flat = array.reshape(-1)
    flat[: len(EXTREMES)] = EXTREMES[: flat.size]
    return flat.reshape(one.shape)


def _index(rng: np.random.Generator, one: Draw) -> Array:
    return np.asarray(rng.integers(0, one.count, one.shape))


def _some_ignored(rng: np.random.Generator, one: Draw) -> Array:
    """Class indices, some of them no class; the first always is one."""
    ignored = rng.random(one.shape) < 0.4
    ignored.reshape(-1)[0] = False
    return np.where(ignored, IGNORED, _index(rng, one))


def _distribution(rng: np.random.Generator, one: Draw) -> Array:
    raw = rng.uniform(0.1, 1, one.shape)
    return np.asarray(raw / raw.sum(axis=one.axis, keepdims=True))


def _zeros_distribution(rng: np.random.Generator, one: Draw) -> Array:
    """The first entry, and no other for certain, is 0."""
    raw = rng.uniform(0.1, 1, one.shape)
    raw[..., 0] = 0
    return np.asarray(raw / raw.sum(axis=one.axis, keepdims=True))


def _padding(rng: np.random.Generator, one: Draw) -> Array:
    """Truth values, true where hidden; never a whole row."""
    hidden = rng.random(one.shape) < 0.5
    hidden[..., 0] = False
    hidden[0, -1] = True
    return hidden


def _causal(rng: np.random.Generator, one: Draw) -> Array:
    return np.triu(np.ones(one.shape, bool), 1)


KINDS: dict[str, Callable[[np.random.Generator, Draw], Array]] = {
    "normal": _normal,
    "zeros": _zeros,
    "ties": _ties,
    "extreme": _extreme,
    "index": _index,
    "some ignored": _some_ignored,
    "positive": lambda rng, one: rng.uniform(0.2, 2.0, one.shape),
    "unit": lambda rng, one: rng.uniform(0.02, 0.98, one.shape),
    "certain": lambda rng, one: rng.choice(CERTAIN, one.shape),
    "sign": lambda rng, one: rng.choice([-1.0, 1.0], one.shape),
    "count": lambda rng, one: rng.poisson(2.0, one.shape).astype(float),
    "distribution": _distribution,
    "log-distribution": lambda rng, one: np.log(_distribution(rng, one)),
    "zeros distribution": _zeros_distribution,
    "padding": _padding,
    "causal": _causal,
}
