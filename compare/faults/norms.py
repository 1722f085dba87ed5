"""Faults of normalisations: how the statistics, ε, γ and β are used, forward and back."""

from __future__ import annotations

from compare.faults.changes import around, grad, options
from compare.faults.changes_layers import dx_with, fault
from compare.faults.fault import Fault
from compare.faults.norm_changes import (
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
from reference.standardize import (
    centre_backward,
    scale_backward,
    standardize_backward,
)

CHANNELS = ("BatchNorm1d", "BatchNorm2d", "InstanceNorm2d")
SAMPLES = ("LayerNorm", "GroupNorm")
ALL = (*CHANNELS, *SAMPLES, "RMSNorm")


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
            dx_by(lambda dxhat, xhat, root, axes: dxhat / root),
            "dx",
            remedy,
            trained,
        ),
        fault(
            owner,
            "γ dropped on the way back",
            "dx is computed from dy, not from dy γ",
            dx_with(no_gamma),
            "dx",
            remedy,
            "γ ≠ 1",
        ),
        fault(
            owner,
            "γ in the first term only",
            "dx̂ = dy γ in the first term, dy in the means",
            gamma_outside(inner=True),
            "dx",
            remedy,
            "γ ≠ 1",
        ),
        fault(
            owner,
            "not divided by s on the way back",
            "the factor 1/s is left out of dx",
            dx_by(
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
            dx_by(
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
            dx_by(
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
            gamma_gradient(not_normalised),
            "gradient weight",
            "dγ = Σ dy x̂",
        ),
        fault(
            owner,
            "γ's gradient is β's",
            "dγ sums dy without x̂",
            gamma_gradient(lambda self, of, dy: dy),
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
            around("backward", averaged("weight")),
            "gradient weight",
            "dγ = Σ dy x̂",
            "batch > 1",
        ),
        fault(
            owner,
            "γ not applied",
            "y = x̂ + β",
            without("weight"),
            "output",
            "y = x̂ γ + β",
            "γ ≠ 1",
        ),
        fault(
            owner,
            "ε outside the root",
            "s = √σ² + ε",
            divided_by(eps_outside),
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
            dx_by(scale_backward),
            "dx",
            _RIGHT,
        ),
        fault(
            owner,
            "variance treated as a constant",
            "the gradient through the variance is dropped",
            dx_by(lambda dxhat, xhat, root, axes: centre_backward(dxhat, axes) / root),
            "dx",
            _RIGHT,
        ),
        fault(
            owner,
            "unbiased variance",
            "x is divided by the root of the unbiased variance, n/(n − 1) σ²",
            divided_by(unbiased),
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
            around("backward", averaged("bias")),
            "gradient bias",
            "dβ = Σ dy",
            "batch > 1",
        ),
        fault(
            owner,
            "β not added",
            "y = x̂ γ",
            without("bias"),
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
        gamma_outside(inner=False),
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
