"""What losses over classes share: where the classes are, which is right, and what each weighs.

The classes are along the second axis of y: ``(N, C)`` or ``(N, C, d₁, …)``, or ``(C,)`` for a
single sample. A target of class indices has the shape of y without that axis. Axes before these are
an ensemble: ``(..., N, C)`` against ``(N,)``. Counted from the end, the class axis is the same with
and without an ensemble, so that is how it is counted here.
"""

from __future__ import annotations

import numpy as np

from reference.losses.loss import Loss, Weight, like
from reference.losses.reduction import without_axis
from reference.module import Array
from reference.support.checks import require_floating


def class_axis(loss: Loss, y: Array, samples_ndim: int) -> int:
    """The axis of the classes, counted from the end: the second, or the only one.

    Args:
        loss: who asks.
        y: the prediction.
        samples_ndim: axes of a target with one class for each sample.
    """
    require_floating(loss, "the prediction", y)
    fits = y.ndim > samples_ndim if samples_ndim > 0 else y.ndim == 1 + samples_ndim
    needed = f"one with a class axis beside the {samples_ndim} axes of samples in the target"
    loss.require(fits and samples_ndim >= 0, "y's shape", y.shape, needed)
    return -max(samples_ndim, 1)


def require_indices(loss: Loss, target: Array) -> None:
    """Refuse a target that is not made of whole numbers."""
    loss.require(target.dtype.kind in "iu", "the target's dtype", target.dtype, "an integer type")


def class_weights(loss: Loss, weight: Weight, y: Array, axis: int) -> Array:
    """The weight of each class, 1 if none is given, shaped to broadcast against y."""
    shape = (y.shape[axis],)
    weights = np.ones(shape, y.real.dtype) if weight is None else like(weight, y)
    needed = f"{shape}, a weight for each class of y, which has shape {y.shape}"
    loss.require(weights.shape == shape, "weight's shape", weights.shape, needed)
    return weights.reshape(shape + (1,) * (-1 - axis))


def right_class(
    loss: Loss, y: Array, target: Array, axis: int, ignore_index: int | None = None
) -> tuple[Array, Array]:
    """Where y's entry is that of the right class, and where the sample counts.

    Both have a class axis, of length C and of length 1, and broadcast against y.
    """
    without = without_axis(y.shape[y.ndim - target.ndim - 1 :], axis)
    needed = f"{without}, that of y without its class axis, as y has shape {y.shape}"
    loss.require(target.shape == without, "the target's shape", target.shape, needed)
    counts = np.ones(target.shape, bool) if ignore_index is None else target != ignore_index
    classes = y.shape[axis]
    outside = counts & ((target < 0) | (target >= classes))
    if outside.any():
        needed = f"between 0 and {classes - 1}"
        loss.require(False, "a class in the target", target[outside][0], needed)
    numbers = np.arange(classes).reshape((classes,) + (1,) * (-1 - axis))
    counts = np.expand_dims(counts, axis)
    return (numbers == np.expand_dims(target, axis)) & counts, counts
