"""One step on both sides, as a comparison looks at it."""

from __future__ import annotations

from torch import Tensor

from compare.measure.tolerances import Tolerance
from compare.sides.lockstep import Step, repeat, show
from compare.sides.pair import Pair
from reference import Array


def one_step(
    pair: Pair, tolerance: Tolerance, ours: tuple[Array, Array], theirs: tuple[Tensor, Tensor]
) -> Step:
    """Let PyTorch make its next step, and the reference the same step from the same start."""
    return repeat(pair.reference, tolerance, ours, show(pair.torch, theirs))
