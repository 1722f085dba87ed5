"""The same layer or loss of PyTorch, observed under the same names."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import torch_impl
from compare.base.conversion import TORCH_DTYPES, to_array, to_tensor
from compare.base.nested import leaves, mapped
from compare.base.quantities import Array, Observation, buffer, gradient
from compare.catalogue.entries.entry import Entry, Variant
from compare.catalogue.subject import INPUT, OUTPUT, array_options


def module_of(entry: Entry, variant: Variant, dtype: str) -> nn.Module:
    """PyTorch's side of a variant, made without a trace in the global generator."""
    options = {
        key: to_tensor(value) if hasattr(value, "dtype") else value
        for key, value in array_options(variant.options, dtype).items()
    }
    kind = getattr(nn, entry.name, None) or getattr(torch_impl, entry.name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module: nn.Module = kind(**options).to(TORCH_DTYPES[dtype])
    return module.train(variant.training)


def strided(tensor: Tensor) -> Tensor:
    """The same numbers with axes in reverse order in memory, and gaps between them."""
    order = tuple(reversed(range(tensor.ndim)))
    turned = tensor.permute(order)
    return torch.stack([turned, turned], -1)[..., 0].permute(order)


class TorchSubject:
    """Runs a module of PyTorch on arrays and shows all that comes of it.

    Args:
        module: the module.
        params: its parameters and buffers, which it is given a copy of.
        variant: tells whether memory is to be contiguous.
        differentiable: positions of the inputs that have a gradient; None for all that can.

    Raises:
        RuntimeError: names or shapes of parameters and buffers differ.
    """

    def __init__(
        self,
        module: nn.Module,
        params: Mapping[str, Array],
        variant: Variant,
        differentiable: tuple[int, ...] | None = None,
    ) -> None:
        self.module = module
        self.arrange = strided if variant.strided else _as_it_is
        self.differentiable = differentiable
        if not isinstance(module, nn.modules.loss._Loss):
            module.load_state_dict({name: to_tensor(value) for name, value in params.items()})
        for parameter in module.parameters():
            parameter.data = self.arrange(parameter.data)

    def forward(self, inputs: tuple[Any, ...], given: Mapping[str, Any]) -> tuple[Any, Any]:
        """The output, and the inputs as tensors."""
        tensors = tuple(
            mapped(partial(self._tensor, position=position), one)
            for position, one in enumerate(inputs)
        )
        named = {
            key: to_tensor(value) if hasattr(value, "dtype") else value
            for key, value in given.items()
        }
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "reduction: 'mean' divides", UserWarning)  # KLDivLoss
            warnings.filterwarnings("ignore", "Using padding='same' with even", UserWarning)
            warnings.filterwarnings("ignore", "Implicit dimension choice", UserWarning)  # Softmax
            return self.module(*tensors, **named), tensors

    def everything(self, y: Any, tensors: tuple[Any, ...], dy: Any) -> Observation:
        """Outputs, gradients and buffers, after the pass back."""
        outputs, upstream = leaves(y, OUTPUT), leaves(dy, OUTPUT)
        torch.autograd.backward(
            [outputs[path] for path in upstream],
            [self.arrange(to_tensor(value)) for value in upstream.values()],
        )
        seen = {path: to_array(value) for path, value in outputs.items()}
        for name, parameter in self.module.named_parameters():
            seen[gradient(name)] = _gradient(parameter)
        dx = mapped(lambda t: _gradient(t) if t.requires_grad else None, tensors)
        seen |= leaves(dx[0] if len(dx) == 1 else dx, INPUT)
        if not isinstance(self.module, nn.modules.loss._Loss):  # whose buffers are its weights
            seen |= {buffer(name): to_array(held) for name, held in self.module.named_buffers()}
        return seen

    def _tensor(self, array: Array, position: int) -> Tensor:
        tensor = self.arrange(to_tensor(array)).detach()
        learns = self.differentiable is None or position in self.differentiable
        return tensor.requires_grad_(learns and tensor.is_floating_point())


def dropout_mask(dropout: nn.Module, like: Array, arranged: bool, seed: int) -> Array:
    """The mask that PyTorch's dropout draws from this seed: what it makes of ones.

    Ones of the very layout of the input, as the order in memory is the order of drawing.
    """
    ones = torch.ones_like(to_tensor(like))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        kept: Tensor = dropout(strided(ones) if arranged else ones)
    return to_array(kept != 0)


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _gradient(tensor: Tensor) -> Array:
    """The tensor's gradient; zeros where autograd found that the loss does not depend on it."""
    return to_array(torch.zeros_like(tensor) if tensor.grad is None else tensor.grad)
