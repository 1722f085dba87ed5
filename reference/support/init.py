"""First weights. Always drawn in float64, in ``state_dict`` order, then rounded to the dtype.

One seed therefore gives the same network in every precision, up to rounding. Buffers, such as
running statistics, are not drawn: they start as PyTorch's do, whatever the weights are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.module import Module, Params


def uniform(network: Module, rng: np.random.Generator) -> Params:
    """Every parameter uniform in [0, 1)."""
    drawn = {name: rng.random(shape) for name, shape in network.parameter_shapes().items()}
    return drawn | first_buffers(network)


def ones(network: Module, rng: np.random.Generator) -> Params:
    """Every parameter 1; for networks so small that the start is part of the example."""
    made = {name: np.ones(shape) for name, shape in network.parameter_shapes().items()}
    return made | first_buffers(network)


def default(network: Module, rng: np.random.Generator) -> Params:
    """Each layer's own distribution, the one ``torch.nn`` uses by default."""
    return network.init(rng)


def first_buffers(network: Module) -> Params:
    """The buffers before the first pass, which are the same whatever the seed."""
    names = network.buffer_shapes()
    if not names:
        return {}
    start = network.init(np.random.default_rng(0))
    return {name: start[name] for name in names}


INITIALISERS: dict[str, Callable[[Module, np.random.Generator], Params]] = {
    "default": default,
    "ones": ones,
    "uniform": uniform,
}
