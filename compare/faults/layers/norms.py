"""Faults of normalisations: how the statistics, ε, γ and β are used, forward and back."""

from __future__ import annotations

from typing import Any

from compare.faults.changes.layers import dx_with
from compare.faults.changes.methods import around, grad, options
from compare.faults.changes.norms import (
    averaged,
    divided_by,
    dx_by,
    eps_outside,
    gamma_gradient,
    gamma_outside,
    no_gamma,
    not_normalised,
    unbiased,
    without,
)
from compare.faults.fault import Changes, Fault
from compare.faults.table import Right, Row, faults
from reference import Array
from reference.support.standardize import centre_backward, scale_backward, standardize_backward

CHANNELS = ("BatchNorm1d", "BatchNorm2d", "InstanceNorm2d")
SAMPLES = ("LayerNorm", "GroupNorm")
ALL = (*CHANNELS, *SAMPLES, "RMSNorm")


_RIGHT = "dx = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂))/s, with dx̂ = dy γ"
_RIGHT_RMS = "dx = (dx̂ − x̂ mean(dx̂ x̂))/s, with dx̂ = dy γ"


def _not_divided(owner: str) -> Changes:
    carry = scale_backward if owner == "RMSNorm" else standardize_backward
    return dx_by(lambda dxhat, xhat, root, axes: carry(dxhat, xhat, root, axes) * root)


def _last_added(owner: str) -> Changes:
    def dx(dxhat: Array, xhat: Array, root: Array, axes: tuple[int, ...]) -> Any:
        centred = dxhat if owner == "RMSNorm" else centre_backward(dxhat, axes)
        return (centred + xhat * (dxhat * xhat).mean(axis=axes, keepdims=True)) / root

    return dx_by(dx)


def _summed(owner: str) -> Changes:
    def dx(dxhat: Array, xhat: Array, root: Array, axes: tuple[int, ...]) -> Any:
        total = 0 if owner == "RMSNorm" else dxhat.sum(axis=axes, keepdims=True)
        return (dxhat - total - xhat * (dxhat * xhat).sum(axis=axes, keepdims=True)) / root

    return dx_by(dx)


def _every(owner: str) -> tuple[Fault, ...]:
    """What can be wrong with any normalisation."""
    remedy = _RIGHT_RMS if owner == "RMSNorm" else _RIGHT
    trained = "training mode" if owner in CHANNELS else ""
    return faults(owner, Right(remedy),
        Row("statistics treated as constants", "dx = dx̂/s: the statistics are functions of x, too",
            "dx", dx_by(lambda dxhat, xhat, root, axes: dxhat / root), needs=trained),
        Row("γ dropped on the way back", "dx is computed from dy, not from dy γ", "dx",
            dx_with(no_gamma), needs="γ ≠ 1"),
        Row("γ in the first term only", "dx̂ = dy γ in the first term, dy in the means", "dx",
            gamma_outside(inner=True), needs="γ ≠ 1"),
        Row("not divided by s on the way back", "the factor 1/s is left out of dx", "dx",
            _not_divided(owner)),
        Row("sign of the last term", "x̂ mean(dx̂ x̂) is added, not subtracted", "dx",
            _last_added(owner)),
        Row("sums for means on the way back",
            "dx̂ and dx̂ x̂ are summed where their means are needed", "dx", _summed(owner)),
        Right("dγ = Σ dy x̂"),
        Row("γ's gradient from what is not normalised",
            "dγ sums dy (x − μ): it is not divided by s", "gradient weight",
            gamma_gradient(not_normalised)),
        Row("γ's gradient is β's", "dγ sums dy without x̂", "gradient weight",
            gamma_gradient(lambda self, of, dy: dy)),
        Row("γ never trained", "the gradient of γ is 0", "gradient weight",
            grad("weight", lambda g: 0 * g)),
        Row("γ's gradient averaged", "dγ is a mean over samples and places, not a sum",
            "gradient weight", around("backward", averaged("weight")), needs="batch > 1"),
        Right("y = x̂ γ + β"),
        Row("γ not applied", "y = x̂ + β", "output", without("weight"), needs="γ ≠ 1"),
        Right("s = √(σ² + ε)"),
        Row("ε outside the root", "s = √σ² + ε", "output",
            divided_by(eps_outside),
            needs="a variance that is small beside ε" if owner == "RMSNorm" else "small variances"),
        Right("ε = 1e-5 by default"),
        Row("ε 1e-12", "ε is 1e-12, as in some libraries, whatever is set", "output",
            options("forward", eps=1e-12),
            needs="an ε that is not negligible beside the variance"),
    )  # fmt: skip


#: What can be wrong where a mean is subtracted and β added.
_CENTRED = faults((*CHANNELS, *SAMPLES), Right(_RIGHT),
    Row("mean treated as a constant", "the gradient through the mean is dropped", "dx",
        dx_by(scale_backward)),
    Row("variance treated as a constant", "the gradient through the variance is dropped", "dx",
        dx_by(lambda dxhat, xhat, root, axes: centre_backward(dxhat, axes) / root)),
    Right("normalise with the biased variance, np.var(x, ddof=0)"),
    Row("unbiased variance", "x is divided by the root of the unbiased variance, n/(n − 1) σ²",
        "output", divided_by(unbiased), needs="few values"),
    Right("dβ = Σ dy"),
    Row("β never trained", "the gradient of β is 0", "gradient bias",
        grad("bias", lambda g: 0 * g)),
    Row("β's gradient averaged", "dβ is a mean over samples and places, not a sum", "gradient bias",
        around("backward", averaged("bias")), needs="batch > 1"),
    Right("y = x̂ γ + β"),
    Row("β not added", "y = x̂ γ", "output", without("bias"), needs="β ≠ 0"),
)  # fmt: skip


_OUTSIDE = faults((*SAMPLES, "RMSNorm"),
    Right("multiply by γ first, dx̂ = dy γ: γ differs among the values of a mean"),
    Row("γ outside the sums", "dx is computed from dy and multiplied by γ at the end", "dx",
        gamma_outside(inner=False), needs="γ whose entries differ"),
)  # fmt: skip

NORMS = (*(one for owner in ALL for one in _every(owner)), *_CENTRED, *_OUTSIDE)
