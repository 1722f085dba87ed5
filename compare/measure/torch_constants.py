"""What PyTorch computes less exactly than the numbers that it computes with.

In float64 three backward passes are known, of all activations and special functions, each measured
against 40 digits.
``hardsigmoid_backward`` multiplies by a 1/6 that is rounded to float32; the derivative of ``celu``
hands ``1/α`` on to ``elu_backward`` after α was rounded to float32, which is felt the more, the
larger x/α is; that of ``digamma`` is ``polygamma(1, x)``, a series that is cut short. The forward
passes are exact. So autograd's gradients are off by 3e-8, by 6e-8 |x/α| and by 5e-10, relatively,
and what is right must not be held to them. Of the update rules, ASGD with ``foreach`` computes its
rate from a count of steps in float32, by operations in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

#: What is wrong with each, in words.
BUGS = {
    "Hardsigmoid": "the backward pass of Hardsigmoid has its 1/6 rounded to float32",
    "CELU": "the backward pass of CELU has its 1/alpha rounded to float32",
    "digamma": "the derivative of digamma is a series that is cut short",
    "ASGD": "ASGD with foreach=True computes its rate eta in float32",
}

Right = tuple[Tensor, Tensor | float] | None


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
        result = func(*args, **(kwargs or {}))
        known = _KNOWN.get(func._schema.name)
        if known is None or not _is_double(result):
            return result
        name, right = known
        computed = right(func, *args)
        if computed is None:
            return result
        self.found.add(name)
        exact, bound = computed
        # No other error is mended, such as that of a kernel of one's own.
        near = (result - exact).abs() <= bound * exact.abs()
        return torch.where(near, exact, result) if self.mend else result


def told(found: Collection[str], mended: bool = False) -> str:
    """One sentence on PyTorch's bug.

    Args:
        found: which of them.
        mended: whether the comparison was with what it should be.
    """
    bugs = " and ".join(BUGS[name] for name in sorted(found))
    return f"PyTorch is less exact than its numbers where {bugs}, a bug of PyTorch's; " + (
        "it is compared as it would be without"
        if mended
        else "the gradients that it puts off are allowed to differ by as much"
    )


def mend_rates(optimizer: torch.optim.Optimizer) -> set[str]:
    """Compute ASGD's next rates as its formula has them, and give what was found to be off."""
    if not isinstance(optimizer, torch.optim.ASGD):
        return set()
    mended = set()
    for group in optimizer.param_groups:
        lr, lambd, alpha = group["lr"], group["lambd"], group["alpha"]
        for parameter in group["params"] if group["foreach"] else []:
            held = optimizer.state[parameter]
            if held:
                eta = lr / (1 + lambd * lr * held["step"].item()) ** alpha
                if abs(held["eta"].item() - eta) <= 1e-6 * eta:
                    held["eta"].fill_(eta)
                    mended.add("ASGD")
    return mended


def _is_double(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.float64


def _hardsigmoid(func: Any, upstream: Tensor, x: Tensor) -> Right:
    return torch.where((x > -3) & (x < 3), upstream / 6, 0.0), 6e-8


def _celu(
    func: Any, upstream: Tensor, alpha: float, scale: float, inverse: float, *of: Any
) -> Right:
    if inverse == 1 or abs(alpha * inverse - 1) < 1e-14:
        return None
    exact = func(upstream, alpha, scale, 1 / alpha, *of)
    exponent = (exact / upstream).log().abs()
    return exact, 1.2e-7 * (1 + exponent.nan_to_num())


def _trigamma(func: Any, order: int, x: Tensor) -> Right:
    return (torch.special.zeta(2, x), 1e-9) if order == 1 else None


#: By operator, the name of the bug, and what gives the right result and how far off it is known
#: to be; None where the arguments are such that it is not off.
_KNOWN: dict[str, tuple[str, Callable[..., Right]]] = {
    "aten::hardsigmoid_backward": ("Hardsigmoid", _hardsigmoid),
    "aten::elu_backward": ("CELU", _celu),
    "aten::polygamma": ("digamma", _trigamma),
}
