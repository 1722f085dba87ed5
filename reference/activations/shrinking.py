"""Activations that pull x towards 0, or set it to 0 where it is small."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import require_floating, require_numbers
from reference.support.special import sign


class Tanhshrink(Module):
    r"""``y = x − tanh x``.

    tanh has the slope 1 − tanh², so::

        dy/dx = 1 − (1 − tanh² x) = tanh² x

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        t = np.tanh(x)
        return x - t, t

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        t = cache
        return dy * (t * t), {}


class Hardshrink(Module):
    r"""``y = x``, but 0 for −λ ≤ x ≤ λ: y jumps there, and is 0 at the edges.

    The slope is 1 where x passes and 0 where it does not. The jump has no slope, and a gradient
    knows nothing of it.

    Args:
        lambd: λ. (If it is negative, no x lies between, and all pass.)

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html
    """

    def __init__(self, lambd: float = 0.5) -> None:
        require_numbers(self, lambd=lambd)
        self.lambd = lambd

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        off = (x.real >= -self.lambd) & (x.real <= self.lambd)
        return np.where(off, 0, x), off

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        off = cache
        return np.where(off, 0, dy), {}


class Softshrink(Module):
    r"""``y = x − λ`` for x > λ, ``y = x + λ`` for x < −λ, 0 between: x moved towards 0 by λ.

    The slope is 1 outside and 0 between, by convention also at the edges.

    Args:
        lambd: λ, at least 0.

    Raises:
        ValueError: λ is negative.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html
    """

    def __init__(self, lambd: float = 0.5) -> None:
        require_numbers(self, lambd=lambd)
        if not lambd >= 0:
            raise ValueError(f"Softshrink: lambd is {lambd}, but should be at least 0")
        self.lambd = lambd

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        off = (x.real >= -self.lambd) & (x.real <= self.lambd)
        return np.where(off, 0, x - self.lambd * sign(x)), off

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        off = cache
        return np.where(off, 0, dy), {}
