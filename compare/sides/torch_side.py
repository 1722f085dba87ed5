"""The PyTorch side of a comparison."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

import torch_impl
from compare.base.conversion import TORCH_DTYPES, to_array, to_tensor, view
from compare.base.errors import BackproofError, CannotCompare
from compare.base.quantities import (
    AT_INPUT,
    LOSS,
    NORM,
    RATES,
    Array,
    Observation,
    Snapshot,
    activation,
    buffer,
    clipped,
    gradient,
    gradient_at,
    parameter,
    state,
)
from compare.cases.case import Case
from compare.measure.torch_constants import Constants, mend_rates
from compare.sides.modes import evaluating
from compare.sides.networks.torch_hooks import keep_masks, watched
from compare.sides.torch_rule import rule_of


class TorchSide:
    """Trains a network by autograd and ``torch.optim``.

    Args:
        network: what to train.
        loss: the loss to minimise.
        rule: makes optimizer, clipping and schedule of the network.
        seed: of the dropouts.

    Attributes:
        masks: those that dropouts drew in the last pass, under ``<path>.mask``.
        watched: paths of the layers that :meth:`observe` shows; None for all that have no others
            within.
        inexact: what of PyTorch's own was found to be less exact than its numbers, and is mended;
            None before the first step.
    """

    name = "torch"

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module,
        rule: Callable[[nn.Module], torch_impl.UpdateRule],
        seed: int = 0,
    ) -> None:
        self.network = network
        self.loss = loss
        self.masks: dict[str, Array] = {}
        self.watched: Collection[str] | None = None
        self.inexact: set[str] | None = None
        self._seed = seed
        self._views = {name: view(p) for name, p in network.named_parameters()}
        keep_masks(network, self.masks)
        with torch_impl.eager_optimizers():
            self.rule = rule(network)

    @classmethod
    def of(cls, case: Case, weights: Mapping[str, Array]) -> Self:
        """The side of a case, with a copy of these first weights."""
        with torch.random.fork_rng(devices=[]):  # what nn.Module draws is replaced below
            network = torch_impl.NETWORKS[case.network](**case.arguments)
        network.to(TORCH_DTYPES[case.dtype])
        side = cls(
            network,
            torch_impl.LOSSES[case.loss](),
            lambda network: rule_of(case, network),
            case.seed,
        )
        side.load_weights(weights)
        return side

    @contextmanager
    def training(self) -> Iterator[None]:
        """Keeps PyTorch's optimizers from loading its compiler, and lends a seeded generator."""
        with torch_impl.eager_optimizers(), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self._seed)
            yield

    def load(self, array: Array) -> Tensor:
        """A tensor with a copy of the array."""
        return to_tensor(array)

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Take a copy of these parameters and buffers; one that is shared has but one name."""
        with torch.no_grad():
            for name, value in self._held().items():
                value.copy_(to_tensor(weights[name]))

    def step(self, x: Tensor, target: Tensor) -> float:
        """Train on one batch and return the loss before the step."""
        with _as_torchs():
            if self.inexact == set():
                return torch_impl.step(self.network, self.loss, self.rule, x, target)
            self.rule.zero_grad()
            loss: Tensor = self.loss(self.network(x), target)
            self._backward(loss)
            self.rule.clip()
            self._step()
            return loss.item()

    def _backward(self, loss: Tensor) -> None:
        """Autograd's backward pass, without the bugs of PyTorch's own that are known."""
        if self.inexact == set():
            loss.backward()  # type: ignore[no-untyped-call]
            return
        with Constants(mend=True) as constants:
            loss.backward()  # type: ignore[no-untyped-call]
        self.inexact = (self.inexact or set()) | constants.found

    def _step(self) -> None:
        """Let the update rule make its step, after clipping."""
        self.rule.update()
        if self.inexact is not None:
            self.inexact |= mend_rates(self.rule.optimizer)

    def predict(self, x: Array) -> Array:
        """Run the network forward, in evaluation."""
        with _as_torchs(), self._evaluating():
            return to_array(self.network(to_tensor(x)))

    def evaluate(self, x: Array, target: Array) -> float:
        """The loss, without training."""
        with _as_torchs(), self._evaluating():
            loss: Tensor = self.loss(self.network(to_tensor(x)), to_tensor(target))
            return loss.item()

    def loss_size(self, x: Array, target: Array) -> float:
        """How large the loss is without training, or its terms, where some of them are below 0.

        Terms of both signs can cancel to about 0, whatever their size.
        """
        size = abs(self.evaluate(x, target))
        reduction = getattr(self.loss, "reduction", None)
        if reduction is None:
            return size
        with _as_torchs(), self._evaluating():
            each = copy.copy(self.loss)
            vars(each)["reduction"] = "none"
            terms: Tensor = each(self.network(to_tensor(x)), to_tensor(target))
        if not (terms < 0).any():
            return size
        count = {"sum": 1, "batchmean": len(terms)}.get(reduction, terms.numel())
        return max(size, terms.abs().sum().item() / count)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        with evaluating(self.network), torch.no_grad():
            yield

    def weights(self) -> dict[str, Array]:
        """Read-only views of the parameters, which follow them through training."""
        return self._views

    def state_dict(self) -> dict[str, Array]:
        """The parameters and the buffers; not to be written to."""
        return self._views | self.buffers()

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
            self.rule.zero_grad()
            loss: Tensor = self.loss(self.network(x), target)
            self._backward(loss)
        seen = {name: to_array(leaf) for out in outputs.values() for name, leaf in out.items()}
        seen[LOSS] = to_array(loss)
        seen |= self._gradients(outputs)
        if x.requires_grad:
            seen[AT_INPUT] = _gradient(x)
        with _as_torchs():
            seen |= self._update()
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
                unused = leaf.grad is None and len(output) > 1  # such as a state that nobody reads
                if leaf.requires_grad and not unused:
                    seen[name.replace(activation(path), gradient_at(path), 1)] = _gradient(leaf)
            for name, _ in self.network.get_submodule(path).named_parameters(path):
                if name in learned:
                    seen[gradient(name)] = _gradient(learned[name])
        return seen | {gradient(name): _gradient(p) for name, p in learned.items()}

    def _update(self) -> Observation:
        """Make the update rule's part of a step, and show what it does on the way."""
        seen: Observation = {}
        norm = self.rule.clip()
        if norm is not None:
            seen[NORM] = to_array(norm)
        if self.rule.clips:
            learned = self.network.named_parameters()
            seen |= {clipped(name): _gradient(p) for name, p in learned}
        if self.rule.schedule is not None:
            seen[RATES] = np.array(self.rule.lrs)
        self._step()
        return seen

    def _held(self) -> dict[str, Tensor]:
        return dict(self.network.named_parameters()) | dict(self.network.named_buffers())

    def _state(self) -> dict[str, dict[str, Array]]:
        names: dict[Tensor, str] = {value: name for name, value in self.network.named_parameters()}
        return {
            names[value]: {
                key: to_array(held) for key, held in entry.items() if isinstance(held, Tensor)
            }
            for value, entry in self.rule.optimizer.state.items()
        }


def _gradient(tensor: Tensor) -> Array:
    """The tensor's gradient; zeros where autograd found that the loss does not depend on it."""
    return to_array(torch.zeros_like(tensor) if tensor.grad is None else tensor.grad)


@contextmanager
def _as_torchs() -> Iterator[None]:
    """Where the side that the other is compared with raises, there is no verdict."""
    try:
        yield
    except BackproofError:
        raise
    except Exception as error:
        told = f"PyTorch's side raised {type(error).__name__}: {error}"
        if "Long" in told:
            told += "; whole numbers are handed on as they are, as indices: make amounts floats"
        raise CannotCompare(told) from error
