"""Drawing the inputs of a comparison: each kind with what makes faults show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from compare.base.quantities import Array
from compare.catalogue.entries.entry import Draw

#: Numbers at which something overflows, underflows or cancels in a careless formula.
EXTREMES = (-1e3, -50.0, -1e-30, 0.0, 1e-30, 50.0, 1e3)

#: Where piecewise functions have their corners, with both zeros.
CORNERS = (
    -3.0, -1.0, -0.5, -0.25, -0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 20.0, 25.0,
)  # fmt: skip

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
    """A third of the entries exactly 0, some of them −0, and always the first."""
    array = _normal(rng, one) * (rng.random(one.shape) > 1 / 3)
    array.reshape(-1)[0] = 0.0
    return array


def _ties(rng: np.random.Generator, one: Draw) -> Array:
    """Few different numbers: corners of piecewise functions, or those that are given."""
    return _each(rng, one.values or CORNERS, one.shape)


def _given(rng: np.random.Generator, one: Draw) -> Array:
    """The numbers that are given, over and over."""
    return np.resize(one.values, one.shape)


def _equal(rng: np.random.Generator, one: Draw) -> Array:
    """The first row and the first column of the first two axes are the same number throughout."""
    array = _normal(rng, one)
    array[0] = array[:, 0] = 0.5
    return array


def _extreme(rng: np.random.Generator, one: Draw) -> Array:
    """Every other entry, on the average, an extreme one; one of each where there is room."""
    array = np.where(
        rng.random(one.shape) < 0.5, rng.choice(EXTREMES, one.shape), _normal(rng, one)
    )
    flat = array.reshape(-1)
    flat[: len(EXTREMES)] = EXTREMES[: flat.size]
    return flat.reshape(one.shape)


def _index(rng: np.random.Generator, one: Draw) -> Array:
    """Indices, each of them where there is room; where there is more room, some are repeated."""
    return _each(rng, range(one.count), one.shape)


def _some_ignored(rng: np.random.Generator, one: Draw) -> Array:
    """Class indices, some of them no class; the first always is one, the last never."""
    ignored = rng.random(one.shape) < 0.4
    ignored.reshape(-1)[0], ignored.reshape(-1)[-1] = False, True
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


def _causal_added(rng: np.random.Generator, one: Draw) -> Array:
    """What is added to scores; −∞ where a step is hidden from those before it."""
    return np.where(_causal(rng, one), -np.inf, _normal(rng, one))


def _blind(rng: np.random.Generator, one: Draw) -> Array:
    """Truth values, true where hidden; the first row sees nothing, the others not everything."""
    hidden = _padding(rng, one)
    hidden[..., 0, :] = True
    return hidden


def _seen(rng: np.random.Generator, one: Draw) -> Array:
    """Truth values, true where seen; the first row sees nothing, the others not everything."""
    return ~_blind(rng, one)


def _far(rng: np.random.Generator, one: Draw) -> Array:
    """Numbers around 100, so that products are large but alike; the last are ten times as large."""
    array = 100 + _normal(rng, one)
    array[-1] *= 10
    return array


def _last(rng: np.random.Generator, one: Draw) -> Array:
    """Truth values, true where hidden: the last of each row."""
    hidden = np.zeros(one.shape, bool)
    hidden[..., -1] = True
    return hidden


def _each(rng: np.random.Generator, values: Sequence[float], shape: tuple[int, ...]) -> Array:
    """Each of the values where there is room, then any of them; in any order."""
    room = math.prod(shape)
    drawn = [*values, *rng.choice(values, max(room - len(values), 0))]
    return rng.permutation(np.array(drawn))[:room].reshape(shape)


KINDS: dict[str, Callable[[np.random.Generator, Draw], Array]] = {
    "normal": _normal,
    "zeros": _zeros,
    "ties": _ties,
    "given": _given,
    "equal": _equal,
    "extreme": _extreme,
    "index": _index,
    "some ignored": _some_ignored,
    "positive": lambda rng, one: rng.uniform(0.2, 2.0, one.shape),
    "unit": lambda rng, one: rng.uniform(0.02, 0.98, one.shape),
    "certain": lambda rng, one: _each(rng, CERTAIN, one.shape),
    "sign": lambda rng, one: _each(rng, (-1.0, 1.0), one.shape),
    "count": lambda rng, one: _each(rng, (0.0, 1.0, 2.0, 3.0, 7.0), one.shape),
    "distribution": _distribution,
    "log-distribution": lambda rng, one: np.log(_distribution(rng, one)),
    "zeros distribution": _zeros_distribution,
    "padding": _padding,
    "causal": _causal,
    "causal added": _causal_added,
    "blind": _blind,
    "seen": _seen,
    "far": _far,
    "last": _last,
}
