"""The PyTorch side of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn

import torch_impl
from compare.arrays import TORCH_DTYPES, to_array, to_tensor, view
from compare.cases import Case
from compare.observation import (
    AT_INPUT,
    LOSS,
    Array,
    Observation,
    Snapshot,
    activation,
    gradient,
    gradient_at,
    parameter,
    state,
)


class TorchSide:
    """Trains the case's network by autograd and ``torch.optim``.

    Args:
        case: what to train.
        weights: the first weights; they are copied.
    """

    name = "torch"

    def __init__(self, case: Case, weights: Mapping[str, Array]) -> None:
        with torch.random.fork_rng(devices=[]):  # what nn.Module draws is replaced below
            self.network = torch_impl.NETWORKS[case.network](**case.arguments)
        self.network.to(TORCH_DTYPES[case.dtype])
        self._views = {name: view(p) for name, p in self.network.named_parameters()}
        self.load_weights(weights)
        self.loss = torch_impl.LOSSES[case.loss]()
        with self.training():
            self.optimizer = torch.optim.SGD(self.network.parameters(), lr=case.lr)

    def training(self) -> AbstractContextManager[None]:
        """Keeps PyTorch's optimizers from loading its compiler."""
        return torch_impl.eager_optimizers()

    def load(self, array: Array) -> Tensor:
        """A tensor with a copy of the array."""
        return to_tensor(array)

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Take a copy of these parameters."""
        self.network.load_state_dict({name: to_tensor(value) for name, value in weights.items()})

    def step(self, x: Tensor, target: Tensor) -> float:
        """Train on one batch and return the loss before the step."""
        return torch_impl.step(self.network, self.loss, self.optimizer, x, target)

    def predict(self, x: Array) -> Array:
        """Run the network forward."""
        with torch.no_grad():
            return to_array(self.network(to_tensor(x)))

    def evaluate(self, x: Array, target: Array) -> float:
        """The loss, without training."""
        with torch.no_grad():
            loss: Tensor = self.loss(self.network(to_tensor(x)), to_tensor(target))
        return loss.item()

    def weights(self) -> dict[str, Array]:
        """Read-only views of the parameters, which follow them through training."""
        return self._views

    def snapshot(self) -> Snapshot:
        """Copies of the parameters and of the optimizer's state."""
        return Snapshot({name: p.copy() for name, p in self._views.items()}, self._state())

    def observe(self, x: Tensor, target: Tensor) -> Observation:
        """Train on one batch and show all of the step, as :meth:`step` would make it."""
        x = x.clone().requires_grad_()
        with _watched(self.network) as outputs:
            self.optimizer.zero_grad()
            loss: Tensor = self.loss(self.network(x), target)
            loss.backward()  # type: ignore[no-untyped-call]
        seen = {activation(path): to_array(output) for path, output in outputs.items()}
        seen[LOSS] = to_array(loss)
        for path, output in reversed(outputs.items()):
            seen[gradient_at(path)] = _gradient(output)
            for name, value in self.network.get_submodule(path).named_parameters(path):
                seen[gradient(name)] = _gradient(value)
        seen[AT_INPUT] = _gradient(x)
        self.optimizer.step()
        for name, entry in self._state().items():
            seen |= {state(name, key): value for key, value in entry.items()}
        return seen | {parameter(name): p.copy() for name, p in self._views.items()}

    def _state(self) -> dict[str, dict[str, Array]]:
        names: dict[Tensor, str] = {value: name for name, value in self.network.named_parameters()}
        return {
            names[value]: {
                key: to_array(held) for key, held in entry.items() if isinstance(held, Tensor)
            }
            for value, entry in self.optimizer.state.items()
        }


def _gradient(tensor: Tensor) -> Array:
    """The tensor's gradient; zeros where autograd found that the loss does not depend on it."""
    return to_array(torch.zeros_like(tensor) if tensor.grad is None else tensor.grad)


@contextmanager
def _watched(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Within the block, the output of each layer is kept, and after backward its gradient."""
    outputs: dict[str, Tensor] = {}

    def watch(path: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def keep(module: nn.Module, args: object, output: Tensor) -> None:
            if output.requires_grad:
                output.retain_grad()
            outputs[path] = output

        return module.register_forward_hook(keep)

    layers = [(path, module) for path, module in network.named_modules() if _is_leaf(module)]
    handles = [watch(path, module) for path, module in layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None
