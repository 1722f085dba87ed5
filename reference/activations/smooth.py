"""Smooth relatives of the rectifier: nearly 0 on the far left, nearly x on the far right.

SiLU, Mish and GELU are x times a gate g(x) between 0 and 1, so by the product rule each slope is
``g(x) + x g'(x)``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import require_floating, require_numbers
from reference.support.special import erf, sigmoid, softplus


class Softplus(Module):
    r"""``y = log(1 + e^(βx))/β``, and simply ``y = x`` where βx exceeds a threshold.

    With z = βx, by the chain rule::

        dy/dx = (1/β) · e^z/(1 + e^z) · β = σ(βx),   and 1 beyond the threshold

    Beyond it, y = x is off by log(1 + e^−z)/β only: 2e-9 at the default threshold, 20, and β = 1.

    Args:
        beta: β; the larger, the sharper the bend.
        threshold: where the function is taken for straight.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        require_numbers(self, beta=beta, threshold=threshold)
        self.beta = beta
        self.threshold = threshold

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        z = self.beta * x
        straight = z.real > self.threshold
        return np.where(straight, x, softplus(z) / self.beta), (z, straight)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        z, straight = cache
        return np.where(straight, dy, dy * sigmoid(z)), {}


class SiLU(Module):
    r"""The sigmoid linear unit, or swish: ``y = x σ(x)``.

    With σ' = σ(1 − σ)::

        dy/dx = σ + x σ(1 − σ) = σ (1 + x (1 − σ))

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        s = sigmoid(x)
        return x * s, (x, s)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        x, s = cache
        return dy * (s * (1 + x * (1 - s))), {}


class Mish(Module):
    r"""``y = x tanh(softplus(x))``.

    The gate t = tanh(u) of u = softplus(x) has slope (1 − t²) · du/dx with du/dx = σ(x)::

        dy/dx = t + x (1 − t²) σ(x)

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        t = np.tanh(softplus(x))
        return x * t, (x, t)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        x, t = cache
        return dy * (t + x * (1 - t * t) * sigmoid(x)), {}


class GELU(Module):
    r"""The Gaussian error linear unit: ``y = x Φ(x)``, Φ the normal distribution function.

    Φ(x) = ½(1 + erf(x/√2)) has the normal density φ(x) = e^(−x²/2)/√(2π) for a slope::

        dy/dx = Φ(x) + x φ(x)

    The approximation by a tanh, which differs from it by up to 5e-4, is another function and has a
    slope of its own. With c = √(2/π), k = 0.044715, u = c (x + k x³) and t = tanh u::

        y     = x · ½(1 + t)
        dy/dx = ½(1 + t) + x · ½(1 − t²) · c (1 + 3 k x²)

    Args:
        approximate: ``none`` for the function itself, ``tanh`` for the approximation.

    Raises:
        ValueError: ``approximate`` is neither.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html
        Hendrycks and Gimpel, Gaussian error linear units, 2016, section 2.
    """

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate is {approximate!r}, but should be none or tanh")
        self.approximate = approximate

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        gate, slope = _tanh_gate(x) if self.approximate == "tanh" else _normal_gate(x)
        return x * gate, (x, gate, slope)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        x, gate, slope = cache
        return dy * (gate + x * slope), {}


def _normal_gate(x: Array) -> tuple[Array, Array]:
    """Φ and its slope φ."""
    distribution = 0.5 * (1 + erf(x / math.sqrt(2)))
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return distribution, density


def _tanh_gate(x: Array) -> tuple[Array, Array]:
    """½(1 + t) and its slope."""
    c, k = math.sqrt(2 / math.pi), 0.044715
    t = np.tanh(c * (x + k * x * x * x))
    return 0.5 * (1 + t), 0.5 * (1 - t * t) * (c * (1 + 3 * k * x * x))
