"""Named networks as ``nn.Module``; every gradient comes from autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from torch_impl.losses import HalfSquaredErrorLoss
from torch_impl.training import fit

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class MLP(nn.Sequential):
    """A fully connected network of any depth: ``nn.Linear`` and activation in turn.

    Args:
        sizes: the width of the input, of each hidden layer and of the output.
        activation: after each hidden layer: ``sigmoid``, ``relu``, ``tanh`` or ``identity``.
        output_activation: after the output layer.
    """

    def __init__(
        self, sizes: Sequence[int], activation: str = "sigmoid", output_activation: str = "sigmoid"
    ) -> None:
        super().__init__()
        for fan_in, fan_out in pairwise(sizes):
            self.append(nn.Linear(fan_in, fan_out))
            self.append(ACTIVATIONS[activation]())
        self[-1] = ACTIVATIONS[output_activation]()


class Shift(nn.Module):
    """Adds a fixed number to its input."""

    def __init__(self, amount: float) -> None:
        super().__init__()
        self.amount = amount

    def forward(self, input: Tensor) -> Tensor:
        return input + self.amount


class Line(nn.Sequential):
    """The straight line ``y = k x + offset``; the slope k is learned, the offset is not."""

    def __init__(self, offset: float = 3.0) -> None:
        super().__init__(nn.Linear(1, 1, bias=False), Shift(offset))


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


NETWORKS: dict[str, Callable[..., nn.Module]] = {"Line": Line, "MLP": MLP}
