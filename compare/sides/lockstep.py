"""One training step on both sides, from the very same start."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from torch import Tensor

from compare.base.quantities import Array, Observation
from compare.measure.step_records import StepInput, StepOutcome, compare_step
from compare.measure.tolerances import Tolerance
from compare.sides.reference_side import ReferenceSide
from compare.sides.torch_side import TorchSide


def step_torch(
    side: TorchSide,
    theirs: tuple[Tensor, Tensor],
    ours: tuple[Array, Array],
    number: int = 0,
) -> tuple[StepInput, Observation]:
    """Let PyTorch make its next step, and note all that it starts from and all that it computes.

    Args:
        side: PyTorch's side, which moves on.
        theirs: inputs and targets, as tensors.
        ours: the same as arrays.
        number: how many steps there were before it.

    Returns:
        What the step starts from, and its quantities in order of computation.
    """
    start = side.snapshot()
    expected = side.observe(*theirs)
    return StepInput(start, *ours, dict(side.masks), number), expected


def step_reference(
    side: ReferenceSide, given: StepInput, expected: Observation, tolerance: Tolerance
) -> StepOutcome:
    """Let the reference make the same step, and compare; the side stays where it is.

    Args:
        side: the reference.
        given: what PyTorch's step started from.
        expected: what PyTorch computed in it.
        tolerance: gives the reference the kind of number to compute with.
    """
    run = partial(side.observe, given.start, given.x, given.target, tolerance.lift)
    return replace(compare_step(run, expected, tolerance.split), given=given)
