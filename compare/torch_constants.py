"""Constants that PyTorch's backward passes hold in float32, though they compute in float64.

Two operators are known. ``hardsigmoid_backward`` multiplies by a 1/6 that is rounded to float32;
the derivative of ``celu`` hands ``1/α`` on to ``elu_backward`` after α was rounded to float32. The
forward passes have both in full. So autograd's gradients are off by up to 6e-8, relatively, and
what is right must not be held to them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

#: By class, how far its gradient may be off, relatively. That of CELU is felt in the exponent x/α,
#: and the more, the larger that is.
CONSTANTS = {"Hardsigmoid": 6e-8, "CELU": 1e-6}

#: What each operator's constant should be, in words.
_RIGHT = {"Hardsigmoid": "1/6", "CELU": "1/alpha"}


class Constants(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes within the block which of these operators compute in float64.

    Args:
        mend: compute them with the right constant, so that the difference can be seen.

    Attributes:
        found: the classes whose backward pass was seen to be off.
    """

    def __init__(self, mend: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.mend = mend
        self.found: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        if name == "aten::hardsigmoid_backward" and _is_double(args[0]):
            self.found.add("Hardsigmoid")
            if self.mend:
                return _hardsigmoid_backward(*args)
        elif name == "aten::elu_backward" and _is_double(args[0]):
            _, alpha, _, in_exponent = args[:4]
            if abs(alpha * in_exponent - 1) > 1e-14 and in_exponent != 1:
                self.found.add("CELU")
                if self.mend:
                    args = (*args[:3], 1 / alpha, *args[4:])
        return func(*args, **(kwargs or {}))


def told(classes: Collection[str]) -> str:
    """One sentence on PyTorch's bug."""
    named = " and ".join(f"{name} ({_RIGHT[name]})" for name in sorted(classes))
    return (
        f"in float64, PyTorch's backward pass of {named} computes with a constant rounded to "
        f"float32, a bug of PyTorch's; the gradients that it puts off are allowed to differ by as "
        f"much"
    )


def _is_double(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.float64


def _hardsigmoid_backward(upstream: Tensor, x: Tensor) -> Tensor:
    return torch.where((x > -3) & (x < 3), upstream / 6, 0.0)
