"""What all normalisations have in common: mean 0 and mean square 1 along some axes.

They differ in the axes alone: the batch norm's run over samples and places, the layer norm's over
features, the group norm's over a group of channels and places, the instance norm's over places.

Two steps make x̂ of the n numbers x along the axes::

    c = x − μ            μ = mean(x)
    x̂ = c / s            s = √(mean(c²) + ε)

**Centring.** Each x_i moves every c_j through the mean, by −1/n, and its own by 1 more::

    dx_i = dc_i − (1/n) Σ_j dc_j                              dx = dc − mean(dc)

**Scaling.** Each c_i moves x̂_i by 1/s, and every x̂_j through s. With ∂s/∂c_i = c_i/(n s) = x̂_i/n
and ∂x̂_j/∂s = −c_j/s² = −x̂_j/s::

    dc_i = dx̂_i/s − Σ_j dx̂_j (x̂_j/s)(x̂_i/n)                 dc = (dx̂ − x̂ mean(dx̂ x̂)) / s

One after the other, as mean(x̂) = 0, they give the formula that is usually quoted::

    dx = (1/s) (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂))

ε is inside s, so x̂ in these formulas is c/s, exactly what was computed forward. RMS norm is the
second step without the first.

Last comes the learned scale and shift, ``y = x̂ γ + β``, whose gradients are those of any product
and sum: dx̂ = dy γ, and sums of dy x̂ and of dy over all the entries that share a γ and a β.
"""

from __future__ import annotations

import numpy as np

from reference.module import Array, Params
from reference.support.ensemble import summed_to

Axes = tuple[int, ...]


def centre(x: Array, axes: Axes) -> tuple[Array, Array]:
    """Subtract the mean; give the result and the mean."""
    mean = x.mean(axis=axes, keepdims=True)
    return x - mean, mean


def centre_backward(dc: Array, axes: Axes) -> Array:
    """Carry a gradient back through :func:`centre`."""
    dx: Array = dc - dc.mean(axis=axes, keepdims=True)
    return dx


def scale(c: Array, axes: Axes, eps: float) -> tuple[Array, Array, Array]:
    """Divide by the root of the mean square; give the result, the mean square and the root."""
    square = (c * c).mean(axis=axes, keepdims=True)
    root = np.sqrt(square + eps)
    return c / root, square, root


def scale_backward(dxhat: Array, xhat: Array, root: Array, axes: Axes) -> Array:
    """Carry a gradient back through :func:`scale`."""
    dc: Array = (dxhat - xhat * (dxhat * xhat).mean(axis=axes, keepdims=True)) / root
    return dc


def standardize(x: Array, axes: Axes, eps: float) -> tuple[Array, Array, Array, Array]:
    """Centre and scale; give x̂, the mean, the variance and the root s."""
    c, mean = centre(x, axes)
    xhat, variance, root = scale(c, axes, eps)
    return xhat, mean, variance, root


def standardize_backward(dxhat: Array, xhat: Array, root: Array, axes: Axes) -> Array:
    """Carry a gradient back through :func:`standardize`."""
    return centre_backward(scale_backward(dxhat, xhat, root, axes), axes)


def affine(learned: Params, xhat: Array) -> Array:
    """``y = x̂ γ + β``, for as many of ``weight`` and ``bias`` as there are, ready to broadcast."""
    y = xhat
    if "weight" in learned:
        y = y * learned["weight"]
    if "bias" in learned:
        y = y + learned["bias"]
    return y


def affine_backward(learned: Params, xhat: Array, dy: Array) -> tuple[Array, Params]:
    """Carry a gradient back through :func:`affine`; give dx̂ and the gradients."""
    grads, dxhat = {}, dy
    if "weight" in learned:
        grads["weight"] = summed_to(dy * xhat, learned["weight"].shape)
        dxhat = dy * learned["weight"]
    if "bias" in learned:
        grads["bias"] = summed_to(dy, learned["bias"].shape)
    return dxhat, grads


def constant(shapes: dict[str, tuple[int, ...]]) -> Params:
    """Where normalisations start: γ = 1 and β = 0, running variance 1 and mean 0."""
    ones = ("weight", "running_var")
    return {name: (np.ones if name in ones else np.zeros)(shape) for name, shape in shapes.items()}
