"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import require, require_floating, require_numbers


class Dropout(Module):
    r"""Switches each entry off with probability p: ``y = x m / (1 − p)``, m being 0 or 1.

    Dividing by 1 − p, the probability of m = 1, keeps the expectation: E[y] = x. y is linear in x
    with the factor m / (1 − p), the same for the gradient::

        dx = dy m / (1 − p)

    m is remembered, not recovered from y ÷ x: where x is 0 the two of them cannot tell. In
    evaluation, y = x and dx = dy.

    The mask of a pass is what ``forward`` is handed as ``mask``, or else what ``params`` holds
    under that name, or else, in training, drawn from the generator ``rng``. It has the shape of x;
    one of the two may have more leading axes, an ensemble's.

    Args:
        p: the probability of 0.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
    """

    def __init__(self, p: float = 0.5) -> None:
        require_numbers(self, p=p)
        require(0 <= p <= 1, self, "p", p, "between 0 and 1")
        self.p = p
        self.rng = np.random.default_rng()

    def forward(
        self, params: Params, x: Array, mask: Array | None = None, **options: Any
    ) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        if not self.training:
            return x, None
        if mask is None:
            mask = params["mask"] if "mask" in params else self.rng.random(x.shape) >= self.p
        kept = mask.real != 0
        require(_fits(kept, x), self, "the mask's shape", kept.shape, f"the input's {x.shape}")
        return self._scaled(x, kept), kept

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        kept = cache
        return (dy if kept is None else self._scaled(dy, kept)), {}

    def _scaled(self, x: Array, kept: Array) -> Array:
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        return np.where(kept, x * scale, 0)


def _fits(mask: Array, x: Array) -> bool:
    """Whether both have the same shape, but for leading axes before samples and features."""
    common = min(mask.ndim, x.ndim)
    same = mask.shape[mask.ndim - common :] == x.shape[x.ndim - common :]
    return same and (mask.ndim == x.ndim or common >= 2)
