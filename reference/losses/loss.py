"""What all losses share: the interface, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.losses.reduction import Reduction
from reference.module import Array
from reference.support.checks import require_floating

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

    def over(self, shape: Sequence[int], divisor: Any = None) -> Reduction:
        """The reduction over as many terms as a target of this shape has.

        Args:
            shape: of the target, one entry for each term.
            divisor: what a mean divides by; if not given, the number of terms.
        """
        if divisor is None:
            divisor = math.prod(shape)
            empty = divisor == 0 and self.reduction not in ("none", "sum")
            self.require(not empty, "the number of terms", 0, "at least 1")
        return Reduction(type(self).__name__, self.reduction, len(shape), divisor)

    def require(self, condition: bool, what: str, got: object, needed: object) -> None:
        """Go on only if ``condition`` holds.

        Raises:
            ValueError: it does not; the message names the loss, what it got and what it needs.
        """
        if not condition:
            if isinstance(needed, tuple):
                needed = f"one of {', '.join(needed)}"
            raise ValueError(f"{type(self).__name__}: {what} is {got}, but should be {needed}")

    def require_alike(self, y: Array, target: Array) -> None:
        """Refuse shapes that would broadcast, such as (N, 1) against (N,), and mixed dtypes.

        If the target has two axes or more, y may have further ones before them: an ensemble of
        predictions of the same target.
        """
        require_floating(self, "the prediction", y)
        require_floating(self, "the target", target, {"the prediction": y})
        own = y.shape[-target.ndim :] if target.ndim >= 2 else y.shape
        if own != target.shape:
            raise ValueError(
                f"{type(self).__name__}: prediction and target must have the same shape, but the "
                f"prediction has {own} and the target {target.shape}: broadcasting them would "
                f"compare every sample with every target"
            )


def like(weight: npt.ArrayLike, y: Array) -> Array:
    """A weight as an array of the kind of real number that y is made of."""
    return np.asarray(weight, y.real.dtype)
