"""Faults of clipping and of accumulating gradients: of functions, not of classes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import numpy as np

from compare.faults.fault import Changes
from compare.faults.table import Right, Row, faults
from reference import Array, Params, clip_grad_norm, clip_grad_value, mean_gradients, sum_gradients
from reference.optim import total_norm

ABOVE = "a norm above the limit"
CLIP = "c = min(1, max_norm / (‖g‖ + 1e-6)), g ← c g for all tensors, ‖g‖ the norm of them all"


def _instead(function: Callable[..., Any]) -> Changes:
    return {"__call__": lambda right: function}


def _clipped(coefficient: Callable[[Params, float], Array]) -> Changes:
    """Every gradient times ``coefficient(grads, max_norm)``."""

    def clip(grads: Params, max_norm: float, *rest: Any, **told: Any) -> tuple[Params, Array]:
        c = coefficient(grads, max_norm)
        return {name: c * g for name, g in grads.items()}, total_norm(grads)

    return _instead(clip)


def _by_entry(function: Callable[[Array, float], Array]) -> Changes:
    """Every gradient as ``function(g, limit)``."""
    return _instead(lambda grads, limit: {name: function(g, limit) for name, g in grads.items()})


def _limited(norm: Array, max_norm: float) -> Any:
    return np.minimum(max_norm / (norm + 1e-6), 1.0)


def _per_tensor(grads: Params, max_norm: float, *rest: Any, **told: Any) -> tuple[Params, Array]:
    each = {name: clip_grad_norm({name: g}, max_norm)[0][name] for name, g in grads.items()}
    return each, total_norm(grads)


def _by_value(grads: Params, max_norm: float, *rest: Any, **told: Any) -> tuple[Params, Array]:
    return clip_grad_value(grads, max_norm), total_norm(grads)


def _lengthened(grads: Params, limit: float) -> Array:
    return limit / (total_norm(grads) + 1e-6)


def _by_largest(grads: Params, limit: float) -> Any:
    return _limited(total_norm(grads, float("inf")), limit)


def _always_two(grads: Params, max_norm: float, *rest: Any, **told: Any) -> Any:
    return clip_grad_norm(grads, max_norm)


def _norms_summed(grads: Params) -> Array:
    return reduce(operator.add, (total_norm({name: g}) for name, g in grads.items()))


def _matrices(grads: Params) -> Params:
    return {name: g for name, g in grads.items() if g.ndim > 1}


def _equal_weights(parts: Iterable[tuple[int, Params]]) -> Params:
    return mean_gradients((1, g) for _, g in parts)


def _means_summed(parts: Iterable[tuple[int, Params]]) -> Params:
    return sum_gradients(g for _, g in parts)


def _last(parts: Iterable[Any]) -> Any:
    *_, last = parts
    return last[1] if isinstance(last, tuple) else last


def _divided_twice(parts: Iterable[tuple[int, Params]]) -> Params:
    each = [*parts]
    return {name: g / len(each) for name, g in mean_gradients(each).items()}


WEIGHTS = "Σᵢ (nᵢ / N) gᵢ"


def _by_root_mean_square(grads: Params, limit: float) -> Any:
    return _limited(total_norm(grads) / sum(g.size for g in grads.values()) ** 0.5, limit)


CLIPPING = faults(
    "clip_grad_norm", Right(CLIP),
    Row("short gradients lengthened", "every gradient is scaled to the limit, also one below it",
        "gradient", _clipped(_lengthened), needs=f"{ABOVE}, or below it"),
    Row("each tensor by itself", "each tensor is clipped by its own norm", "gradient",
        _instead(_per_tensor), needs=f"{ABOVE}, two tensors"),
    Row("by value", "each entry is cut at the limit", "gradient",
        _instead(_by_value), needs=ABOVE),
    Row("eps missing", "the coefficient is max_norm / ‖g‖", "gradient",
        _clipped(lambda grads, limit: np.minimum(limit / total_norm(grads), 1.0)),
        needs=f"{ABOVE}, a small one where precision is low"),
    Row("root of the norm missing", "the sum of squares is taken for the norm", "gradient",
        _clipped(lambda grads, limit: _limited(total_norm(grads) * total_norm(grads), limit)),
        needs=ABOVE),
    Row("norms of the tensors summed", "the norms of the tensors are added, not their squares",
        "gradient", _clipped(lambda grads, limit: _limited(_norms_summed(grads), limit)),
        needs=f"{ABOVE}, two tensors"),
    Row("largest entry for the norm", "the coefficient is made of the largest entry", "gradient",
        _clipped(_by_largest), needs=ABOVE),
    Row("norm_type ignored", "whatever norm is asked for, it is the root of the sum of squares",
        "gradient", _instead(_always_two), needs=f"{ABOVE}, another norm than that"),
    Row("biases left out of the norm", "the norm is that of the matrices", "gradient",
        _clipped(lambda grads, limit: _limited(total_norm(_matrices(grads)), limit)),
        needs=f"{ABOVE}, a bias"),
    Row("root mean square for the norm", "the norm is divided by the root of the number of entries",
        "gradient", _clipped(_by_root_mean_square), needs=ABOVE),
    Row("not clipped", "the norm is computed, and the gradients used as they were", "gradient",
        _clipped(lambda grads, limit: np.minimum(total_norm(grads) * 0 + 1.0, 1.0)), needs=ABOVE),
    "clip_grad_value", Right("g ← min(max(g, −limit), limit), entry by entry"),
    Row("above only", "large negative entries stay", "gradient",
        _by_entry(lambda g, limit: np.minimum(g, limit)), needs="an entry above the limit"),
    Row("negative entries cut at 0", "entries are cut to 0 … limit", "gradient",
        _by_entry(lambda g, limit: np.minimum(np.maximum(g, 0), limit)),
        needs="an entry above the limit"),
    Row("zero beyond the limit", "entries beyond the limit become 0", "gradient",
        _by_entry(lambda g, limit: np.where(np.abs(g) > limit, 0 * g, g)),
        needs="an entry above the limit"),
    Row("by norm", "the tensor is scaled to have at most this norm", "gradient",
        _by_entry(lambda g, limit: clip_grad_norm({"": g}, limit)[0][""]),
        needs="an entry above the limit"),
)  # fmt: skip

ACCUMULATION = faults(
    "mean_gradients", Right(WEIGHTS),
    Row("equal weights", "micro-batches count alike, whatever their size", "gradient",
        _instead(_equal_weights), needs="micro-batches of different sizes"),
    Row("summed", "the gradients of the micro-batches' means are added", "gradient",
        _instead(_means_summed), needs="more than one micro-batch"),
    Row("last micro-batch only", "each micro-batch overwrites the gradient of the one before",
        "gradient", _instead(_last), needs="more than one micro-batch"),
    Row("divided twice", "the mean over samples is divided by the number of micro-batches again",
        "gradient", _instead(_divided_twice), needs="more than one micro-batch"),
    "sum_gradients", Right("Σᵢ gᵢ"),
    Row("last micro-batch only", "each micro-batch overwrites the gradient of the one before",
        "gradient", _instead(_last), needs="more than one micro-batch"),
)  # fmt: skip
