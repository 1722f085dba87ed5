"""The activation that does nothing."""

from __future__ import annotations

from typing import Any

from reference.module import Array, Module, Params


class Identity(Module):
    """``y = x``, so ``dx = dy``."""

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        return x, None

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        return dy, {}
