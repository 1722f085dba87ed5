"""One step on both sides, as a comparison looks at it."""

from __future__ import annotations

from torch import Tensor

from compare.measure.step_records import StepOutcome
from compare.measure.tolerances import Tolerance
from compare.sides.lockstep import step_reference, step_torch
from compare.sides.pair import Pair
from reference import Array


def one_step(
    pair: Pair, tolerance: Tolerance, ours: tuple[Array, Array], theirs: tuple[Tensor, Tensor]
) -> StepOutcome:
    """Let PyTorch make its next step, and the reference the same step from the same start."""
    given, expected = step_torch(pair.torch, theirs, ours)
    return step_reference(pair.reference, given, expected, tolerance)
