"""Faults of losses with a margin, and of losses on pairs and triplets of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import around, options, result
from compare.faults.changes_layers import cache_of, fault, loss_slope, loss_terms, when
from compare.faults.fault import Method
from reference import Array


def _uncontent(position: int) -> Any:
    """A backward in which the margin has been reached nowhere."""

    def backward(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
        changed = (*cache[:position], cache[position] & False, *cache[position + 1 :])
        return right(self, changed, dloss)

    return around("backward", backward)


def _without_right(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    return np.where(cache[0], 0, right(self, cache, dloss))


def _not_shared(right: Method, self: Any, *args: Any) -> Any:
    """The loss, or its gradient, as a sum over the classes and not their mean."""
    loss, (correct, short, scale, z, axis, reduction) = right(self, *args)
    classes = z.shape[axis]
    return loss * classes, (correct, short, scale * classes, z, axis, reduction)


def _length_constant(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
    a, b, square_a, square_b, lengths, cos, *rest = cache
    return right(self, (a, b, square_a, square_b, lengths, 0 * cos, *rest), dloss)


def _squared(right: Method, self: Any, x: Array, y: Array) -> Any:
    norm, slope = right(self, x, y)
    return norm * norm, 2 * norm[..., None] * slope


DISTANCES = (
    fault(
        "HingeEmbeddingLoss",
        "gradient beyond the margin",
        "what is farther apart than the margin is pushed on",
        _uncontent(1),
        "dx",
        "∂l/∂y = 0 for t = −1 and y > Δ",
        "distances beyond the margin",
    ),
    fault(
        "HingeEmbeddingLoss",
        "margin 1 whatever is set",
        "loss and gradient use Δ = 1",
        options("forward", margin=1.0),
        "output",
        "l = max(0, Δ − y) for t = −1",
        "Δ ≠ 1",
    ),
    fault(
        "HingeEmbeddingLoss",
        "target's sign ignored in the gradient",
        "the gradient is 1 for both targets",
        loss_slope(lambda self, y, t: np.where((t == -1) & (y > self.margin), 0, 0 * y + 1)),
        "dx",
        "∂l/∂y = −1 for t = −1 and y ≤ Δ",
        "targets of −1",
    ),
    fault(
        "HingeEmbeddingLoss",
        "classification's hinge in its place",
        "l = max(0, Δ − t y)",
        loss_terms(lambda self, y, t: np.maximum(0, self.margin - t * y)),
        "output",
        "l = y for t = 1, max(0, Δ − y) for t = −1",
    ),
    fault(
        "MultiMarginLoss",
        "right class gets no gradient",
        "only the other classes are pushed down",
        around("backward", _without_right),
        "dx",
        "∂l/∂y_t = −Σ ∂l/∂yᵢ over the other classes",
    ),
    fault(
        "MultiMarginLoss",
        "not divided by the classes",
        "the margins are summed over the classes, without 1/C",
        around("forward", _not_shared),
        "output",
        "l = (w_t/C) Σ max(0, Δ − y_t + yᵢ)^p",
    ),
    fault(
        "MultiMarginLoss",
        "p missing in the gradient",
        "the factor p of the power is forgotten",
        around("backward", lambda right, self, *args: right(self, *args) / self.p),
        "dx",
        "∂l/∂yᵢ = (w_t/C) p max(0, zᵢ)^(p − 1)",
        "p = 2",
    ),
    fault(
        "MultiMarginLoss",
        "margin 1 whatever is set",
        "loss and gradient use Δ = 1",
        options("forward", margin=1.0),
        "output",
        "zᵢ = Δ − y_t + yᵢ",
        "Δ ≠ 1",
    ),
    fault(
        "CosineEmbeddingLoss",
        "lengths treated as constants",
        "the gradient is that of a·b/(‖a‖ ‖b‖) with the lengths fixed",
        around("backward", _length_constant),
        "dx",
        "∂cos/∂a = b/D − cos · a/A",
    ),
    fault(
        "CosineEmbeddingLoss",
        "margin ignored",
        "loss and gradient use Δ = 0",
        options("forward", margin=0.0),
        "output",
        "l = max(0, cos − Δ) for t = −1",
        "Δ ≠ 0",
    ),
    fault(
        "CosineEmbeddingLoss",
        "gradient below the margin",
        "vectors whose cosine is below the margin are pushed on",
        _uncontent(7),
        "dx",
        "∂l/∂cos = 0 for t = −1 and cos < Δ",
        "targets of −1, cosines below the margin",
    ),
    fault(
        "CosineEmbeddingLoss",
        "second vector gets no gradient",
        "only the first vector is moved",
        result("backward", lambda pair: (pair[0], 0 * pair[1])),
        "dx",
        "∂cos/∂b = a/D − cos · b/B",
    ),
    fault(
        "TripletMarginLoss",
        "squared distances",
        "the distances are squared, as in FaceNet",
        around("_distance", _squared),
        "output or dx",
        "d(x, y) = ‖x − y + ε‖, not its square",
    ),
    fault(
        "TripletMarginLoss",
        "gradient beyond the margin",
        "triplets that are far enough apart are pushed on",
        _uncontent(3),
        "dx",
        "the gradient is 0 where Δ + d(a, p) − d(a, n) < 0",
        "triplets beyond the margin",
    ),
    fault(
        "TripletMarginLoss",
        "anchor pulled only",
        "the negative's part of the anchor's gradient is forgotten",
        result("backward", lambda three: (-three[1], three[1], three[2])),
        "dx",
        "∂l/∂a = g(a, p) − g(a, n)",
    ),
    fault(
        "TripletMarginLoss",
        "anchor gets no gradient",
        "only positive and negative are moved",
        result("backward", lambda three: (0 * three[0], *three[1:])),
        "dx",
        "∂l/∂a = g(a, p) − g(a, n)",
    ),
    fault(
        "TripletMarginLoss",
        "swap ignored",
        "the negative is compared with the anchor only",
        options("forward", swap=False),
        "output or dx",
        "with swap, the smaller of d(a, n) and d(p, n)",
        "swap=True",
    ),
    fault(
        "TripletMarginLoss",
        "swap in the loss, not in the gradient",
        "the gradient is that of the distance to the anchor",
        when(lambda self: self.swap, cache_of(lambda self: {"swap": False})),
        "dx",
        "the gradient goes to the pair that is nearer",
        "swap=True",
    ),
)
