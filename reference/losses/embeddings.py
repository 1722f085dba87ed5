"""Losses on pairs and triplets of vectors: who should be near whom.

The vectors lie along the last axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.losses.loss import Loss
from reference.losses.margins import signs
from reference.losses.reduction import beside
from reference.module import Array
from reference.support.checks import require_floating, require_numbers
from reference.support.special import absolute, sign

#: Added to squared lengths in the cosine: PyTorch's 1e-12, a float32 in every dtype.
SQUARED_LENGTH_EPS = float(np.float32(1e-12))


class CosineEmbeddingLoss(Loss):
    r"""The cosine of the angle between two vectors should be 1, or else at most a margin Δ.

    ::

        l = 1 − cos              for t = 1
        l = max(0, cos − Δ)      for t = −1

    With s = a·b, A = a·a + ε, B = b·b + ε and D = √(A B), cos = s/D. Moving a changes s by b and A
    by 2a, and D by B · 2a/(2D) = D a/A, so by the quotient rule::

        ∂cos/∂a = b/D − s/D² · D a/A = b/D − cos · a/A

    and for b the same with the letters exchanged. ∂l/∂cos is −1 for t = 1; for t = −1 it is 1 where
    cos ≥ Δ (at the corner by convention), else 0.

    Args:
        margin: Δ.
        reduction: ``none``, ``mean`` or ``sum``.

    Shapes:
        a and b ``(..., N, features)`` and target ``(N,)``; or ``(features,)`` and ``()``.

    Raises:
        ValueError: shapes do not fit, or a target is neither 1 nor −1.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        require_numbers(self, margin=margin)
        self.margin = margin

    def forward(self, a: Array, b: Array, target: Array) -> tuple[Array, Any]:
        """Compute the loss of the vectors a and b; the target says which should be alike."""
        self._require_shapes(a, b, target)
        t = signs(self, target, a)
        square_a = (a * a).sum(axis=-1) + SQUARED_LENGTH_EPS
        square_b = (b * b).sum(axis=-1) + SQUARED_LENGTH_EPS
        lengths = np.sqrt(square_a * square_b)
        cos = (a * b).sum(axis=-1) / lengths
        alike, content = t == 1, (t == -1) & (cos.real < self.margin)
        terms = np.where(alike, 1 - cos, np.where(content, 0, cos - self.margin))
        reduction = self.over(target.shape)
        cache = (a, b, square_a, square_b, lengths, cos, t, content, reduction)
        return reduction.forward(terms), cache

    def backward(self, cache: Any, dloss: Any = 1.0) -> tuple[Array, Array]:
        """Give the gradients of a and b."""
        a, b, square_a, square_b, lengths, cos, t, content, reduction = cache
        dcos = np.where(content, 0, -t * reduction.backward(dloss, cos.shape))
        dcos, cos, lengths = dcos[..., None], cos[..., None], lengths[..., None]
        da = dcos * (b / lengths - cos * a / square_a[..., None])
        db = dcos * (a / lengths - cos * b / square_b[..., None])
        return da, db

    def _require_shapes(self, a: Array, b: Array, target: Array) -> None:
        require_floating(self, "a", a)
        require_floating(self, "b", b, {"a": a})
        self.require(a.shape == b.shape, "b's shape", b.shape, f"that of a, {a.shape}")
        own = a.shape[-target.ndim - 1 :] if target.ndim else a.shape
        fits = target.ndim <= 1 and len(own) == target.ndim + 1 and own[:-1] == target.shape
        needed = f"that of a and b, {a.shape}, without the last axis"
        self.require(fits, "the target's shape", target.shape, needed)


