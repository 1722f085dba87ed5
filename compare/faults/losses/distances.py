"""Faults of losses with a margin, and of losses on pairs and triplets of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.layers import as_if, cache_of, loss_slope, loss_terms
from compare.faults.changes.methods import around, options, result
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
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


DISTANCES = faults(
    "HingeEmbeddingLoss", Right("∂l/∂y = 0 for t = −1 and y > Δ"),
    Row("gradient beyond the margin", "what is farther apart than the margin is pushed on", "dx",
        _uncontent(1), needs="distances beyond the margin"),
    Right("l = max(0, Δ − y) for t = −1"),
    Row("margin 1 whatever is set", "loss and gradient use Δ = 1", "output",
        options("forward", margin=1.0), needs="Δ ≠ 1"),
    Right("∂l/∂y = −1 for t = −1 and y ≤ Δ"),
    Row("target's sign ignored in the gradient", "the gradient is 1 for both targets", "dx",
        loss_slope(lambda self, y, t: np.where((t == -1) & (y > self.margin), 0, 0 * y + 1)),
        needs="targets of −1"),
    Right("l = y for t = 1, max(0, Δ − y) for t = −1"),
    Row("classification's hinge in its place", "l = max(0, Δ − t y)", "output",
        loss_terms(lambda self, y, t: np.maximum(0, self.margin - t * y))),
    "MultiMarginLoss", Right("∂l/∂y_t = −Σ ∂l/∂yᵢ over the other classes"),
    Row("right class gets no gradient", "only the other classes are pushed down", "dx",
        around("backward", _without_right)),
    Right("l = (w_t/C) Σ max(0, Δ − y_t + yᵢ)^p"),
    Row("not divided by the classes", "the margins are summed over the classes, without 1/C",
        "output", around("forward", _not_shared)),
    Right("∂l/∂yᵢ = (w_t/C) p max(0, zᵢ)^(p − 1)"),
    Row("p missing in the gradient", "the factor p of the power is forgotten", "dx",
        around("backward", lambda right, self, *args: right(self, *args) / self.p), needs="p = 2"),
    Right("zᵢ = Δ − y_t + yᵢ"),
    Row("margin 1 whatever is set", "loss and gradient use Δ = 1", "output",
        options("forward", margin=1.0), needs="Δ ≠ 1"),
    "CosineEmbeddingLoss", Right("∂cos/∂a = b/D − cos · a/A"),
    Row("lengths treated as constants",
        "the gradient is that of a·b/(‖a‖ ‖b‖) with the lengths fixed", "dx",
        around("backward", _length_constant)),
    Right("l = max(0, cos − Δ) for t = −1"),
    Row("margin ignored", "loss and gradient use Δ = 0", "output",
        options("forward", margin=0.0), needs="Δ ≠ 0"),
    Right("∂l/∂cos = 0 for t = −1 and cos < Δ"),
    Row("gradient below the margin", "vectors whose cosine is below the margin are pushed on", "dx",
        _uncontent(7), needs="targets of −1, cosines below the margin"),
    Right("∂cos/∂b = a/D − cos · b/B"),
    Row("second vector gets no gradient", "only the first vector is moved", "dx",
        result("backward", lambda pair: (pair[0], 0 * pair[1]))),
    "TripletMarginLoss", Right("d(x, y) = ‖x − y + ε‖, not its square"),
    Row("squared distances", "the distances are squared, as in FaceNet", "output or dx",
        around("_distance", _squared)),
    Right("the gradient is 0 where Δ + d(a, p) − d(a, n) < 0"),
    Row("gradient beyond the margin", "triplets that are far enough apart are pushed on", "dx",
        _uncontent(3), needs="triplets beyond the margin"),
    Right("∂l/∂a = g(a, p) − g(a, n)"),
    Row("anchor pulled only", "the negative's part of the anchor's gradient is forgotten", "dx",
        result("backward", lambda three: (-three[1], three[1], three[2]))),
    Row("anchor gets no gradient", "only positive and negative are moved", "dx",
        result("backward", lambda three: (0 * three[0], *three[1:]))),
    Right("with swap, the smaller of d(a, n) and d(p, n)"),
    Row("swap ignored", "the negative is compared with the anchor only", "output or dx",
        options("forward", swap=False), needs="swap=True"),
    Right("the gradient goes to the pair that is nearer"),
    Row("swap in the loss, not in the gradient",
        "the gradient is that of the distance to the anchor", "dx",
        cache_of(as_if(swap=False)), needs="swap=True"),
)  # fmt: skip
