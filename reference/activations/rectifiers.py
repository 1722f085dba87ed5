"""Rectifiers: x itself on one side of a corner, something simpler on the other.

At the corner any slope between the two would do; the conventions are PyTorch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes
from reference.support.checks import per_axis, require_floating, require_numbers


class ReLU(Module):
    r"""The rectifier ``y = max(0, x)``.

    The slope is 1 for x > 0 and 0 for x < 0. At x = 0 there is a corner and any slope between
    the two would do; the convention, PyTorch's and ours, is 0.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        off = x.real <= 0  # asked this way round, what is not a number stays so
        return np.where(off, 0, x), off

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        off = cache
        return np.where(off, 0, dy), {}


class Threshold(Module):
    r"""``y = x`` above a threshold and a fixed value elsewhere, so ``dx = dy`` above, else 0.

    At the threshold itself y is the fixed value, and the slope 0.

    Args:
        threshold: x must be greater than this to pass.
        value: what stands for x otherwise.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html
    """

    def __init__(self, threshold: float, value: float) -> None:
        require_numbers(self, threshold=threshold, value=value)
        self.threshold = threshold
        self.value = value

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        off = x.real <= self.threshold
        return np.where(off, self.value, x), off

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        off = cache
        return np.where(off, 0, dy), {}


class LeakyReLU(Module):
    r"""A rectifier that leaks: ``y = x`` for x > 0, ``y = s x`` otherwise.

    The slope is 1 for x > 0 and s for x < 0; at x = 0, by convention, s.

    Args:
        negative_slope: s.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        require_numbers(self, negative_slope=negative_slope)
        self.negative_slope = negative_slope

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        positive = x.real > 0
        return np.where(positive, x, self.negative_slope * x), positive

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        positive = cache
        return np.where(positive, dy, self.negative_slope * dy), {}


class PReLU(Module):
    r"""A leaky rectifier that learns its leak: ``y = x`` for x > 0, ``y = w x`` otherwise.

    For x the slope is 1 or w, as in :class:`LeakyReLU`. The weight of a channel reaches y wherever
    that channel's x is not positive, each time with slope x, and all these ways add up::

        dx = dy for x > 0, w dy otherwise
        dw = Σ x dy over all x ≤ 0 of the channel

    Args:
        num_parameters: 1, one weight for all, or as many as there are channels.
        init: the weights' first value.

    Shapes:
        x ``(N, channels, *)`` and y the same, weight ``(num_parameters,)``. A weight with leading
        axes is an ensemble, whose axes x has too: ``(..., N, channels, *)``.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        require_numbers(self, init=init)
        (self.num_parameters,) = per_axis(self, "num_parameters", num_parameters, 1)
        self.first = init

    def parameter_shapes(self) -> Shapes:
        return {"weight": (self.num_parameters,)}

    def init(self, rng: np.random.Generator) -> Params:
        """Every weight the same, ``init``."""
        return {"weight": np.full(self.num_parameters, self.first)}

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x, params)
        weight = self._beside(params["weight"], x)
        positive = x.real > 0
        return np.where(positive, x, weight * x), (x, positive, weight)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        x, positive, weight = cache
        dx = np.where(positive, dy, weight * dy)
        leading = params["weight"].ndim - 1
        shared = tuple(axis for axis in range(leading, dy.ndim) if weight.shape[axis] == 1)
        dw = np.where(positive, 0, x * dy).sum(axis=shared)
        return dx, {"weight": dw.reshape(params["weight"].shape)}

    def _beside(self, weight: Array, x: Array) -> Array:
        """The weight with its channels on the channel axis of x, the second."""
        leading = weight.ndim - 1
        own = x.shape[leading:]
        if self.num_parameters != 1 and (len(own) < 2 or own[1] != self.num_parameters):
            raise ValueError(
                f"PReLU: x has shape {own}, but should have {self.num_parameters} channels, as "
                f"many as there are parameters, on its second axis"
            )
        channels = (1, self.num_parameters) if len(own) >= 2 else (1,) * len(own)
        return weight.reshape(weight.shape[:-1] + channels + (1,) * (len(own) - 2))
