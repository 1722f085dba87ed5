"""What every layer is: configuration, and a stateless pair of functions.

A layer holds no parameters. They travel beside it as a plain dictionary, keyed as in a PyTorch
``state_dict``, so the same layer object serves any dtype and any arithmetic. In most layers
leading axes of a parameter are an ensemble of networks, computed at once (see
:mod:`reference.support.ensemble`); convolution and pooling take one network at a time.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Params: TypeAlias = dict[str, Array]
Shapes: TypeAlias = dict[str, tuple[int, ...]]


class Module:
    """A differentiable map ``y = f(params, x)`` with its derivative written out by hand.

    A layer defines :meth:`forward` and :meth:`backward`; one with parameters also
    :meth:`parameter_shapes` and :meth:`init`; one with buffers, such as running statistics, also
    :meth:`buffer_shapes` and :meth:`buffers`. A module made of others keeps them as attributes
    and defines forward and backward, and :meth:`buffers` if one of them has buffers. It inherits
    the rest; its parameters are theirs, prefixed with the attribute's name.

    Several inputs are several arguments of ``forward``, and ``dx`` is then a tuple; several outputs
    are a tuple ``y``, and so is ``dy``.

    Attributes:
        training: whether layers that treat training and evaluation differently are training.
    """

    training: bool = True

    def forward(self, params: Params, *inputs: Any, **options: Any) -> tuple[Any, Any]:
        """Compute ``y`` and whatever :meth:`backward` needs to remember.

        Args:
            params: this module's parameters and buffers, by name.
            inputs: usually one, x, ``(..., N, features)``.
            options: what else a layer may be told for one pass, such as a mask.

        Returns:
            ``y`` and the cache.
        """
        raise NotImplementedError

    def backward(self, params: Params, cache: Any, dy: Any) -> tuple[Any, Params]:
        """Carry the gradient of the loss from ``y`` back to ``x`` and the parameters.

        Args:
            params: what ``forward`` was given.
            cache: what ``forward`` returned beside ``y``.
            dy: ∂L/∂y, of the shape of ``y``.

        Returns:
            ``dx = ∂L/∂x`` and the gradient of each parameter, by name.
        """
        raise NotImplementedError

    def parameter_shapes(self) -> Shapes:
        """Name and shape of each parameter, in ``state_dict`` order."""
        return {
            full: shape
            for name, child in self.children().items()
            for full, shape in prefixed(name, child.parameter_shapes()).items()
        }

    def buffer_shapes(self) -> Shapes:
        """Name and shape of each buffer: what travels beside the parameters but is not learned."""
        return {
            full: shape
            for name, child in self.children().items()
            for full, shape in prefixed(name, child.buffer_shapes()).items()
        }

    def buffers(self, params: Params, cache: Any) -> Params:
        """The buffers after a pass; those in ``params`` stay as they were.

        Args:
            params: what ``forward`` was given.
            cache: what ``forward`` returned beside ``y``.

        Returns:
            Every buffer by name, changed or not.
        """
        if self.buffer_shapes():
            raise NotImplementedError(
                f"{type(self).__name__} has buffers {list(self.buffer_shapes())}, "
                f"so it should define the method buffers"
            )
        return {}

    def init(self, rng: np.random.Generator) -> Params:
        """Draw parameters as ``torch.nn`` does by default (float64), and add the first buffers."""
        drawn: Params = {}
        for name, child in self.children().items():
            drawn |= prefixed(name, child.init(rng))
        return drawn

    def children(self) -> dict[str, Module]:
        """The modules this one is made of, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def with_children(self, children: Mapping[str, Module]) -> Self:
        """A copy of this module, made of other children of the same names."""
        twin = copy.copy(self)
        vars(twin).update(children)
        return twin

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all within it to training, or to evaluation."""
        self.training = mode
        for child in self.children().values():
            child.train(mode)
        return self


def scoped(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What belongs to the child ``name``, without its prefix: ``0.weight`` becomes ``weight``."""
    prefix = f"{name}."
    start = len(prefix)
    return {key[start:]: value for key, value in params.items() if key.startswith(prefix)}


def prefixed(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """What the child ``name`` gave, as its parent names it: ``weight`` becomes ``0.weight``."""
    return {f"{name}.{key}": value for key, value in params.items()}
