"""One training step on both sides, from the very same start."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from compare.errors import BackproofError
from compare.meter import structure
from compare.observation import LOSS, Array, Observation, Snapshot
from compare.pair import Pair
from compare.reference_side import ReferenceSide
from compare.tolerances import Tolerance
from compare.torch_side import TorchSide


@dataclass(frozen=True)
class Step:
    """What both sides showed of one step.

    Attributes:
        start: what both started from.
        expected: PyTorch's quantities.
        actual: the reference's, in order of computation.
        units: the unit of the tolerance of each of them.
        differing: quantities that cannot be compared, and why; the two above are then empty.
    """

    start: Snapshot
    expected: Observation
    actual: Observation = field(default_factory=dict)
    units: Observation = field(default_factory=dict)
    differing: dict[str, str] = field(default_factory=dict)


def raised(error: Exception) -> str:
    """What is said of code under test that raises."""
    return f"the reference raised {type(error).__name__}: {error}"


@dataclass(frozen=True)
class Shown:
    """A step that PyTorch has made: what it started from, and all quantities of it."""

    start: Snapshot
    expected: Observation

    @property
    def loss(self) -> float:
        """The loss before the step."""
        return float(self.expected[LOSS])


def show(side: TorchSide, theirs: tuple[Tensor, Tensor]) -> Shown:
    """Let PyTorch make its next step before everyone's eyes."""
    return Shown(side.snapshot(), side.observe(*theirs))


def step(
    pair: Pair, tolerance: Tolerance, ours: tuple[Array, Array], theirs: tuple[Tensor, Tensor]
) -> Step:
    """Let PyTorch make its next step, and the reference the same step from the same start."""
    return repeat(pair.reference, tolerance, ours, show(pair.torch, theirs))


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
    start, expected = shown.start, shown.expected
    seen: Observation = {}
    try:
        side.observe(start, *ours, tolerance.lift, seen)
    except BackproofError:
        raise
    except Exception as error:  # the code under test: whatever it raises is a finding
        missing = next((name for name in expected if name not in seen), LOSS)
        told = {name: value for name, value in expected.items() if name in seen}
        return Step(start, expected, differing=structure(seen, told) | {missing: raised(error)})
    differing = structure(seen, expected)
    if differing:
        return Step(start, expected, differing=differing)
    actual, units = {}, {}
    for name, value in seen.items():
        actual[name], units[name] = tolerance.split(value, expected[name])
    return Step(start, expected, actual, units)
