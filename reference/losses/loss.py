"""What all losses share: the interface, the reduction to one number, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.module import Array

#: What may be handed in as a fixed weight of a loss.
Weight = npt.ArrayLike | None


class Loss:
    """A function ``L(y, target)`` with its derivative ``∂L/∂y``.

    A loss has a term for each sample or each entry. How the terms become one number is the
    ``reduction``, which :class:`Reduction` derives once for all losses.

    Args:
        reduction: ``none``, ``mean`` or ``sum``.

    Raises:
        ValueError: there is no such reduction.
    """

    reductions: tuple[str, ...] = ("none", "mean", "sum")

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction
        self.require(reduction in self.reductions, "reduction", repr(reduction), self.reductions)

    def forward(self, *inputs: Any) -> tuple[Array, Any]:
        """Compute the loss.

        Args:
            inputs: usually two: y, the prediction, ``(..., N, features)``, and what it should be,
                the target, ``(N, features)``.

        Returns:
            The loss, of shape ``(...)``, and the cache for :meth:`backward`. With the reduction
            ``none``, the loss is the array of its terms.
        """
        raise NotImplementedError

    def backward(self, cache: Any, dloss: Any = 1.0) -> Any:
        """Give ``dy = ∂L/∂y``, of the shape of ``y``; a tuple if there are several predictions.

        Args:
            cache: what ``forward`` returned beside the loss.
            dloss: ∂/∂loss of what is differentiated, of the shape of the loss. The default is for
                the loss itself.
        """
        raise NotImplementedError

    def require(self, condition: bool, what: str, got: object, needed: object) -> None:
        """Go on only if ``condition`` holds.

        Raises:
            ValueError: it does not; the message names the loss, what it got and what it needs.
        """
        if not condition:
            if isinstance(needed, tuple):
                needed = f"one of {', '.join(needed)}"
            raise ValueError(f"{type(self).__name__}: {what} is {got}, but should be {needed}")

    def require_same_shape(self, y: Array, target: Array) -> None:
        """Refuse shapes that would broadcast, such as (N, 1) against (N,).

        If the target has two axes or more, y may have further ones before them: an ensemble of
        predictions of the same target.
        """
        own = y.shape[-target.ndim :] if target.ndim >= 2 else y.shape
        if own != target.shape:
            raise ValueError(
                f"{type(self).__name__}: prediction and target must have the same shape, but the "
                f"prediction has {own} and the target {target.shape}: broadcasting them would "
                f"compare every sample with every target"
            )


@dataclass(frozen=True)
class Reduction:
    r"""From the terms of a loss to the loss, and back.

    With terms lᵢ and a divisor K, usually their number::

        none   L = l, all of them      dlᵢ = dLᵢ
        sum    L = Σ lᵢ                dlᵢ = dL
        mean   L = (1/K) Σ lᵢ          dlᵢ = dL/K

    Sum and mean run over the last axes only, ``ndim`` in number; axes before them are an ensemble,
    with a loss each.

    Attributes:
        kind: ``none``, ``sum`` or ``mean``.
        ndim: how many axes are summed over.
        divisor: K, of which only the mean makes use.
    """

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
                f"the loss's gradient has shape {given}, but should have that of the loss, "
                f"{loss_shape}"
            )
        single = given == () or self.kind == "none"
        dterms = dloss if single else dloss.reshape(given + (1,) * self.ndim)
        if self.kind != "mean":
            return dterms
        return dterms / self.divisor if self.divisor != 0 else dterms * 0  # nothing, no gradient


def over_all(loss: Loss, shape: Sequence[int]) -> Reduction:
    """The reduction of a loss over all terms of a target, ``shape``; the mean counts each once."""
    count = math.prod(shape)
    loss.require(count > 0 or loss.reduction != "mean", "the number of terms", 0, "at least 1")
    return Reduction(loss.reduction, len(shape), count)


def like(weight: npt.ArrayLike, y: Array) -> Array:
    """A weight as an array of the kind of real number that y is made of."""
    return np.asarray(weight, y.real.dtype)


def without_axis(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The shape left when an axis, counted from the end, is summed over."""
    position = len(shape) + axis
    return shape[:position] + shape[position + 1 :]


def beside(dterms: Any, axis: int) -> Any:
    """A gradient for each sample, given an axis for the classes; a single number stays as it is."""
    shape = getattr(dterms, "shape", ())
    position = len(shape) + axis + 1
    return dterms.reshape((*shape[:position], 1, *shape[position:])) if shape else dterms
