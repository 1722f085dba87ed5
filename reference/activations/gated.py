"""Half of the input opens and closes a gate for the other half."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.layers.shape import axis_of
from reference.module import Array, Module, Params
from reference.support.checks import require_floating
from reference.support.special import sigmoid


class GLU(Module):
    r"""The gated linear unit: x in two halves a and b along an axis, ``y = a σ(b)``.

    Each y has one a and one b. With g = σ(b) and σ' = σ(1 − σ)::

        da = dy g
        db = dy a g (1 − g)

    Args:
        dim: the axis that is halved.

    Shapes:
        x ``(*, 2n, *)``, y ``(*, n, *)``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        a, b = self._halves(x)
        gate = sigmoid(b)
        return a * gate, (a, gate)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        a, gate = cache
        da = dy * gate
        db = da * a * (1 - gate)
        return np.concatenate([da, db], axis=self.dim), {}

    def _halves(self, x: Array) -> tuple[Array, Array]:
        axis_of(self, "dim", self.dim, x.shape)
        if x.shape[self.dim] % 2:
            raise ValueError(
                f"GLU: x has shape {x.shape}, but should have an even length along axis {self.dim}"
            )
        half = x.shape[self.dim] // 2
        before = (slice(None),) * (self.dim % x.ndim)
        return x[(*before, slice(half))], x[(*before, slice(half, None))]
