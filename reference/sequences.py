"""Sequences as rows: a layer that treats every step alike sees steps and samples as one axis.

A sequence is ``(..., A, N, features)``; the axes before those three are an ensemble of networks. To
a fully connected or a normalising layer a step is just one more sample, so it is handed
``(..., A · N, features)``, and its parameters' gradients then sum over steps and samples at once.
"""

from __future__ import annotations

from reference.module import Array


def as_rows(sequence: Array) -> Array:
    """``(..., A, N, features)`` as ``(..., A · N, features)``; two axes are rows already."""
    if sequence.ndim == 2:
        return sequence
    *ensemble, steps, samples, features = sequence.shape
    return sequence.reshape(*ensemble, steps * samples, features)


def as_sequence(rows: Array, like: Array) -> Array:
    """``(..., A · N, features)`` as ``(..., A, N, features)``, with A and N those of ``like``."""
    if like.ndim == 2:
        return rows
    *ensemble, _, features = rows.shape
    return rows.reshape(*ensemble, *like.shape[-3:-1], features)
