"""Faults of normalisations: how the statistics, ε, γ and β are used, forward and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.faults.changes import around, grad, options
from compare.faults.changes_layers import dx_with, fault, grad_of
from compare.faults.fault import Changes, Fault, Method
from reference import Array, GroupNorm, LayerNorm, Params, RMSNorm
from reference.standardize import (
    affine,
    affine_backward,
    centre_backward,
    scale_backward,
    standardize_backward,
)

CHANNELS = ("BatchNorm1d", "BatchNorm2d", "InstanceNorm2d")
SAMPLES = ("LayerNorm", "GroupNorm")
ALL = (*CHANNELS, *SAMPLES, "RMSNorm")


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


def _parts(self: Any, params: Params, cache: Any) -> Parts:
    xhat, root, where, *batch = cache
    if isinstance(self, GroupNorm):
        learned = self._learned(params, where)
        return Parts(learned, xhat, root, (-1,), True, lambda a: self._grouped(a, where))
    if isinstance(self, LayerNorm | RMSNorm):
        return Parts(self._learned(params, xhat), xhat, root, where, True, lambda a: a)
    learned = self._learned(params, where)
    return Parts(learned, xhat, root, self._axes(where), batch[0] is not None, lambda a: a)


def _dx(function: Callable[[Array, Array, Array, tuple[int, ...]], Array]) -> Changes:
    """A backward whose dx is ``function(dx̂, x̂, root, axes)``, where statistics are the data's."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, found = right(self, params, cache, dy)
        of = _parts(self, params, cache)
        if not of.by_data:
            return dx, found
        dxhat, _ = affine_backward(of.learned, of.xhat, dy)
        wrong = function(of.lay(dxhat), of.lay(of.xhat), of.root, of.axes)
        return wrong.reshape(dy.shape), found

    return around("backward", backward)


