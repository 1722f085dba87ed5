"""Activations that squash x into an interval, and the logarithm of one of them.

Where f' is simpler in y = f(x) than in x, the cache holds y, and the docstring says so: to take
``y (1 − y)`` at x instead of at y is the commonest slip of all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import require_floating
from reference.support.special import absolute, sigmoid, softplus


class Sigmoid(Module):
    r"""The logistic function ``y = σ(x) = 1 / (1 + e⁻ˣ)``.

    With u = 1 + e⁻ˣ, y = 1/u and du/dx = −e⁻ˣ = −(u − 1)::

        dy/dx = −u⁻² · du/dx = (u − 1)/u² = (1/u)(1 − 1/u) = y (1 − y)

    How σ is evaluated without overflow is told in :func:`reference.support.special.sigmoid`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        y = sigmoid(x)
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
        require_floating(self, "the input", x)
        y = np.tanh(x)
        return y, y

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        y = cache
        return dy * (1 - y * y), {}


class Softsign(Module):
    r"""``y = x/(1 + |x|)``.

    For x ≥ 0, with u = 1 + x, y = 1 − 1/u and dy/dx = 1/u²; y is odd, so its slope is even::

        dy/dx = 1/(1 + |x|)²

    The two sides meet at x = 0 with the same slope, 1.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        u = 1 + absolute(x)
        return x / u, u

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        u = cache
        return dy / u / u, {}


class LogSigmoid(Module):
    r"""``y = log σ(x) = −log(1 + e⁻ˣ) = −softplus(−x)``.

    The slope of softplus is σ, and the two minus signs cancel::

        dy/dx = σ(−x) = 1 − σ(x)

    of which the first form keeps its digits where σ(x) is nearly 1.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        return -softplus(-x), x

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        x = cache
        return dy * sigmoid(-x), {}
