"""Scaled dot product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.attention.masks import NOTHING, Mask, causal_mask, taken_apart
from reference.module import Array, Module, Params
from reference.support.checks import require_floating


class ScaledDotProductAttention(Module):
    r"""Each query's weighted mean of the values: ``y = softmax(Q Kᵀ/√E) V``.

    With queries Q ``(L, E)``, keys K ``(S, E)`` and values V ``(S, Ev)``, in three steps::

        Z = c Q Kᵀ        scores, (L, S); c = 1/√E keeps their variance at that of one product
        A = softmax(Z)    along each row: A[t, s] = exp Z[t, s] / Σ_r exp Z[t, r]
        y = A V           (L, Ev)

    A mask's bias is added to Z; hidden keys are left out of the softmax's sum, and have A = 0.

    Back through the three. The third and the first are matrix products, as in Linear::

        dV = Aᵀ dy        dA = dy Vᵀ
        dQ = c dZ K       dK = c dZᵀ Q

    For the second take one row. Raising z_s raises a_s, and lowers all of them by what it adds to
    the sum::

        ∂a_r/∂z_s = a_r ([r = s] − a_s)
        dz_s = Σ_r da_r a_r ([r = s] − a_s) = a_s (da_s − Σ_r da_r a_r)

    The weights sum to 1 whatever the scores, so adding one number to all da changes nothing.
    Hidden keys have a_s = 0 and so dz_s = 0.

    A query that may see no key has no mean to take: all its weights are 0, and so are y and all
    its gradients, as in PyTorch's function.

    Args:
        is_causal: whether query t sees keys 0 … t only.
        scale: c; 1/√E if None.

    Shapes:
        query ``(..., L, E)``, key ``(..., S, E)``, value ``(..., S, Ev)``, y ``(..., L, Ev)``;
        attn_mask broadcasts with ``(..., L, S)``. Leading axes are samples, heads, an ensemble.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
        Vaswani et al., Attention is all you need, https://arxiv.org/abs/1706.03762, equation 1.
    """

    def __init__(self, is_causal: bool = False, scale: float | None = None) -> None:
        self.is_causal = is_causal
        self.scale = scale

    def forward(
        self,
        params: Params,
        query: Array,
        key: Array,
        value: Array,
        attn_mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Attend.

        Args:
            params: none.
            query: what is looked for.
            key: what it is matched with.
            value: what is averaged.
            attn_mask: truth values, *true where a key is seen*, or numbers added to the scores.
                (``MultiheadAttention`` hides where true: each follows PyTorch.)

        Returns:
            y and the cache.
        """
        self._check(query, key, value, attn_mask)
        mask = NOTHING
        if self.is_causal:
            mask = Mask(causal_mask(query.shape[-2], key.shape[-2]), None)
        elif attn_mask is not None:
            hides = ~attn_mask if attn_mask.dtype == bool else attn_mask
            mask = taken_apart("ScaledDotProductAttention", hides, query.dtype)
        scale = 1 / math.sqrt(query.shape[-1]) if self.scale is None else self.scale
        weights = attention_weights(query, key, mask, scale)
        return weights @ value, (query, key, value, weights, scale)

    def backward(
        self, params: Params, cache: Any, dy: Array
    ) -> tuple[tuple[Array, Array, Array], Params]:
        query, key, value, weights, scale = cache
        dvalue = weights.swapaxes(-1, -2) @ dy  # (..., S, Ev)
        dweights = dy @ value.swapaxes(-1, -2)  # (..., L, S)
        dquery, dkey = attention_weights_backward(dweights, weights, query, key, scale)
        return (dquery, dkey, dvalue), {}

    def _check(self, query: Array, key: Array, value: Array, attn_mask: Array | None) -> None:
        for name, x in {"query": query, "key": key, "value": value}.items():
            require_floating(self, name, x)
        if key.shape[-1] != query.shape[-1] or key.shape[-2] != value.shape[-2]:
            raise ValueError(
                f"ScaledDotProductAttention: query is {query.shape}, key {key.shape} and value "
                f"{value.shape}, but should be (..., L, E), (..., S, E) and (..., S, Ev)"
            )
        if attn_mask is None:
            return
        if self.is_causal:
            raise ValueError("ScaledDotProductAttention: attn_mask given beside is_causal=True")
        expected = query.shape[-2], key.shape[-2]
        if any(
            n not in (1, length)
            for n, length in zip(attn_mask.shape[-2:], expected[-attn_mask.ndim :], strict=True)
        ):
            raise ValueError(
                f"ScaledDotProductAttention: attn_mask is {attn_mask.shape}, but should broadcast "
                f"with (..., {expected[0]}, {expected[1]})"
            )


def attention_weights(query: Array, key: Array, mask: Mask, scale: float) -> Array:
    """The first two steps: A = softmax(c Q Kᵀ + bias), ``(..., L, S)``."""
    scores = (query * scale) @ key.swapaxes(-1, -2)
    if mask.bias is not None:
        scores = scores + mask.bias
    return _softmax(scores) if mask.hidden is None else _masked_softmax(scores, mask.hidden)


def attention_weights_backward(
    dweights: Array, weights: Array, query: Array, key: Array, scale: float
) -> tuple[Array, Array]:
    """From dA to dQ and dK."""
    mean = (dweights * weights).sum(axis=-1, keepdims=True)
    dscores = weights * (dweights - mean) * scale
    return dscores @ key, dscores.swapaxes(-1, -2) @ query


def _softmax(scores: Array) -> Array:
    """Softmax of each row. Its largest entry is subtracted first, so that nothing overflows.

    That divides numerator and denominator by the same number and changes nothing, whatever the
    number is; so it counts as a constant.
    """
    exponentials: Array = np.exp(scores - scores.real.max(axis=-1, keepdims=True))
    weights: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights


def _masked_softmax(scores: Array, hidden: Array) -> Array:
    """Softmax over what is not hidden; a row that is hidden throughout is 0.

    The largest entry to subtract must be one that is seen: the row's lowest takes the place of
    what is hidden, and so neither is the largest nor overflows.
    """
    lowest = -(-scores.real).max(axis=-1, keepdims=True)
    scores = np.where(hidden, lowest, scores)
    exponentials = np.exp(scores - scores.real.max(axis=-1, keepdims=True))
    seen: Array = np.where(hidden, 0, exponentials)
    total = seen.sum(axis=-1, keepdims=True)
    return seen / np.where(total.real > 0, total, 1)
