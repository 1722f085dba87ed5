"""Faults of clipping and of accumulating gradients: of functions, not of classes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import numpy as np

from compare.faults.fault import Changes, Fault
from reference import Array, Params, clip_grad_norm, clip_grad_value, mean_gradients, sum_gradients
from reference.optim import total_norm

CLIP = "c = min(1, max_norm / (‖g‖ + 1e-6)), g ← c g for all tensors, ‖g‖ the norm of them all"


def _instead(function: Callable[..., Any]) -> Changes:
    return {"__call__": lambda right: function}


def _clipped(coefficient: Callable[[Params, float], Array]) -> Changes:
    """Every gradient times ``coefficient(grads, max_norm)``."""

    def clip(grads: Params, max_norm: float, *rest: Any, **told: Any) -> tuple[Params, Array]:
        c = coefficient(grads, max_norm)
        return {name: c * g for name, g in grads.items()}, total_norm(grads)

    return _instead(clip)


def _limited(norm: Array, max_norm: float) -> Array:
    c: Array = np.minimum(max_norm / (norm + 1e-6), 1.0)
    return c


def _per_tensor(grads: Params, max_norm: float, *rest: Any, **told: Any) -> tuple[Params, Array]:
    each = {name: clip_grad_norm({name: g}, max_norm)[0][name] for name, g in grads.items()}
    return each, total_norm(grads)


def _by_value(grads: Params, max_norm: float, *rest: Any, **told: Any) -> tuple[Params, Array]:
    return clip_grad_value(grads, max_norm), total_norm(grads)


def _norms_summed(grads: Params) -> Array:
    return reduce(operator.add, (total_norm({name: g}) for name, g in grads.items()))


def _matrices(grads: Params) -> Params:
    return {name: g for name, g in grads.items() if g.ndim > 1}


def _norm_fault(what: str, does: str, changes: Changes, needs: str = "") -> Fault:
    needs = "a norm above the limit" + (f", {needs}" if needs else "")
    return Fault(
        f"clip_grad_norm: {what}", does, "clip_grad_norm", changes, "gradient", CLIP, needs
    )


def _value_fault(what: str, does: str, function: Callable[[Array, float], Array]) -> Fault:
    return Fault(
        f"clip_grad_value: {what}",
        does,
        "clip_grad_value",
        _instead(lambda grads, limit: {name: function(g, limit) for name, g in grads.items()}),
        "gradient",
        "g ← min(max(g, −limit), limit), entry by entry",
        "an entry above the limit",
    )


def _equal_weights(parts: Iterable[tuple[int, Params]]) -> Params:
    return mean_gradients((1, g) for _, g in parts)


def _means_summed(parts: Iterable[tuple[int, Params]]) -> Params:
    return sum_gradients(g for _, g in parts)


def _last(parts: Iterable[Any]) -> Params:
    *_, last = parts
    found: Params = last[1] if isinstance(last, tuple) else last
    return found


def _divided_twice(parts: Iterable[tuple[int, Params]]) -> Params:
    each = [*parts]
    return {name: g / len(each) for name, g in mean_gradients(each).items()}


WEIGHTS = "Σᵢ (nᵢ / N) gᵢ"

CLIPPING = (
    _norm_fault(
        "short gradients lengthened",
        "every gradient is scaled to the limit, also one below it",
        _clipped(lambda grads, limit: limit / (total_norm(grads) + 1e-6)),
        "or below it",
    ),
    _norm_fault(
        "each tensor by itself",
        "each tensor is clipped by its own norm",
        _instead(_per_tensor),
        "two tensors",
    ),
    _norm_fault(
        "by value",
        "each entry is cut at the limit",
        _instead(_by_value),
    ),
    _norm_fault(
        "eps missing",
        "the coefficient is max_norm / ‖g‖",
        _clipped(lambda grads, limit: np.minimum(limit / total_norm(grads), 1.0)),
        "a small one where precision is low",
    ),
    _norm_fault(
        "root of the norm missing",
        "the sum of squares is taken for the norm",
        _clipped(lambda grads, limit: _limited(total_norm(grads) * total_norm(grads), limit)),
    ),
    _norm_fault(
        "norms of the tensors summed",
        "the norms of the tensors are added, not their squares",
        _clipped(lambda grads, limit: _limited(_norms_summed(grads), limit)),
        "two tensors",
    ),
    _norm_fault(
        "largest entry for the norm",
        "the coefficient is made of the largest entry",
        _clipped(lambda grads, limit: _limited(total_norm(grads, float("inf")), limit)),
    ),
    _norm_fault(
        "norm_type ignored",
        "whatever norm is asked for, it is the root of the sum of squares",
        _instead(lambda grads, max_norm, *rest, **told: clip_grad_norm(grads, max_norm)),
        "another norm than that",
    ),
    _norm_fault(
        "biases left out of the norm",
        "the norm is that of the matrices",
        _clipped(lambda grads, limit: _limited(total_norm(_matrices(grads)), limit)),
        "a bias",
    ),
    _norm_fault(
        "root mean square for the norm",
        "the norm is divided by the root of the number of entries",
        _clipped(
            lambda grads, limit: _limited(
                total_norm(grads) / sum(g.size for g in grads.values()) ** 0.5, limit
            )
        ),
    ),
    _norm_fault(
        "not clipped",
        "the norm is computed, and the gradients used as they were",
        _clipped(lambda grads, limit: np.minimum(total_norm(grads) * 0 + 1.0, 1.0)),
    ),
    _value_fault(
        "above only",
        "large negative entries stay",
        lambda g, limit: np.minimum(g, limit),
    ),
    _value_fault(
        "negative entries cut at 0",
        "entries are cut to 0 … limit",
        lambda g, limit: np.minimum(np.maximum(g, 0), limit),
    ),
    _value_fault(
        "zero beyond the limit",
        "entries beyond the limit become 0",
        lambda g, limit: np.where(np.abs(g) > limit, 0 * g, g),
    ),
    _value_fault(
        "by norm",
        "the tensor is scaled to have at most this norm",
        lambda g, limit: clip_grad_norm({"": g}, limit)[0][""],
    ),
)

ACCUMULATION = (
    Fault(
        "mean_gradients: equal weights",
        "micro-batches count alike, whatever their size",
        "mean_gradients",
        _instead(_equal_weights),
        "gradient",
        WEIGHTS,
        "micro-batches of different sizes",
    ),
    Fault(
        "mean_gradients: summed",
        "the gradients of the micro-batches' means are added",
        "mean_gradients",
        _instead(_means_summed),
        "gradient",
        WEIGHTS,
        "more than one micro-batch",
    ),
    Fault(
        "mean_gradients: last micro-batch only",
        "each micro-batch overwrites the gradient of the one before",
        "mean_gradients",
        _instead(_last),
        "gradient",
        WEIGHTS,
        "more than one micro-batch",
    ),
    Fault(
        "mean_gradients: divided twice",
        "the mean over samples is divided by the number of micro-batches again",
        "mean_gradients",
        _instead(_divided_twice),
        "gradient",
        WEIGHTS,
        "more than one micro-batch",
    ),
    Fault(
        "sum_gradients: last micro-batch only",
        "each micro-batch overwrites the gradient of the one before",
        "sum_gradients",
        _instead(_last),
        "gradient",
        "Σᵢ gᵢ",
        "more than one micro-batch",
    ),
)
