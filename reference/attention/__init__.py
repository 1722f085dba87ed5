"""Attention: every query takes a weighted mean of values, the weights by how keys match it."""

from reference.attention.masks import causal_mask
from reference.attention.multihead import MultiheadAttention
from reference.attention.scaled_dot_product import ScaledDotProductAttention

__all__ = ["MultiheadAttention", "ScaledDotProductAttention", "causal_mask"]
