"""First weights. Always drawn in float64, in ``state_dict`` order, then rounded to the dtype.

One seed therefore gives the same network in every precision, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.module import Module, Params


def uniform(network: Module, rng: np.random.Generator) -> Params:
    """Every parameter uniform in [0, 1)."""
    return {name: rng.random(shape) for name, shape in network.parameter_shapes().items()}


def ones(network: Module, rng: np.random.Generator) -> Params:
    """Every parameter 1; for networks so small that the start is part of the example."""
    return {name: np.ones(shape) for name, shape in network.parameter_shapes().items()}


def default(network: Module, rng: np.random.Generator) -> Params:
    """Each layer's own distribution, the one ``torch.nn`` uses by default."""
    return network.init(rng)


INITIALISERS: dict[str, Callable[[Module, np.random.Generator], Params]] = {
    "default": default,
    "ones": ones,
    "uniform": uniform,
}
