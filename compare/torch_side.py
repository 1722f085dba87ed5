"""The PyTorch side of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Self

import torch
from torch import Tensor, nn

import torch_impl
from compare.arrays import TORCH_DTYPES, to_array, to_tensor, view
from compare.cases import Case
from compare.errors import BackproofError, CannotCompare
from compare.observation import (
    AT_INPUT,
    LOSS,
    Array,
    Observation,
    Snapshot,
    activation,
    buffer,
    gradient,
    gradient_at,
    parameter,
    state,
)
from compare.torch_hooks import keep_masks, watched


class TorchSide:
    """Trains a network by autograd and ``torch.optim``.

    Args:
        network: what to train.
        loss: the loss to minimise.
        optimizer: makes the update rule of the network.

    Attributes:
        masks: those that dropouts drew in the last pass, under ``<path>.mask``.
        watched: paths of the layers that :meth:`observe` shows; None for all that have no others
            within.
    """

    name = "torch"

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module,
        optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    ) -> None:
        self.network = network
        self.loss = loss
        self.masks: dict[str, Array] = {}
        self.watched: Collection[str] | None = None
        self._views = {name: view(p) for name, p in network.named_parameters()}
        keep_masks(network, self.masks)
        with self.training():
            self.optimizer = optimizer(network)

    @classmethod
    def of(cls, case: Case, weights: Mapping[str, Array]) -> Self:
        """The side of a case, with a copy of these first weights."""
        with torch.random.fork_rng(devices=[]):  # what nn.Module draws is replaced below
            network = torch_impl.NETWORKS[case.network](**case.arguments)
        network.to(TORCH_DTYPES[case.dtype])
        side = cls(
            network,
            torch_impl.LOSSES[case.loss](),
            lambda network: torch.optim.SGD(network.parameters(), lr=case.lr),
        )
        side.load_weights(weights)
        return side

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
        with _as_torchs():
            return torch_impl.step(self.network, self.loss, self.optimizer, x, target)

    def predict(self, x: Array) -> Array:
        """Run the network forward, in evaluation."""
        with self._evaluating():
            return to_array(self.network(to_tensor(x)))

    def evaluate(self, x: Array, target: Array) -> float:
        """The loss, without training."""
        with self._evaluating():
            loss: Tensor = self.loss(self.network(to_tensor(x)), to_tensor(target))
        return loss.item()

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        self.network.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.network.train()

    def weights(self) -> dict[str, Array]:
        """Read-only views of the parameters, which follow them through training."""
        return self._views

    def snapshot(self) -> Snapshot:
        """Copies of the parameters, of the optimizer's state and of the buffers."""
        weights = {name: p.copy() for name, p in self._views.items()}
        return Snapshot(weights, self._state(), self.buffers())

    def buffers(self) -> dict[str, Array]:
        """Copies of the buffers."""
        return {name: to_array(held) for name, held in self.network.named_buffers()}

    def observe(self, x: Tensor, target: Tensor) -> Observation:
        """Train on one batch and show all of the step, as :meth:`step` would make it."""
        x = x.clone().requires_grad_(x.is_floating_point())
        with _as_torchs(), watched(self.network, self.watched) as outputs:
            self.optimizer.zero_grad()
            loss: Tensor = self.loss(self.network(x), target)
            loss.backward()  # type: ignore[no-untyped-call]
        seen = {name: to_array(leaf) for out in outputs.values() for name, leaf in out.items()}
        seen[LOSS] = to_array(loss)
        seen |= self._gradients(outputs)
        if x.requires_grad:
            seen[AT_INPUT] = _gradient(x)
        with _as_torchs():
            self.optimizer.step()
        for name, entry in self._state().items():
            seen |= {state(name, key): value for key, value in entry.items()}
        seen |= {parameter(name): p.copy() for name, p in self._views.items()}
        return seen | {buffer(name): held for name, held in self.buffers().items()}

    def _gradients(self, outputs: dict[str, dict[str, Tensor]]) -> Observation:
        """At the output of each layer and of each parameter, from the last layer to the first."""
        seen: Observation = {}
        learned = dict(self.network.named_parameters())
        for path, output in reversed(outputs.items()):
            for name, leaf in output.items():
                if leaf.requires_grad:
                    seen[name.replace(activation(path), gradient_at(path), 1)] = _gradient(leaf)
            for name, _ in self.network.get_submodule(path).named_parameters(path):
                if name in learned:
                    seen[gradient(name)] = _gradient(learned[name])
        return seen | {gradient(name): _gradient(p) for name, p in learned.items()}

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
def _as_torchs() -> Iterator[None]:
    """Where the side that the other is held against raises, there is no verdict."""
    try:
        yield
    except BackproofError:
        raise
    except Exception as error:
        raise CannotCompare(f"PyTorch's side raised {type(error).__name__}: {error}") from error