def _outside(inner: bool) -> Changes:
    """γ multiplies what is made of dy: all of it, or with ``inner`` the means only lack it."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, found = right(self, params, cache, dy)
        of = _parts(self, params, cache)
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


def _output(root_of: Callable[[Any, Parts], Array]) -> Changes:
    """A forward that divides by another root."""

    def forward(right: Method, self: Any, params: Params, x: Array) -> Any:
        _, cache = right(self, params, x)
        of = _parts(self, params, cache)
        if not of.by_data:
            return right(self, params, x)
        ratio = of.lay(of.xhat) * (of.root / root_of(self, of))
        return affine(of.learned, ratio.reshape(of.xhat.shape)), cache

    return around("forward", forward)


def _eps(self: Any, of: Parts) -> float:
    return float(np.finfo(of.root.dtype).eps if self.eps is None else self.eps)


def _unbiased(self: Any, of: Parts) -> Array:
    eps = _eps(self, of)
    return np.sqrt((of.root * of.root - eps) * (of.count / (of.count - 1)) + eps)


def _eps_outside(self: Any, of: Parts) -> Array:
    eps = _eps(self, of)
    return np.sqrt(np.maximum(of.root * of.root - eps, 0)) + eps


def _dgamma(change: Callable[[Any, Parts, Array], Array]) -> Changes:
    """A gradient of γ that sums ``change(self, parts, dy)`` over all that shares it."""

    def weight(self: Any, params: Params, cache: Any, dy: Array) -> Array:
        of = _parts(self, params, cache)
        unit = {"weight": of.learned["weight"]}
        _, found = affine_backward(unit, change(self, of, dy), 0 * dy + 1)
        return found["weight"].reshape(params["weight"].shape)

    return grad_of("weight", weight)


def _scaled_back(self: Any, of: Parts, dy: Array) -> Any:
    """Dy times c = x̂ s."""
    return dy * (of.lay(of.xhat) * of.root).reshape(dy.shape)


def _no_gamma(self: Any, params: Params) -> Params:
    return params | {"weight": 0 * params["weight"] + 1} if "weight" in params else params


def _without(name: str) -> Changes:
    def forward(right: Method, self: Any, params: Params, x: Array) -> Any:
        if name not in params:
            return right(self, params, x)
        neutral = 0 * params[name] + (1 if name == "weight" else 0)
        _, cache = right(self, params, x)
        return right(self, params | {name: neutral}, x)[0], cache

    return around("forward", forward)


def _averaged(name: str) -> Method:
    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, found = right(self, params, cache, dy)
        return dx, {n: g / (dy.size // g.size) if n == name else g for n, g in found.items()}

    return backward


_RIGHT = "dx = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂))/s, with dx̂ = dy γ"
_RIGHT_RMS = "dx = (dx̂ − x̂ mean(dx̂ x̂))/s, with dx̂ = dy γ"


def _every(owner: str) -> tuple[Fault, ...]:
    """What can be wrong with any normalisation."""
    remedy = _RIGHT_RMS if owner == "RMSNorm" else _RIGHT
    trained = "training mode" if owner in CHANNELS else ""
    return (
        fault(
            owner,
            "statistics treated as constants",
            "dx = dx̂/s: the statistics are functions of x, too",
            _dx(lambda dxhat, xhat, root, axes: dxhat / root),
            "dx",
            remedy,
            trained,
        ),
        fault(
            owner,
            "γ dropped on the way back",
            "dx is computed from dy, not from dy γ",
            dx_with(_no_gamma),
            "dx",
            remedy,
            "γ ≠ 1",
        ),
        fault(
            owner,
            "γ in the first term only",
            "dx̂ = dy γ in the first term, dy in the means",
            _outside(inner=True),
            "dx",
            remedy,
            "γ ≠ 1",
        ),
        fault(
            owner,
            "not divided by s on the way back",
            "the factor 1/s is left out of dx",
            _dx(
                lambda dxhat, xhat, root, axes: (
                    (standardize_backward if owner != "RMSNorm" else scale_backward)(
                        dxhat, xhat, root, axes
                    )
                    * root
                )
            ),
            "dx",
            remedy,
        ),
        fault(
            owner,
            "sign of the last term",
            "x̂ mean(dx̂ x̂) is added, not subtracted",
            _dx(
                lambda dxhat, xhat, root, axes: (
                    (
                        (centre_backward(dxhat, axes) if owner != "RMSNorm" else dxhat)
                        + xhat * (dxhat * xhat).mean(axis=axes, keepdims=True)
                    )
                    / root
                )
            ),
            "dx",
            remedy,
        ),
        fault(
            owner,
            "sums for means on the way back",
            "dx̂ and dx̂ x̂ are summed where their means are needed",
            _dx(
                lambda dxhat, xhat, root, axes: (
                    (
                        dxhat
                        - (0 if owner == "RMSNorm" else dxhat.sum(axis=axes, keepdims=True))
                        - xhat * (dxhat * xhat).sum(axis=axes, keepdims=True)
                    )
                    / root
                )
            ),
            "dx",
            remedy,
        ),
        fault(
            owner,
            "γ's gradient from what is not normalised",
            "dγ sums dy (x − μ): it is not divided by s",
            _dgamma(_scaled_back),
            "gradient weight",
            "dγ = Σ dy x̂",
        ),
        fault(
            owner,
            "γ's gradient is β's",
            "dγ sums dy without x̂",
            _dgamma(lambda self, of, dy: dy),
            "gradient weight",
            "dγ = Σ dy x̂",
        ),
        fault(
            owner,
            "γ never trained",
            "the gradient of γ is 0",
            grad("weight", lambda g: 0 * g),
            "gradient weight",
            "dγ = Σ dy x̂",
        ),
        fault(
            owner,
            "γ's gradient averaged",
            "dγ is a mean over samples and places, not a sum",
            around("backward", _averaged("weight")),
            "gradient weight",
            "dγ = Σ dy x̂",
            "batch > 1",
        ),
        fault(
            owner,
            "γ not applied",
            "y = x̂ + β",
            _without("weight"),
            "output",
            "y = x̂ γ + β",
            "γ ≠ 1",
        ),
        fault(
            owner,
            "ε outside the root",
            "s = √σ² + ε",
            _output(_eps_outside),
            "output",
            "s = √(σ² + ε)",
            "a variance that is small beside ε" if owner == "RMSNorm" else "small variances",
        ),
        fault(
            owner,
            "ε 1e-12",
            "ε is 1e-12, as in some libraries, whatever is set",
            options("forward", eps=1e-12),
            "output",
            "ε = 1e-5 by default",
            "an ε that is not negligible beside the variance",
        ),
    )


def _centred(owner: str) -> tuple[Fault, ...]:
    """What can be wrong where a mean is subtracted and β added."""
    return (
        fault(
            owner,
            "mean treated as a constant",
            "the gradient through the mean is dropped",
            _dx(scale_backward),
            "dx",
            _RIGHT,
        ),
        fault(
            owner,
            "variance treated as a constant",
            "the gradient through the variance is dropped",
            _dx(lambda dxhat, xhat, root, axes: centre_backward(dxhat, axes) / root),
            "dx",
            _RIGHT,
        ),
        fault(
            owner,
            "unbiased variance",
            "x is divided by the root of the unbiased variance, n/(n − 1) σ²",
            _output(_unbiased),
            "output",
            "normalise with the biased variance, np.var(x, ddof=0)",
            "few values",
        ),
        fault(
            owner,
            "β never trained",
            "the gradient of β is 0",
            grad("bias", lambda g: 0 * g),
            "gradient bias",
            "dβ = Σ dy",
        ),
        fault(
            owner,
            "β's gradient averaged",
            "dβ is a mean over samples and places, not a sum",
            around("backward", _averaged("bias")),
            "gradient bias",
            "dβ = Σ dy",
            "batch > 1",
        ),
        fault(
            owner,
            "β not added",
            "y = x̂ γ",
            _without("bias"),
            "output",
            "y = x̂ γ + β",
            "β ≠ 0",
        ),
    )


_OUTSIDE = tuple(
    fault(
        owner,
        "γ outside the sums",
        "dx is computed from dy and multiplied by γ at the end",
        _outside(inner=False),
        "dx",
        "multiply by γ first, dx̂ = dy γ: γ differs among the values of a mean",
        "γ whose entries differ",
    )
    for owner in (*SAMPLES, "RMSNorm")
)

NORMS = (
    *(one for owner in ALL for one in _every(owner)),
    *(one for owner in (*CHANNELS, *SAMPLES) for one in _centred(owner)),
    *_OUTSIDE,
)
