"""What every layer is: configuration, and a stateless pair of functions.

A layer holds no parameters. They travel beside it as a plain dictionary, keyed as in a PyTorch
``state_dict``, so the same layer object serves any dtype, any arithmetic and any number of
parameter sets at once (leading axes of a parameter are an ensemble of networks).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Params: TypeAlias = dict[str, Array]
Shapes: TypeAlias = dict[str, tuple[int, ...]]


class Module:
    """A differentiable map ``y = f(params, x)`` with its derivative written out by hand.

    A subclass defines :meth:`forward` and :meth:`backward`; one with parameters also
    :meth:`parameter_shapes` and :meth:`init`.
    """

    def parameter_shapes(self) -> Shapes:
        """Name and shape of each parameter, in ``state_dict`` order."""
        return {}

    def init(self, rng: np.random.Generator) -> Params:
        """Draw parameters from the distribution that ``torch.nn`` uses by default (float64)."""
        return {}

    def children(self) -> dict[str, Module]:
        """The modules this one is made of, by name, in the order in which they run."""
        return {}

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        """Compute ``y`` and whatever :meth:`backward` needs to remember.

        Args:
            params: this module's parameters, by name.
            x: the input, ``(..., N, features)``.

        Returns:
            ``y`` and the cache.
        """
        raise NotImplementedError

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        """Carry the gradient of the loss from ``y`` back to ``x`` and the parameters.

        Args:
            params: the parameters that ``forward`` was given.
            cache: what ``forward`` returned beside ``y``.
            dy: ∂L/∂y, of the shape of ``y``.

        Returns:
            ``dx = ∂L/∂x`` and the gradient of each parameter, by name.
        """
        raise NotImplementedError
