"""From the terms of a loss to one number, and the gradient back to the terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.module import Array


@dataclass(frozen=True)
class Reduction:
    r"""From the terms of a loss to the loss, and back.

    With terms lᵢ and a divisor K, usually their number::

        none   L = l, all of them      dlᵢ = dLᵢ
        sum    L = Σ lᵢ                dlᵢ = dL
        mean   L = (1/K) Σ lᵢ          dlᵢ = dL/K      K = 0: L no number, dlᵢ = 0

    Sum and mean run over the last axes only, ``ndim`` in number; axes before them are an ensemble,
    with a loss each.

    Attributes:
        loss: the name of the loss, for errors.
        kind: ``none`` or ``sum``; all else is a ``mean``.
        ndim: how many axes are summed over.
        divisor: K, of which only the mean makes use.
    """

    loss: str
    kind: str
    ndim: int
    divisor: Any

    def forward(self, terms: Array) -> Array:
        """The loss."""
        if self.kind == "none":
            return terms
        total: Array = terms.sum(axis=tuple(range(-self.ndim, 0)))
        if self.kind == "sum":
            return total
        with np.errstate(invalid="ignore"):  # as in PyTorch, the mean of nothing is no number
            mean: Array = total / self.divisor
        return mean

    def backward(self, dloss: Any, shape: Sequence[int]) -> Any:
        """The gradient of the terms, of a shape that broadcasts against theirs.

        Raises:
            ValueError: ``dloss`` does not have the shape of the loss.
        """
        loss_shape = tuple(shape) if self.kind == "none" else tuple(shape[: len(shape) - self.ndim])
        given = getattr(dloss, "shape", ())
        if given != loss_shape and (given or self.kind == "none"):
            raise ValueError(
                f"{self.loss}: the loss's gradient has shape {given}, but should have that of the "
                f"loss, {loss_shape}"
            )
        single = given == () or self.kind == "none"
        dterms = dloss if single else dloss.reshape(given + (1,) * self.ndim)
        if self.kind in ("none", "sum"):
            return dterms
        return dterms / self.divisor if self.divisor != 0 else dterms * 0


def without_axis(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The shape left when an axis, counted from the end, is summed over."""
    position = len(shape) + axis
    return shape[:position] + shape[position + 1 :]


def beside(dterms: Any, axis: int) -> Any:
    """A gradient for each sample, given an axis for the classes; a single number stays as it is."""
    shape = getattr(dterms, "shape", ())
    position = len(shape) + axis + 1
    return dterms.reshape((*shape[:position], 1, *shape[position:])) if shape else dterms
