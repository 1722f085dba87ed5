"""A small number added inside the logarithms of a loss, as people do against a logarithm of 0."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

#: What people take, the usual ones first.
EPSILONS = (1e-8, *(10.0**-power for power in (7, 6, 5, 4, 3, 9, 10, 11, 12, 15, 16)), 2.0**-52)


class Epsilon(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds a number inside each logarithm that is taken within the block, also of a softmax.

    Args:
        size: the number.

    Attributes:
        used: whether there was a logarithm.
    """

    def __init__(self, size: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.size, self.used = size, False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if name == "log" and args[0].is_floating_point():
            self.used = True
            return torch.log(args[0] + self.size)
        if name in ("_log_softmax", "log_sigmoid_forward"):
            self.used = True
            return self._of_logarithms(result)
        if name == "binary_cross_entropy":
            self.used = True
            return self._entropy(*args, **(kwargs or {}))
        return result

    def _of_logarithms(self, result: Any) -> Any:
        if isinstance(result, Tensor):
            return torch.log(result.exp() + self.size)
        return (self._of_logarithms(result[0]), *result[1:])

    def _entropy(
        self, p: Tensor, target: Tensor, weight: Tensor | None = None, reduction: int = 1
    ) -> Tensor:
        terms = -target * torch.log(p + self.size) - (1 - target) * torch.log(1 - p + self.size)
        if weight is not None:
            terms = terms * weight
        return (terms, terms.mean(), terms.sum())[(0, 1, 2).index(reduction)]
