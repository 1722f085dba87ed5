"""The axes of a sequence: as the caller holds them, and as the layers want them.

A sequence is ``(..., T, N, features)``; the axes before those three are an ensemble of networks. To
a fully connected or a normalising layer a step is just one more sample, so it is handed rows,
``(..., T · N, features)``, and its parameters' gradients then sum over steps and samples at once.
"""

from __future__ import annotations

from typing import Any

from reference.module import Array, Module, Params


def as_rows(sequence: Array) -> Array:
    """``(..., T, N, features)`` as ``(..., T · N, features)``."""
    *ensemble, steps, samples, features = sequence.shape
    return sequence.reshape(*ensemble, steps * samples, features)


def as_sequence(rows: Array, like: Array) -> Array:
    """``(..., T · N, features)`` as ``(..., T, N, features)``, with T and N those of ``like``."""
    *ensemble, _, features = rows.shape
    return rows.reshape(*ensemble, *like.shape[-3:-1], features)


def each_step(layer: Module, params: Params, x: Array) -> tuple[Array, Any]:
    """Apply a layer of rows to a sequence, all steps alike; gives y and the layer's cache."""
    rows, cache = layer.forward(params, as_rows(x))
    return as_sequence(rows, like=x), cache


def each_step_backward(
    layer: Module, params: Params, cache: Any, dy: Array
) -> tuple[Array, Params]:
    """Carry the gradient back through :func:`each_step`."""
    rows, grads = layer.backward(params, cache, as_rows(dy))
    return as_sequence(rows, like=dy), grads


def time_first(x: Array, batch_first: bool, alone: bool) -> Array:
    """What the caller holds as ``(..., T, N, features)``.

    Args:
        x: ``(..., T, N, features)``, or ``(..., N, T, features)`` with batch_first.
        batch_first: which of the two.
        alone: whether it is one sample instead, without the axis N.
    """
    if alone:
        return x[..., None, :]
    return x.swapaxes(-3, -2) if batch_first else x


def as_given(y: Array, batch_first: bool, alone: bool) -> Array:
    """The inverse of :func:`time_first`."""
    if alone:
        return y[..., 0, :]
    return y.swapaxes(-3, -2) if batch_first else y
