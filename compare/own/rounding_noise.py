r"""How far rounding moves the results of any PyTorch function: Monte Carlo arithmetic.

Every floating-point operation, of the forward and of the backward pass, is given numbers that are
multiplied by 1 + s ξ, ξ random with mean 0 and variance 1. A result then moves by

    ``s · √(Σ (∂result/∂number)² number²)``

to first order, over all numbers of the computation: what independent rounding errors of relative
size u do, once it is scaled by u / s. So s need not be u; it is √u, large beside the rounding
of the run itself, and small enough for the first order to hold.

A sum of n terms rounds n − 1 times. Noise on its terms counts each of them once, so for operations
that sum it is multiplied by √n (see docs/tolerances.md, *probable and possible errors*).

Source:
    D. S. Parker, Monte Carlo arithmetic, UCLA CSD-970002 (1997).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

#: Operations that compute nothing: they move numbers, or make new ones from no others.
_EXACT = {
    "alias", "_unsafe_view", "clone", "copy_", "_to_copy", "lift_fresh", "detach", "expand", "view",
    "t", "transpose", "permute", "slice", "select", "unsqueeze", "squeeze", "cat", "stack", "index",
    "gather", "embedding", "fill_", "zero_", "zeros_like", "ones_like", "empty_like", "full_like",
    "new_zeros", "new_empty_strided", "as_strided", "_local_scalar_dense", "neg", "relu", "abs",
    "threshold_backward", "sgn", "sign", "constant_pad_nd", "flip", "roll", "where",
    "scalar_tensor", "max_pool2d_with_indices", "masked_fill", "unbind", "split", "repeat",
    "native_dropout",
}  # fmt: skip


#: Operations through which a number of the user's comes in, before anything is computed with it.
_HANDED_ON = ("aten::lift_fresh", "aten::detach", "aten::alias", "aten::scalar_tensor")

#: Operations whose results are sums: of products, of whatever a layer sums, of all numbers.
_PRODUCTS = ("mm", "bmm", "addmm", "baddbmm", "dot", "mv", "addmv")
_LAYERS = ("convolution", "native_", "_scaled", "mkldnn", "cudnn")
_SUMS = (
    *("sum", "mean", "cumsum", "var", "std", "prod", "norm", "logsumexp"),
    *("_log_softmax", "_softmax", "mse_loss"),
)

#: How far a result may be off, for a relative error of 1 within the operation, where formulas pass
#: by a number near 1 that then cancels, as in 1 + erf, log(1 + e^x) or p − 1.
_CANCELLING: dict[str, Callable[[Any], Tensor]] = {
    **dict.fromkeys(
        ("tanh", "elu", "softplus", "expm1", "log1p", "log", "_log_softmax", "log_sigmoid_forward"),
        lambda args: torch.ones_like(args[0]),
    ),
    **dict.fromkeys(("gelu", "mish"), lambda args: args[0].abs()),
    **dict.fromkeys(("_log_softmax_backward_data", "elu_backward"), lambda args: args[0].abs()),
    **dict.fromkeys(
        ("gelu_backward", "mish_backward"), lambda args: args[0].abs() * (1 + args[1].abs())
    ),
}


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes what a computation is made of.

    Attributes:
        dtypes: of the real numbers that were seen.
        forward_shapes: of the results of more than one number, up to the loss.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtypes: set[torch.dtype] = set()
        self.forward_shapes: list[tuple[int, ...]] = []
        self._backward = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in _real(args):
            if tensor.dim() > 0:  # numbers of Python's come as tensors without axes
                self.dtypes.add(tensor.dtype)
        if func._schema.name not in _HANDED_ON and isinstance(result, Tensor):
            self.dtypes.update(tensor.dtype for tensor in _real([result]))
        # autograd begins with a gradient of 1
        self._backward |= func._schema.name == "aten::ones_like"
        if isinstance(result, Tensor) and result.numel() > 1 and not self._backward:
            self.forward_shapes.append(tuple(result.shape))
        return result


class Pool:
    """Random numbers with mean 0 and variance 1, drawn once and used from random places on."""

    def __init__(self) -> None:
        self._numbers: dict[torch.dtype, Tensor] = {}
        self._generator = torch.Generator().manual_seed(0)
        self._places = random.Random(0)  # noqa: S311 - nothing secret

    def like(self, tensor: Tensor) -> Tensor:
        """Some of them, in the shape and dtype of a tensor."""
        size, numbers = tensor.numel(), self._numbers.get(tensor.dtype)
        if numbers is None or len(numbers) < 2 * size:
            length = 4 * max(size, 4096)
            numbers = torch.randn(length, generator=self._generator, dtype=tensor.dtype)
            self._numbers[tensor.dtype] = numbers
        start = self._places.randrange(len(numbers) - size + 1)
        return numbers[start : start + size].view(tensor.shape)


class Noise(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Disturbs what every operation within the block is given.

    Args:
        size: s, the standard deviation of the relative noise.
        pool: where the noise is taken from.
    """

    def __init__(self, size: float, pool: Pool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.size, self._pool = size, pool

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, kind = _kind(func)
        if kind is _Kind.EXACT:
            return func(*args, **kwargs)
        if kind is _Kind.IN_PLACE:
            return self._in_place(func(*args, **kwargs))
        size = self.size * math.sqrt(_terms(args, name))
        result = func(*(self._disturbed(one, size) for one in args), **kwargs)
        cancelling = _CANCELLING.get(name)
        if cancelling is not None and isinstance(result, Tensor):
            result = result + cancelling(args) * self._pool.like(result) * self.size
        return result

    def _in_place(self, result: Any) -> Any:
        if isinstance(result, Tensor) and result.is_floating_point():
            result.add_(result * self._pool.like(result), alpha=self.size)
        return result

    def _disturbed(self, value: Any, size: float) -> Any:
        if isinstance(value, Tensor) and value.is_floating_point():
            return torch.addcmul(value, value, self._pool.like(value), value=size)
        if isinstance(value, list):
            return [self._disturbed(one, size) for one in value]
        return value


class _Kind(Enum):
    """What is to be done about an operation."""

    EXACT = "nothing is rounded"
    IN_PLACE = "its result is where one of its arguments was"
    ROUNDING = "its arguments can be replaced"


@cache
def _kind(func: Any) -> tuple[str, _Kind]:
    """The name of an operation, and what is to be done about it."""
    schema = func._schema
    name = schema.name.partition("::")[2]
    if name in _EXACT:
        return name, _Kind.EXACT
    if schema.is_mutable:
        return name, _Kind.IN_PLACE
    is_view = any(one.alias_info is not None for one in schema.arguments)
    return name, _Kind.EXACT if is_view else _Kind.ROUNDING


def _terms(args: Any, name: str) -> float:
    """How many numbers one of the result's is summed from, about."""
    if name in _PRODUCTS:
        return float(max(list(_real(args))[-2].shape[-1], 1))
    if name.startswith((*_LAYERS, *_SUMS)):
        sizes = sorted((max(tensor.numel(), 1) for tensor in _real(args)), reverse=True)
        return math.sqrt(math.prod(sizes[:2])) if name.startswith(_LAYERS) else float(sizes[0])
    return 1.0


def _real(args: Any) -> Iterator[Tensor]:
    """The tensors of real numbers among arguments."""
    for one in args:
        if isinstance(one, Tensor):
            if one.is_floating_point():
                yield one
        elif isinstance(one, list | tuple):
            yield from _real(one)
