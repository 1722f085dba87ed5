"""Rectifiers whose negative side is an exponential that levels off.

On the negative side e^x ≤ 1. The positive side is masked before the exponential is taken, where it
might overflow; ``expm1(x) = eˣ − 1`` keeps its digits for small x, where 1 would swallow them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import require_floating, require_numbers


class ELU(Module):
    r"""``y = x`` for x > 0, ``y = α (eˣ − 1)`` otherwise.

    The slope is 1 for x > 0 and α eˣ for x < 0. The two meet smoothly at 0 only if α = 1; by
    convention the slope at x = 0 is that of the negative side, α.

    Args:
        alpha: α; y approaches −α for very negative x.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html
    """

    def __init__(self, alpha: float = 1.0) -> None:
        require_numbers(self, alpha=alpha)
        self.alpha = alpha

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        positive = x.real > 0
        negative = np.where(positive, 0, x)
        return np.where(positive, x, self.alpha * np.expm1(negative)), (positive, negative)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        positive, negative = cache
        return np.where(positive, dy, dy * (self.alpha * np.exp(negative))), {}


class CELU(Module):
    r"""``y = x`` for x > 0, ``y = α (e^(x/α) − 1)`` otherwise.

    The slope of the negative side is α e^(x/α) · 1/α = e^(x/α), which is 1 at x = 0 for any α: that
    is what x/α is for.

    Args:
        alpha: α; y approaches −α for very negative x.

    Raises:
        ValueError: α is 0.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.CELU.html
    """

    def __init__(self, alpha: float = 1.0) -> None:
        require_numbers(self, alpha=alpha)
        if alpha == 0:
            raise ValueError("CELU: alpha is 0, but should be another number: x is divided by it")
        self.alpha = alpha

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        positive = x.real > 0
        scaled = np.where(positive, 0, x) / self.alpha
        return np.where(positive, x, self.alpha * np.expm1(scaled)), (positive, scaled)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        positive, scaled = cache
        return np.where(positive, dy, dy * np.exp(scaled)), {}


class SELU(Module):
    r"""A scaled ELU: ``y = λ x`` for x > 0, ``y = λ α (eˣ − 1)`` otherwise.

    The slope is λ for x > 0 and λ α eˣ for x ≤ 0. The two constants are those for which mean 0 and
    variance 1 of the inputs come out again as mean 0 and variance 1.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html
        Klambauer and others, Self-normalizing neural networks, 2017.
    """

    alpha = 1.6732632423543772848170429916717
    scale = 1.0507009873554804934193349852946

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        positive = x.real > 0
        negative = np.where(positive, 0, x)
        y = np.where(positive, self.scale * x, self.scale * self.alpha * np.expm1(negative))
        return y, (positive, negative)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        positive, negative = cache
        slope = self.scale * self.alpha * np.exp(negative)
        return np.where(positive, self.scale * dy, dy * slope), {}
