r"""How far rounding moves the results of any PyTorch function: Monte Carlo arithmetic.

Every floating-point operation, of the forward and of the backward pass, gets arguments and gives
results that are multiplied by 1 + s ξ, ξ random with mean 0 and variance 1. With δ the
relative size of the noise, a result moves by

    ``δ · √(Σ (∂result/∂number)² number²)``

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
from collections.abc import Callable, Iterator
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
        # autograd begins with a gradient of 1
        self._backward |= func._schema.name == "aten::ones_like"
        if isinstance(result, Tensor) and result.numel() > 1 and not self._backward:
            self.forward_shapes.append(tuple(result.shape))
        return result


class Noise(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Disturbs every operation within the block.

    Args:
        size: s, the standard deviation of the relative noise.
        seed: of the noise.
    """

    def __init__(self, size: float, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.size = size
        self._generator = torch.Generator().manual_seed(seed)
        self._pools: dict[torch.dtype, Tensor] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        schema = func._schema
        if schema.name.partition("::")[2] in _EXACT or not any(True for _ in _real(args)):
            return func(*args, **kwargs)
        if schema.is_mutable:
            return self._in_place(func(*args, **kwargs))
        if any(one.alias_info is not None for one in schema.arguments):
            return func(*args, **kwargs)  # a view
        terms = _terms(args, func)
        result = func(*(self._disturbed(one, terms) for one in args), **kwargs)
        cancelling = _CANCELLING.get(schema.name.partition("::")[2])
        if cancelling is not None and isinstance(result, Tensor):
            result = result + cancelling(args) * (self._factor(result, 1.0) - 1)
        return self._on_results(result)

    def _in_place(self, result: Any) -> Any:
        if isinstance(result, Tensor) and result.is_floating_point() and result.numel() > 0:
            result.mul_(self._factor(result, 1.0))
        return result

    def _on_results(self, result: Any) -> Any:
        if isinstance(result, tuple):
            return tuple(self._disturbed(one, 1.0) for one in result)
        return self._disturbed(result, 1.0)

    def _disturbed(self, value: Any, terms: float) -> Any:
        if isinstance(value, Tensor) and value.is_floating_point() and value.numel() > 0:
            return value * self._factor(value, terms)
        if isinstance(value, list):
            return [self._disturbed(one, terms) for one in value]
        return value

    def _factor(self, like: Tensor, terms: float) -> Tensor:
        """1 + s √terms ξ, of a pool of random numbers from a random place on."""
        pool = self._pool(like)
        start = int(torch.randint(len(pool) - like.numel() + 1, (), generator=self._generator))
        noise = pool[start : start + like.numel()].view(like.shape)
        return 1 + self.size * math.sqrt(terms) * noise

    def _pool(self, like: Tensor) -> Tensor:
        pool = self._pools.get(like.dtype)
        if pool is None or len(pool) < 2 * like.numel():
            length = 4 * max(like.numel(), 1024)
            pool = torch.randn(length, generator=self._generator, dtype=like.dtype)
            self._pools[like.dtype] = pool
        return pool


def _terms(args: Any, func: Any) -> float:
    """How many numbers one of the result's is summed from, about."""
    sizes = sorted((tensor.numel() for tensor in _real(args)), reverse=True)
    name = func._schema.name.partition("::")[2]
    if name in _PRODUCTS:
        return float(max(list(_real(args))[-2].shape[-1], 1))
    if name.startswith(_LAYERS) and len(sizes) > 1:
        return math.sqrt(math.sqrt(max(sizes[0] * sizes[1], 1)))
    return float(max(sizes[0], 1)) if name.startswith(_SUMS) else 1.0


def _real(args: Any) -> Iterator[Tensor]:
    """The tensors of real numbers among arguments."""
    for one in args:
        if isinstance(one, Tensor):
            if one.is_floating_point():
                yield one
        elif isinstance(one, list | tuple):
            yield from _real(one)