class TripletMarginLoss(Loss):
    r"""An anchor should be nearer to a positive example than to a negative one, by a margin Δ.

    With the anchor a, the positive example b, the negative one c, and an exponent p::

        l = max(0, Δ + d(a, b) − d(a, c)),   d(x, y) = ‖x − y + ε‖,   ‖v‖ = (Σ |vᵢ|^p)^(1/p)

    Of the norm, with S = Σ |vᵢ|^p and so ‖v‖ = S^(1/p)::

        ∂‖v‖/∂vᵢ = (1/p) S^(1/p − 1) · p |vᵢ|^(p−1) sign(vᵢ) = sign(vᵢ) (|vᵢ|/‖v‖)^(p−1)

    For p = 2 that is v/‖v‖; for v = 0 it is by convention 0. With g(x, y) for this slope at
    v = x − y + ε, where the loss is not 0 (at the corner by convention too)::

        ∂l/∂a = g(a, b) − g(a, c)      ∂l/∂b = −g(a, b)      ∂l/∂c = g(a, c)

    With ``swap`` the negative's distance is the smaller of d(a, c) and d(b, c); its gradient goes
    to the pair that was nearer, and by halves to both if they tie.

    Args:
        margin: Δ, greater than 0.
        p: the exponent of the norm, at least 1 and finite.
        eps: ε, added to every difference.
        swap: whether the negative may be compared with the positive instead of the anchor.
        reduction: ``none``, ``mean`` or ``sum``.

    Shapes:
        All three ``(*, features)``, the same; a term for each of ``(*)``.

    Raises:
        ValueError: shapes differ, or a number is out of its range.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        require_numbers(self, margin=margin, p=p, eps=eps)
        self.require(margin > 0, "margin", margin, "greater than 0")
        self.require(1 <= p < float("inf"), "p", p, "at least 1 and finite")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Array, positive: Array, negative: Array) -> tuple[Array, Any]:
        """Compute the loss of three arrays of vectors."""
        require_floating(self, "the anchor", anchor)
        for name, other in (("positive", positive), ("negative", negative)):
            require_floating(self, f"the {name}", other, {"the anchor": anchor})
            needed = f"that of the anchor, {anchor.shape}"
            self.require(other.shape == anchor.shape, f"{name}'s shape", other.shape, needed)
        near, near_slope = self._distance(anchor, positive)
        far, far_slope = self._distance(anchor, negative)
        swap_slope = None
        if self.swap:
            other, other_slope = self._distance(positive, negative)
            tie = far.real == other.real
            far_slope = _share(far_slope, far.real < other.real, tie)
            swap_slope = _share(other_slope, far.real > other.real, tie)
            far = np.where(far.real > other.real, other, far)
        z = self.margin + near - far
        content = z.real < 0
        reduction = self.over(anchor.shape[:-1])
        cache = (near_slope, far_slope, swap_slope, content, reduction)
        return reduction.forward(np.where(content, 0, z)), cache

    def backward(self, cache: Any, dloss: Any = 1.0) -> tuple[Array, Array, Array]:
        """Give the gradients of anchor, positive and negative."""
        near_slope, far_slope, swap_slope, content, reduction = cache
        dterms = beside(reduction.backward(dloss, content.shape), -1)
        content = content[..., None]
        near = np.where(content, 0, near_slope * dterms)
        far = np.where(content, 0, far_slope * dterms)
        if swap_slope is None:
            return near - far, -near, far
        swapped = np.where(content, 0, swap_slope * dterms)
        return near - far, -near - swapped, far + swapped

    def _distance(self, x: Array, y: Array) -> tuple[Array, Array]:
        """``‖x − y + ε‖`` and its slope with respect to x."""
        v = x - y + self.eps
        size = absolute(v)
        norm = (size**self.p).sum(axis=-1) ** (1 / self.p)
        divisor = np.where(norm.real > 0, norm, 1)[..., None]
        return norm, sign(v) * (size / divisor) ** (self.p - 1)


def _share(slope: Array, wins: Array, tie: Array) -> Array:
    """All of a gradient where its distance wins, half of it where there is a tie, else none."""
    return np.where(wins[..., None], slope, np.where(tie[..., None], 0.5 * slope, 0))
