"""Losses that ``torch.nn`` does not have."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class HalfSquaredErrorLoss(nn.Module):
    """Half the squared error, summed over samples and outputs: ``½ Σ (input − target)²``.

    Raises:
        ValueError: ``input`` and ``target`` differ in shape.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        if input.shape != target.shape:
            raise ValueError(f"input is {tuple(input.shape)}, target {tuple(target.shape)}")
        return 0.5 * torch.sum((target - input) ** 2)


#: The losses that a case can name.
LOSSES: dict[str, type[nn.Module]] = {
    "CrossEntropyLoss": nn.CrossEntropyLoss,
    "HalfSquaredErrorLoss": HalfSquaredErrorLoss,
    "MSELoss": nn.MSELoss,
}
