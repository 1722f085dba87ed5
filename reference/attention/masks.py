"""Masks: which keys a query may not see, and what is added to the scores of those it may.

A mask of truth values says which; a mask of numbers is added to the scores, and −∞ in it says the
same as a truth value. Both are taken apart here once, so that no infinity enters the arithmetic.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from reference.module import Array


class Mask(NamedTuple):
    """A mask taken apart; both parts broadcast with the scores, ``(..., L, S)``.

    Attributes:
        hidden: true where a query may not see a key; None if it may see all.
        bias: what is added to the scores; None if nothing is. Not differentiated.
    """

    hidden: Array | None
    bias: Array | None


NOTHING = Mask(None, None)


def causal_mask(length: int, source_length: int | None = None) -> Array:
    """True where key s comes after query t, and so is to be hidden.

    It is the ``attn_mask`` of MultiheadAttention by which no step sees a later one.
    ScaledDotProductAttention takes the opposite, ``~causal_mask(L)``, or simply ``is_causal=True``.

    Args:
        length: number of queries, L.
        source_length: number of keys, S; as many if None.

    Returns:
        Truth values, ``(L, S)``.
    """
    keys = np.arange(length if source_length is None else source_length)
    hidden: Array = keys[None, :] > np.arange(length)[:, None]
    return hidden


def taken_apart(owner: str, mask: Array, dtype: np.dtype[Any]) -> Mask:
    """A mask of truth values (true hides) or of numbers, whose bias is of the scores' dtype.

    Raises:
        ValueError: the mask is neither.
    """
    if mask.dtype == bool:
        return Mask(mask, None)
    if mask.dtype.kind != "f":
        needed = "bool or a floating-point type"
        raise ValueError(f"{owner}: a mask's dtype is {mask.dtype}, but should be {needed}")
    hidden = mask == -np.inf
    return Mask(hidden, np.where(hidden, 0, mask).astype(dtype))


def of_heads(
    attn_mask: Array | None,
    key_padding_mask: Array | None,
    scores: tuple[int, int, int, int],
    dtype: np.dtype[Any],
    is_causal: bool,
) -> Mask:
    """The two masks of MultiheadAttention as one, that hides what either hides and adds both.

    Args:
        attn_mask: ``(L, S)`` or ``(N · h, L, S)``.
        key_padding_mask: ``(N, S)``, or ``(S,)`` for one sample alone.
        scores: the shape of the scores, ``(N, h, L, S)``.
        dtype: of the scores.
        is_causal: whether attn_mask was said to be the causal mask.

    Raises:
        ValueError: a mask has another shape or dtype, or is not the causal one.
    """
    samples, heads, length, source_length = scores
    queries = keys = NOTHING
    if attn_mask is not None:
        matrix = (length, source_length)
        _require("attn_mask", attn_mask, (matrix, (samples * heads, *matrix)))
        shape = matrix if attn_mask.ndim == 2 else scores
        queries = taken_apart("MultiheadAttention", attn_mask.reshape(shape), dtype)
    if is_causal:
        _require_causal(queries, length, source_length)
    if key_padding_mask is not None:
        alone = ((source_length,),) if samples == 1 else ()
        _require("key_padding_mask", key_padding_mask, ((samples, source_length), *alone))
        keys = taken_apart(
            "MultiheadAttention", key_padding_mask.reshape(samples, 1, 1, source_length), dtype
        )
    return Mask(
        _combined(operator.or_, queries.hidden, keys.hidden),
        _combined(operator.add, queries.bias, keys.bias),
    )


def _combined(
    combine: Callable[[Array, Array], Array], first: Array | None, second: Array | None
) -> Array | None:
    if first is None or second is None:
        return second if first is None else first
    return combine(first, second)


def _require(name: str, mask: Array, shapes: tuple[tuple[int, ...], ...]) -> None:
    if mask.shape not in shapes:
        expected = " or ".join(str(shape) for shape in shapes)
        raise ValueError(f"MultiheadAttention: {name} is {mask.shape}, but should be {expected}")


def _require_causal(mask: Mask, length: int, source_length: int) -> None:
    """PyTorch takes ``is_causal`` on trust, and may then ignore the mask."""
    if mask.hidden is None:
        raise ValueError("MultiheadAttention: is_causal=True needs the causal mask as attn_mask")
    differs = (mask.hidden != causal_mask(length, source_length)).any()
    if differs or (mask.bias is not None and mask.bias.any()):
        raise ValueError("MultiheadAttention: is_causal=True, but attn_mask is not the causal mask")
