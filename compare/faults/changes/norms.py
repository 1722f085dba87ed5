"""How normalisations are made wrong: building blocks that fit all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.faults.changes.layers import grad_of
from compare.faults.changes.methods import around
from compare.faults.fault import Changes, Method
from reference import Array, GroupNorm, LayerNorm, Params, RMSNorm
from reference.support.standardize import (
    affine,
    affine_backward,
    scale_backward,
    standardize_backward,
)


@dataclass(frozen=True)
class Parts:
    """What a normalisation remembers, laid out so that the statistics run over ``axes``."""

    learned: Params
    xhat: Array
    root: Array
    axes: tuple[int, ...]
    by_data: bool
    lay: Callable[[Array], Array]

    @property
    def count(self) -> int:
        """How many numbers a statistic is of."""
        return math.prod(self.lay(self.xhat).shape[axis] for axis in self.axes)


def parts_of(self: Any, params: Params, cache: Any) -> Parts:
    """What any normalisation remembers, from its cache."""
    xhat, root, where, *batch = cache
    if isinstance(self, GroupNorm):
        learned = self._learned(params, where)
        return Parts(learned, xhat, root, (-1,), True, lambda a: self._grouped(a, where))
    if isinstance(self, LayerNorm | RMSNorm):
        return Parts(self._learned(params, xhat), xhat, root, where, True, lambda a: a)
    learned = self._learned(params, where)
    return Parts(learned, xhat, root, self._axes(where), batch[0] is not None, lambda a: a)


def dx_by(function: Callable[[Array, Array, Array, tuple[int, ...]], Array]) -> Changes:
    """A backward whose dx is ``function(dx̂, x̂, root, axes)``, where statistics are the data's."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, found = right(self, params, cache, dy)
        of = parts_of(self, params, cache)
        if not of.by_data:
            return dx, found
        dxhat, _ = affine_backward(of.learned, of.xhat, dy)
        wrong = function(of.lay(dxhat), of.lay(of.xhat), of.root, of.axes)
        return wrong.reshape(dy.shape), found

    return around("backward", backward)


def gamma_outside(inner: bool) -> Changes:
    """γ multiplies what is made of dy: all of it, or with ``inner`` the means only lack it."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, found = right(self, params, cache, dy)
        of = parts_of(self, params, cache)
        if not of.by_data:
            return dx, found
        carry = scale_backward if isinstance(self, RMSNorm) else standardize_backward
        whole = carry(of.lay(dy), of.lay(of.xhat), of.root, of.axes).reshape(dy.shape)
        gamma = of.learned.get("weight", 1.0)
        if not inner:
            return whole * gamma, found
        spread = (of.lay(dy * gamma - dy) / of.root).reshape(dy.shape)
        return whole + spread, found

    return around("backward", backward)


def divided_by(root_of: Callable[[Any, Parts], Array]) -> Changes:
    """A forward that divides by another root."""

    def forward(right: Method, self: Any, params: Params, x: Array) -> Any:
        _, cache = right(self, params, x)
        of = parts_of(self, params, cache)
        if not of.by_data:
            return right(self, params, x)
        ratio = of.lay(of.xhat) * (of.root / root_of(self, of))
        return affine(of.learned, ratio.reshape(of.xhat.shape)), cache

    return around("forward", forward)


def _eps(self: Any, of: Parts) -> float:
    return float(np.finfo(of.root.dtype).eps if self.eps is None else self.eps)


def unbiased(self: Any, of: Parts) -> Array:
    """The root of the unbiased variance."""
    eps = _eps(self, of)
    return np.sqrt((of.root * of.root - eps) * (of.count / (of.count - 1)) + eps)


def eps_outside(self: Any, of: Parts) -> Array:
    """The root of the variance, with ε added to the root."""
    eps = _eps(self, of)
    return np.sqrt(np.maximum(of.root * of.root - eps, 0)) + eps


def gamma_gradient(change: Callable[[Any, Parts, Array], Array]) -> Changes:
    """A gradient of γ that sums ``change(self, parts, dy)`` over all that shares it."""

    def weight(self: Any, params: Params, cache: Any, dy: Array) -> Array:
        of = parts_of(self, params, cache)
        unit = {"weight": of.learned["weight"]}
        _, found = affine_backward(unit, change(self, of, dy), 0 * dy + 1)
        return found["weight"].reshape(params["weight"].shape)

    return grad_of("weight", weight)


def not_normalised(self: Any, of: Parts, dy: Array) -> Any:
    """Dy times c = x̂ s."""
    return dy * (of.lay(of.xhat) * of.root).reshape(dy.shape)


def no_gamma(self: Any, params: Params) -> Params:
    """Parameters whose γ is 1."""
    return params | {"weight": 0 * params["weight"] + 1} if "weight" in params else params


def without(name: str) -> Changes:
    """A forward that makes no use of one parameter."""

    def forward(right: Method, self: Any, params: Params, x: Array) -> Any:
        if name not in params:
            return right(self, params, x)
        neutral = 0 * params[name] + (1 if name == "weight" else 0)
        _, cache = right(self, params, x)
        return right(self, params | {name: neutral}, x)[0], cache

    return around("forward", forward)


def averaged(name: str) -> Method:
    """A backward one of whose gradients is a mean, not a sum."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, found = right(self, params, cache, dy)
        return dx, {n: g / (dy.size // g.size) if n == name else g for n, g in found.items()}

    return backward
