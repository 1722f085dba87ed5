"""One training step on both sides, from the very same start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from compare.base.quantities import LOSS, Array, Observation, Snapshot
from compare.measure.held import Held, hold
from compare.measure.tolerances import Tolerance
from compare.sides.reference_side import ReferenceSide
from compare.sides.torch_side import TorchSide


@dataclass(frozen=True)
class Moment:
    """All that a step is made from.

    Attributes:
        start: parameters, optimizer state and buffers.
        x: inputs.
        target: targets.
        masks: those of dropouts, by their names.
        number: how many steps there were before it.
    """

    start: Snapshot
    x: Array
    target: Array
    masks: Mapping[str, Array] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True)
class Step(Held):
    """What both sides showed of one step, and what both started from."""

    moment: Moment = field(kw_only=True)

    @property
    def start(self) -> Snapshot:
        """Parameters, optimizer state and buffers before the step."""
        return self.moment.start


@dataclass(frozen=True)
class Shown:
    """A step that PyTorch has made: what it started from, and all quantities of it.

    Attributes:
        start: parameters, optimizer state and buffers.
        expected: the quantities.
        masks: that dropouts drew in it.
        number: how many steps there were before it.
    """

    start: Snapshot
    expected: Observation
    masks: Mapping[str, Array] = field(default_factory=dict)
    number: int = 0

    @property
    def loss(self) -> float:
        """The loss before the step."""
        return float(self.expected[LOSS])


def show(side: TorchSide, theirs: tuple[Tensor, Tensor], number: int = 0) -> Shown:
    """Let PyTorch make its next step before everyone's eyes."""
    start = side.snapshot()
    return Shown(start, side.observe(*theirs), dict(side.masks), number)


def repeat(
    side: ReferenceSide, tolerance: Tolerance, ours: tuple[Array, Array], shown: Shown
) -> Step:
    """Let the reference make a step of PyTorch's from the same start; it stays where it is.

    Args:
        side: the reference.
        tolerance: gives it the kind of number to compute with.
        ours: inputs and targets.
        shown: PyTorch's step.
    """
    moment = Moment(shown.start, *ours, shown.masks, shown.number)
    held = against(side, moment, shown.expected, tolerance)
    return Step(**vars(held), moment=moment)


def against(
    reference: ReferenceSide, moment: Moment, expected: Observation, tolerance: Tolerance
) -> Held:
    """Let the reference make a step, and hold it against what PyTorch showed of the same step."""
    run = partial(reference.observe, moment.start, moment.x, moment.target, tolerance.lift)
    return hold(run, expected, tolerance.split)
