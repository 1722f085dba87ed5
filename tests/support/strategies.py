"""What hypothesis draws from: shapes, dtypes and random generators."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from reference import Array, Module, Params

DTYPES = ("float32", "float64", "longdouble")

lengths = st.integers(1, 4)
dtypes = st.sampled_from(DTYPES).map(np.dtype)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)

#: Leading axes of parameters and of inputs that broadcast against each other.
leading_axes: st.SearchStrategy[tuple[tuple[int, ...], tuple[int, ...]]] = st.sampled_from(
    [
        ((), ()),
        ((3,), ()),
        ((), (3,)),
        ((3,), (3,)),
        ((1,), (3,)),
        ((3,), (1,)),
        ((2, 3), ()),
        ((2, 3), (2, 3)),
        ((2, 1), (1, 3)),
    ]
)


def draw_params(
    module: Module,
    rng: np.random.Generator,
    leading: tuple[int, ...] = (),
    dtype: np.dtype[Any] = np.dtype(np.float64),  # noqa: B008
) -> Params:
    """Parameters of order 1, so that no derivative is hidden by small weights."""
    shapes = module.parameter_shapes()
    return {name: rng.normal(size=leading + shape).astype(dtype) for name, shape in shapes.items()}


def frozen(array: Array) -> Array:
    """The array, made read-only: writing to it raises."""
    array.flags.writeable = False
    return array


def scattered(array: Array) -> Array:
    """The same numbers, apart and in reverse in memory, so that no axis is contiguous."""
    wide = np.repeat(np.repeat(array, 2, axis=-1), 3, axis=-2)[..., ::-3, ::-2]
    result: Array = wide[..., ::-1, ::-1]
    return result
