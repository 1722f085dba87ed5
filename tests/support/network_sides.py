"""The network of a case on either side, with all of every step to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import reference
import torch_impl
from compare.cases.case import Case
from compare.cases.network_cases import NETWORK_CASES
from compare.sides import reference_rule, torch_rule
from reference import Array, Module, Params

Seen = dict[str, Array]

#: The cases of docs/networks.md, by their networks.
RECIPES = {case.network: case for case in NETWORK_CASES}


def built(recipe: Case) -> Module:
    """The reference's network."""
    network: Module = getattr(reference, recipe.network)(**recipe.arguments)
    return network


def first_params(recipe: Case, dtype: str = "float64", seed: int = 0) -> Params:
    """First parameters and buffers, as the reference draws them."""
    drawn = built(recipe).init(np.random.default_rng(seed))
    return {name: in_dtype(value, dtype) for name, value in drawn.items()}


def in_dtype(array: Array, dtype: str) -> Array:
    """Floating-point numbers in another dtype; whole ones as they are."""
    return array.astype(dtype) if array.dtype.kind == "f" else array


class Ours:
    """The network of the reference."""

    def __init__(self, recipe: Case, params: Params) -> None:
        self.network = built(recipe)
        self.loss = getattr(reference, recipe.loss)()
        buffers = self.network.buffer_shapes()
        self.buffers = {name: params[name] for name in buffers}
        self.params = {name: params[name] for name in params if name not in buffers}
        self.rule = reference_rule.rule_of(recipe, self.network)
        self.progress = self.rule.init(self.params)

    def step(self, x: Array, target: Array, masks: Params) -> Seen:
        """Train on one batch with these dropout masks and show all of it."""
        params = self.params | self.buffers | masks
        y, cache = self.network.forward(params, x)
        loss, loss_cache = self.loss.forward(y, target)
        _, grads = self.network.backward(params, cache, self.loss.backward(loss_cache))
        self.buffers = self.network.buffers(params, cache)
        seen = {"y": y, "loss": loss} | named("gradient", grads)
        grads, norm = self.rule.clip(grads)
        seen |= ({} if norm is None else {"norm": norm}) | named("clipped", grads)
        seen["lr"] = self.progress.lrs
        self.params, self.progress = self.rule.update(self.params, grads, self.progress)
        return seen | named("parameter", self.params) | named("buffer", self.buffers)

    def predict(self, x: Array) -> Array:
        """Run the network forward, in evaluation."""
        self.network.train(False)
        y: Array = self.network.forward(self.params | self.buffers, x)[0]
        self.network.train()
        return y


class Theirs:
    """The network on PyTorch."""

    def __init__(self, recipe: Case, params: Params) -> None:
        with torch.random.fork_rng(devices=[]):
            self.network = torch_impl.NETWORKS[recipe.network](**recipe.arguments)
        self.network.to(torch.tensor(next(iter(params.values()))).dtype)
        hand_over(params, self.network)
        self.loss = getattr(nn, recipe.loss)()
        with torch_impl.eager_optimizers():
            self.rule = torch_rule.rule_of(recipe, self.network)

    def step(self, x: Array, target: Array, seed: int = 0) -> tuple[Seen, Params]:
        """Train on one batch and show all of it; and the masks of the dropouts."""
        with torch.random.fork_rng(devices=[]), dropped(self.network) as masks:
            torch.manual_seed(seed)
            with torch_impl.eager_optimizers():
                return self._step(torch.tensor(x), torch.tensor(target)), masks

    def predict(self, x: Array) -> Array:
        """Run the network forward, in evaluation."""
        self.network.eval()
        with torch.no_grad():
            y = self.network(torch.tensor(x))
        self.network.train()
        return plain(y)

    def _step(self, x: Tensor, target: Tensor) -> Seen:
        self.rule.zero_grad()
        y = self.network(x)
        loss = self.loss(y, target)
        loss.backward()
        seen = {"y": plain(y), "loss": plain(loss)} | named("gradient", self._gradients())
        norm = self.rule.clip()
        seen |= {} if norm is None else {"norm": plain(norm)}
        seen |= named("clipped", self._gradients())
        seen["lr"] = np.array(self.rule.lrs if self.rule.schedule else [])
        self.rule.update()
        parameters = {name: plain(p) for name, p in self.network.named_parameters()}
        buffers = {name: plain(b) for name, b in self.network.named_buffers()}
        return seen | named("parameter", parameters) | named("buffer", buffers)

    def _gradients(self) -> Params:
        found = {name: p.grad for name, p in self.network.named_parameters()}
        return {name: plain(grad) for name, grad in found.items() if grad is not None}


def hand_over(params: Params, network: nn.Module) -> None:
    """Copy parameters and buffers into PyTorch's; a shared one has but one name."""
    theirs = dict(network.named_parameters()) | dict(network.named_buffers())
    assert theirs.keys() == params.keys()
    with torch.no_grad():
        for name, value in theirs.items():
            assert tuple(value.shape) == params[name].shape
            value.copy_(torch.tensor(params[name]))


@contextmanager
def dropped(network: nn.Module) -> Iterator[Params]:
    """Within the block, the mask of each dropout is kept, by the name of a parameter ``mask``.

    A mask depends on the generator and the shape alone: ones, dropped from the same state of the
    generator, show it, where the input itself may have zeros that were not dropped.
    """
    masks: Params = {}

    def watch(path: str, layer: nn.Dropout) -> Any:
        def keep(module: nn.Module, inputs: tuple[Tensor]) -> None:
            with torch.random.fork_rng(devices=[]), torch.no_grad():
                masks[f"{path}.mask"] = plain(
                    nn.functional.dropout(torch.ones_like(inputs[0]), layer.p) != 0
                )

        return layer.register_forward_pre_hook(keep)

    layers = [(path, m) for path, m in network.named_modules() if isinstance(m, nn.Dropout)]
    # A dropout of probability 0, as within the transformer's layer, drops nothing.
    handles = [watch(path, layer) for path, layer in layers if layer.p > 0]
    try:
        yield masks
    finally:
        for handle in handles:
            handle.remove()


def named(kind: str, values: Params) -> Seen:
    """Each value under its name and what it is."""
    return {f"{kind} {name}": value for name, value in values.items()}


def plain(tensor: Tensor) -> Array:
    """A copy of the tensor's numbers."""
    return np.array(tensor.detach().numpy())
