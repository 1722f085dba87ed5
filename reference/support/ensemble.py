"""Leading axes: which are a batch of samples and which an ensemble of networks.

A parameter may have axes E before its natural ones; they are an ensemble, several networks that
compute side by side. An input x has axes before its features, too. If they are more than the
ensemble has, the first of them are the ensemble's and the rest is the batch. Otherwise the last
one is the batch and those before it broadcast against E; if there are none before it, all networks
share the same x::

    weight (out, in)       x (A, B, in)       batch (A, B)
    weight (E, out, in)    x (N, in)          batch (N), one x for all networks
    weight (E, out, in)    x (E, A, B, in)    batch (A, B), one x for each network

The gradient of a parameter is summed over the batch, and has the parameter's shape. Each network
has a loss of its own, so each has its own ``dx``, also where they share their x.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from reference.module import Array, Shapes


def ensemble_rank(params: Mapping[str, Array], shapes: Shapes) -> int:
    """How many axes the parameters have before those that ``shapes`` gives them."""
    return max((params[name].ndim - len(shape) for name, shape in shapes.items()), default=0)


def batch_rank(leading: int, ensemble: int) -> int:
    """How many of an input's ``leading`` axes are the batch; those before it are networks."""
    return leading - ensemble if leading > ensemble else min(leading, 1)


def align(p: Array, natural: int, before: int, after: int = 0) -> Array:
    """Insert singleton axes around a parameter's ``natural`` last ones, so that it broadcasts."""
    split = p.ndim - natural
    return p.reshape(*p.shape[:split], *(1,) * before, *p.shape[split:], *(1,) * after)


def rows(x: Array, batch: tuple[int, ...]) -> Array:
    """Lay the batch, which is followed by one axis of features, out as one axis."""
    if len(batch) == 1:
        return x
    leading = x.shape[: x.ndim - 1 - len(batch)]
    return x.reshape(*leading, math.prod(batch), x.shape[-1])


def unrows(x: Array, batch: tuple[int, ...]) -> Array:
    """Give the batch its own axes back."""
    return x if len(batch) == 1 else x.reshape(*x.shape[:-2], *batch, x.shape[-1])


def summed_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which an array of that shape was broadcast.

    What is used several times receives the gradients of all its uses.
    """
    if gradient.shape == shape:
        return gradient
    missing = gradient.ndim - len(shape)
    repeated = tuple(
        missing + axis
        for axis, size in enumerate(shape)
        if size == 1 and gradient.shape[missing + axis] != 1
    )
    axes = (*range(missing), *repeated)
    total: Array = gradient.sum(axis=axes).reshape(shape)
    return total
