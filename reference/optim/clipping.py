"""Clipping: keeping one wild batch from undoing the training so far.

Where the loss has a cliff, as recurrent networks have them, a gradient can be so long that one step
along it leaves everything learned behind. Its direction may still be of use, its length is not.

Source:
    Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks,
    arXiv 1211.5063, algorithm 1;
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
"""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from reference.module import Array, Params
from reference.optim.checks import require


def clip_grad_norm(
    grads: Params,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    *,
    ensemble_axes: int = 0,
) -> tuple[Params, Array]:
    """Shorten all gradients together, so that their norm is at most ``max_norm``.

    ::

        g ← c · g,    c = min(1, max_norm / (‖g‖ + 1e-6))

    ‖g‖ is the norm of all entries of all tensors as one vector, (Σ |g|^p)^(1/p), and all are
    scaled by the same c: the direction of the step stays. Clipping each tensor by its own norm
    would turn it. The 1e-6 keeps 0/0 from happening; it also leaves the norm a little below
    ``max_norm``, and shortens by a little where the norm is just below it.

    Args:
        grads: the gradients, by name; they stay as they are.
        max_norm: the greatest norm.
        norm_type: p, above 0; infinity for the largest entry.
        error_if_nonfinite: whether to refuse gradients whose norm is not finite. An infinite
            one makes c and so all finite entries 0, and the infinite ones NaN.
        ensemble_axes: how many leading axes of every gradient are an ensemble of networks; the norm
            is then one for each network. By default it is over everything.

    Returns:
        The gradients after clipping, and their norm before, of the shape of the ensemble.

    Raises:
        ValueError: an option is out of its range, or the norm is not finite.
    """
    owner = "clip_grad_norm"
    require(owner, "max_norm", max_norm, max_norm >= 0, "at least 0")
    require(owner, "norm_type", norm_type, norm_type > 0, "above 0 (infinity for the largest)")
    if not grads:
        return {}, np.zeros(())
    norm = total_norm(grads, norm_type, ensemble_axes)
    if error_if_nonfinite:
        require(owner, "the norm of the gradients", norm, bool(np.isfinite(norm).all()), "finite")
    c = np.minimum(max_norm / (norm + 1e-6), 1.0)
    clipped = {
        name: g * c.reshape(c.shape + (1,) * (g.ndim - ensemble_axes)) for name, g in grads.items()
    }
    return clipped, norm


def clip_grad_value(grads: Params, clip_value: float) -> Params:
    """Cut each entry of each gradient to at most ``clip_value`` in size; the direction may turn.

    Args:
        grads: the gradients, by name; they stay as they are.
        clip_value: the greatest size of an entry.

    Raises:
        ValueError: ``clip_value`` is negative.
    """
    require("clip_grad_value", "clip_value", clip_value, clip_value >= 0, "at least 0")
    return {name: np.minimum(np.maximum(g, -clip_value), clip_value) for name, g in grads.items()}


def total_norm(grads: Params, norm_type: float = 2.0, ensemble_axes: int = 0) -> Array:
    """The norm of all gradients as one vector, for each network of the ensemble.

    Args:
        grads: the gradients, by name.
        norm_type: p, above 0; infinity for the largest entry.
        ensemble_axes: how many leading axes are an ensemble.
    """
    flat = [g.reshape((*g.shape[:ensemble_axes], -1)) for g in grads.values()]
    if math.isinf(norm_type):
        return reduce(np.maximum, (np.abs(g).max(axis=-1) for g in flat))
    powers = (g * g if norm_type == 2 else np.abs(g) ** norm_type for g in flat)
    total: Array = reduce(np.add, (power.sum(axis=-1) for power in powers))
    root: Array = np.sqrt(total) if norm_type == 2 else total ** (1 / norm_type)
    return root
