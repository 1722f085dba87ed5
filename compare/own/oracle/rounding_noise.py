r"""How far rounding moves the results of any PyTorch function: Monte Carlo arithmetic.

Every number that a floating-point operation of the forward or of the backward pass *computes* is
multiplied by 1 + s ξ, ξ random with mean 0 and variance 1 as
:mod:`compare.own.oracle.perturbed_numbers` does. Within operations that sum, or that pass by
numbers larger than their result, what is summed is treated so.
A result then moves by

    ``s · √(Σ (∂result/∂number)² number²)``

to first order, over all numbers of the computation: what independent rounding errors of relative
size u do, once it is scaled by u / s. s is a few dozen u, so that it is measured well beside the
rounding of the run itself, and nothing goes farther than rounding might.

What the user made, labels, targets, masks, data and constants, is never disturbed where anything
but a sum could see it, nor is what an operation merely moves or chooses.

A sum of n terms rounds n − 1 times. Noise on its terms counts each of them once, so for operations
that sum it is multiplied by √n (see docs/tolerances.md, *probable and possible errors*).

Source:
    D. S. Parker, Monte Carlo arithmetic, UCLA CSD-970002 (1997).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from compare.own.oracle.operations import (
    CANCELLING,
    GUARDED,
    SATURATING,
    SATURATING_AT_0,
    Kind,
    chooses,
    kind,
    real,
    terms,
)
from compare.own.oracle.perturbed_numbers import Perturbation

#: s in units of the unit roundoff u.
SCALE = 64.0

#: Operations through which a number of the user's comes in, before anything is computed with it.
_HANDED_ON = ("aten::lift_fresh", "aten::detach", "aten::alias", "aten::scalar_tensor")


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes what a computation is made of.

    Attributes:
        dtypes: of the real numbers that were seen.
        roundings: how many operations round.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtypes: set[torch.dtype] = set()
        self.roundings = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.roundings += kind(func)[1] is not Kind.EXACT
        for tensor in real(args):
            if tensor.dim() > 0:  # numbers of Python's come as tensors without axes
                self.dtypes.add(tensor.dtype)
        if func._schema.name not in _HANDED_ON and isinstance(result, Tensor):
            self.dtypes.update(tensor.dtype for tensor in real([result]))
        return result


class Noise(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Disturbs what every operation within the block computes.

    Args:
        perturbation: by how much.
    """

    def __init__(self, perturbation: Perturbation) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._perturbation = perturbation

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, where = kind(func)
        if where is Kind.EXACT or chooses(name, args, kwargs):
            return func(*args, **kwargs)
        if where is Kind.WITHIN:
            result = func(*self._within(func, name, args), **kwargs)
        else:
            result = func(*args, **kwargs)
        for tensor in result if isinstance(result, list | tuple) else (result,):
            if _can_move(tensor):
                self._perturbation.move_(tensor)
        if name in CANCELLING:
            self._add(name, _first(result), CANCELLING[name](args))
        if name in GUARDED:
            self._open(result, GUARDED[name](args, result))
        if name in SATURATING:
            self._pull_in(_first(result))
        return result

    def _within(self, func: Any, name: str, args: Any) -> list[Any]:
        """The arguments with noise, but for those that the operation changes."""
        times = math.sqrt(terms(name, args))
        return [
            one
            if declared.alias_info is not None and declared.alias_info.is_write
            else self._moved(one, times)
            for one, declared in zip(args, func._schema.arguments, strict=False)
        ]

    def _moved(self, value: Any, times: float) -> Any:
        if isinstance(value, list):
            return [self._moved(one, times) for one in value]
        return self._perturbation.moved(value, times) if _can_move(value) else value

    def _add(self, name: str, result: Tensor, size: Tensor) -> None:
        """Add noise of an absolute size, on the side of 0 where the result is."""
        noise = self._perturbation.noise(result).mul_(size)
        side = result.sign()
        if name in SATURATING_AT_0:
            side = torch.where(result == 0, -1.0, side)
        noise = torch.where(noise.abs() < result.abs(), noise, noise.abs() * side)
        result.add_(torch.where(result.isfinite(), noise, 0.0))

    def _open(self, result: Tensor, apart: Tensor) -> None:
        """Let a result move by as much as the one that a guard kept away is apart from it.

        In units of s that is 2 / s, and 1024 units of u / √3 each, for u = s / 64, are 18 times as
        much: enough however small the few draws of the noise are.
        """
        result.add_(self._perturbation.noise(result) * apart, alpha=2 / self._perturbation.size)

    def _pull_in(self, result: Tensor) -> None:
        """Numbers of size 1 may as well be a little smaller, never larger."""
        result.sub_((result.abs() == 1) * result.sign(), alpha=self._perturbation.size)


def _first(result: Any) -> Any:
    return result[0] if isinstance(result, list | tuple) else result


def _can_move(value: Any) -> bool:
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.dtype in (torch.float32, torch.float64, torch.complex64, torch.complex128)
    )
