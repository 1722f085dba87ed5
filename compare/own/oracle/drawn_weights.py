"""Weights to compare at, besides the user's own.

Where a network starts, faults may hide: with γ = 1 a dropped γ, with zero biases whatever
multiplies them, with tiny weights the derivative of the activation, then the same for all units.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from compare.base.quantities import Array


def draw(values: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """Weights away from special starts, in the same shapes and dtypes.

    Matrices are drawn anew, normal with a variance of one over the mean of their last two axes, so
    that activations neither vanish nor saturate. Vectors, such as biases and γ, and numbers keep
    their values, up to a change between 0.1 and 0.6 in size in either direction.

    Args:
        values: the user's own weights.
        seed: of the drawing.
    """
    return {name: _one(value, _generator(name, seed)) for name, value in values.items()}


def _generator(name: str, seed: int) -> np.random.Generator:
    """The same numbers for a name whatever other parameters there are."""
    return np.random.default_rng((seed, zlib.crc32(name.encode("utf-8", "surrogatepass"))))


def _one(value: Array, rng: np.random.Generator) -> Array:
    axes = [length for length in value.shape if length > 1]
    if len(axes) > 1:
        scale = 1 / np.sqrt(np.mean(axes[-2:]) * max(1, np.prod(axes[2:])) ** 0.5)
        drawn = rng.standard_normal(value.shape) * scale
    else:
        step = rng.uniform(0.1, 0.6, value.shape) * rng.choice([-1.0, 1.0], value.shape)
        drawn = value + step
    return np.asarray(drawn, value.dtype)
