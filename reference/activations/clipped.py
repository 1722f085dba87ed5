"""Activations that are clipped straight lines, or made of one.

Outside the edges a clipped line does not move, so no gradient passes through it; Hardswish, x times
such a line, has slope 1 above. The edges themselves count as outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.module import Array, Module, Params
from reference.support.checks import require_floating, require_numbers


class Hardtanh(Module):
    r"""``x`` clipped to lie between two limits: ``y = min(max(x, min_val), max_val)``.

    The slope is 1 strictly between the limits and 0 elsewhere, by convention also at the limits.

    Args:
        min_val: the lower limit.
        max_val: the upper limit.

    Raises:
        ValueError: the limits are not in order.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        require_numbers(self, min_val=min_val, max_val=max_val)
        if not min_val < max_val:
            raise ValueError(
                f"{type(self).__name__}: max_val is {max_val}, but should be greater than "
                f"min_val, {min_val}"
            )
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        below, above = x.real <= self.min_val, x.real >= self.max_val
        y = np.where(below, self.min_val, np.where(above, self.max_val, x))
        return y, below | above

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        clipped = cache
        return np.where(clipped, 0, dy), {}


class ReLU6(Hardtanh):
    """A rectifier with a ceiling, ``y = min(max(x, 0), 6)``: a Hardtanh with the limits 0 and 6.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
    """

    def __init__(self) -> None:
        super().__init__(0.0, 6.0)


class Hardsigmoid(Module):
    r"""A sigmoid of straight lines: ``y = x/6 + 1/2``, clipped to lie between 0 and 1.

    It reaches 0 at x = −3 and 1 at x = 3. The slope is 1/6 strictly between, and 0 elsewhere.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        below, above = x.real <= -3, x.real >= 3
        y = np.where(below, 0, np.where(above, 1, (x + 3) / 6))
        return y, below | above

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        clipped = cache
        return np.where(clipped, 0, dy / 6), {}


class Hardswish(Module):
    r"""x times its Hardsigmoid: 0 for x ≤ −3, x for x ≥ 3, and ``y = x (x + 3)/6`` between.

    Between, by the product rule::

        dy/dx = (x + 3)/6 + x/6 = x/3 + 1/2

    The curve has a corner at both edges: the slope jumps from 0 to −1/2 at −3 and from 3/2 to 1
    at 3. At the edges, by convention, it is that of outside: 0 and 1.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
    """

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require_floating(self, "the input", x)
        below, above = x.real <= -3, x.real >= 3
        inner = np.where(below | above, 0, x)  # far out, x·x might overflow
        y = np.where(below, 0, np.where(above, x, inner * (inner + 3) / 6))
        return y, (inner, below, above)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        inner, below, above = cache
        return np.where(below, 0, np.where(above, dy, dy * (inner / 3 + 0.5))), {}
