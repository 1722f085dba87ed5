"""Training by autograd and ``torch.optim``."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Optimizer

from torch_impl.rule import UpdateRule


def step(
    network: nn.Module,
    loss: nn.Module,
    optimizer: Optimizer | UpdateRule,
    x: Tensor,
    target: Tensor,
) -> float:
    """Train on one batch and return the loss before the step."""
    optimizer.zero_grad()
    value: Tensor = loss(network(x), target)
    value.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return value.item()


def fit(
    network: nn.Module,
    loss: nn.Module,
    optimizer: Optimizer,
    x: Tensor,
    target: Tensor,
    epochs: int,
) -> list[float]:
    """Train on the same batch ``epochs`` times; the losses are those before each step."""
    return [step(network, loss, optimizer, x, target) for _ in range(epochs)]
