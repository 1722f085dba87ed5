"""Attention by itself, which ``torch.nn`` has as a function only."""

from __future__ import annotations

from torch import Tensor, nn


class ScaledDotProductAttention(nn.Module):
    """``torch.nn.functional.scaled_dot_product_attention`` as a layer.

    Args:
        is_causal: whether a query sees no later key.
        scale: of the scores; 1/√E if None.
    """

    def __init__(self, is_causal: bool = False, scale: float | None = None) -> None:
        super().__init__()
        self.is_causal = is_causal
        self.scale = scale

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None
    ) -> Tensor:
        return nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask, is_causal=self.is_causal, scale=self.scale
        )
