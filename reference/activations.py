"""Activation functions: one number in, one number out, so dx = dy · f'(x), elementwise.

Where f' is simpler in y = f(x) than in x, the cache holds y, and the docstring says so: to take
``y (1 − y)`` at x instead of at y is the commonest slip of all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params


class Identity(Module):
    """``y = x``, so ``dx = dy``."""

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        return x, None

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        return dy, {}


class Sigmoid(Module):
    r"""The logistic function ``y = σ(x) = 1 / (1 + e⁻ˣ)``.

    With u = 1 + e⁻ˣ, y = 1/u and du/dx = −e⁻ˣ = −(u − 1)::

        dy/dx = −u⁻² · du/dx = (u − 1)/u² = (1/u)(1 − 1/u) = y (1 − y)

    e⁻ˣ overflows for large negative x. Multiplying numerator and denominator by eˣ gives the
    same function as eˣ/(1 + eˣ), so with z = e^−|x| ≤ 1 nothing ever overflows::

        y = 1/(1 + z) for x ≥ 0,   z/(1 + z) for x < 0

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        positive = x.real >= 0
        z = np.exp(np.where(positive, -x, x))
        y = np.where(positive, 1, z) / (1 + z)
        return y, y

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        y = cache
        return dy * (y * (1 - y)), {}


class Tanh(Module):
    r"""The hyperbolic tangent ``y = (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ) = s/c``.

    The numerator s and denominator c are each other's derivatives, so by the quotient rule::

        dy/dx = (c·c − s·s)/c² = 1 − y²

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        y = np.tanh(x)
        return y, y

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        y = cache
        return dy * (1 - y * y), {}


class ReLU(Module):
    r"""The rectifier ``y = max(0, x)``.

    The slope is 1 for x > 0 and 0 for x < 0. At x = 0 there is a corner and any slope between
    the two would do; the convention, PyTorch's and ours, is 0.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        cut = x.real <= 0
        return np.where(cut, 0, x), cut

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        cut = cache
        return np.where(cut, 0, dy), {}


ACTIVATIONS: dict[str, type[Module]] = {
    "identity": Identity,
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
}
