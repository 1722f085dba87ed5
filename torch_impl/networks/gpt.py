"""A small GPT: a transformer that foretells the next token."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CausalBlock(nn.TransformerEncoderLayer):
    """A transformer's layer in which no step sees a later one; norm first, GELU, no dropout.

    Args:
        d_model: features of each step.
        nhead: heads of the attention.
        dim_feedforward: width of the small network for each step.
        bias: whether its maps and norms have one.
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int, bias: bool) -> None:
        super().__init__(
            *(d_model, nhead, dim_feedforward),
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
            bias=bias,
        )

    def forward(self, src: Tensor) -> Tensor:  # type: ignore[override] # its mask is its own
        """Encode ``(N, T, E)``."""
        steps = src.shape[1]
        later = torch.ones(steps, steps, dtype=torch.bool, device=src.device).triu(1)
        return super().forward(src, src_mask=later, is_causal=True)


class GPT(nn.Module):
    """A stack of causal transformer layers over tokens and their positions.

    The head's weight is the token's table, the very same ``nn.Parameter``.

    Args:
        num_embeddings: tokens there are, V.
        context: the longest sequence.
        d_model: features of each step.
        nhead: heads of each attention.
        num_layers: blocks on top of each other.
        dim_feedforward: width of the small network in each block.
        bias: whether maps and norms have one.
    """

    def __init__(
        self,
        num_embeddings: int,
        context: int = 32,
        d_model: int = 32,
        nhead: int = 4,
        num_layers: int = 2,
        dim_feedforward: int = 128,
        bias: bool = False,
    ) -> None:
        super().__init__()
        blocks = [CausalBlock(d_model, nhead, dim_feedforward, bias) for _ in range(num_layers)]
        self.token = nn.Embedding(num_embeddings, d_model)
        self.position = nn.Embedding(context, d_model)
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(d_model, bias=bias)
        self.head = nn.Linear(d_model, num_embeddings, bias=False)
        self.head.weight = self.token.weight
        for table in (self.token, self.position):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, input: Tensor) -> Tensor:
        """Logits ``(N, V, T)`` of tokens ``(N, T)``."""
        positions = torch.arange(input.shape[1], device=input.device).expand_as(input)
        h = self.token(input) + self.position(positions)
        logits: Tensor = self.head(self.norm(self.blocks(h)))  # (N, T, V)
        return logits.transpose(-1, -2)
