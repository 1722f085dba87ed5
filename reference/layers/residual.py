"""The residual connection."""

from __future__ import annotations

from typing import Any

from reference.module import Array, Module, Params, prefixed, scoped


class Residual(Module):
    r"""Adds what a module makes of x to x itself: ``y = x + f(x)``.

    x reaches y in two ways, directly with slope 1 and through f, so its gradient is the sum of
    both. Whatever f does, the direct way passes dy on undiminished; that is why deep networks
    are built of these::

        dx = dy + f'ᵀ dy

    The module's parameters are prefixed: ``module.weight``.

    Args:
        module: f; its output has the shape of its input.

    Raises:
        ValueError: the module's output has another shape.

    Source:
        He et al., Deep residual learning for image recognition, https://arxiv.org/abs/1512.03385.
    """

    def __init__(self, module: Module) -> None:
        self.module = module

    def forward(self, params: Params, x: Array, **options: Any) -> tuple[Array, Any]:
        fx, cache = self.module.forward(scoped(params, "module"), x, **options)
        if fx.shape[fx.ndim - x.ndim :] != x.shape:  # an ensemble may have come in front
            raise ValueError(
                f"Residual: {type(self.module).__name__} turns {x.shape} into {fx.shape}, but "
                f"should keep the shape, or its output cannot be added to its input"
            )
        return x + fx, cache

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        dx, grads = self.module.backward(scoped(params, "module"), cache, dy)
        return dy + dx, prefixed("module", grads)

    def buffers(self, params: Params, cache: Any) -> Params:
        return prefixed("module", self.module.buffers(scoped(params, "module"), cache))
