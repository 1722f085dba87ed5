"""The smallest network that needs a hidden layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from torch_impl.losses import HalfSquaredErrorLoss
from torch_impl.networks.mlp import MLP
from torch_impl.training import fit


class XORNetwork(MLP):
    """Two inputs, two hidden sigmoid units, one sigmoid output, taught exclusive or.

    ``fit`` is what trains it, as ``nn.Module.train`` is already PyTorch's switch between training
    and evaluation.

    Args:
        seed: of the first weights, uniform in [0, 1).
        dtype: of all arithmetic.
    """

    def __init__(self, seed: int | None = None, dtype: torch.dtype = torch.float64) -> None:
        with torch.random.fork_rng(devices=[]):  # what nn.Linear draws is replaced below
            super().__init__((2, 2, 1))
        self.to(dtype)
        generator = torch.Generator()
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(0, 1, generator=generator)
        self.inputs = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=dtype)
        self.targets = torch.tensor([[0], [1], [1], [0]], dtype=dtype)

    def fit(self, epochs: int = 5000) -> list[float]:
        """Train on the truth table and return the loss before each epoch's step."""
        optimizer = torch.optim.SGD(self.parameters(), lr=1.0)
        return fit(self, HalfSquaredErrorLoss(), optimizer, self.inputs, self.targets, epochs)

    def predict(self, x: Tensor | Sequence[Sequence[float]]) -> Tensor:
        """Run the network forward on ``x``, of shape ``(N, 2)``, without recording gradients."""
        with torch.no_grad():
            output: Tensor = self(torch.as_tensor(x, dtype=self.inputs.dtype))
        return output
