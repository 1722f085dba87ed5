"""One step: what it is made from, and what the reference computed in it beside PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from compare.base.errors import BackproofError
from compare.base.quantities import Array, Observation, Snapshot
from compare.measure.meter import Meter, structure

#: Gives the plain numbers that were computed, and the unit of each
#: (:mod:`compare.measure.tolerances`).
Split = Callable[[Array, Array], tuple[Array, Array]]


@dataclass(frozen=True)
class StepInput:
    """All that a training step is made from.

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


#: Of a layer or an update rule by itself.
NO_INPUT = StepInput(Snapshot({}, {}), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class StepOutcome:
    """All quantities of one step, on both sides.

    Attributes:
        expected: PyTorch's quantities.
        actual: the reference's, in order of computation.
        units: the unit of the tolerance of each of them.
        differing: quantities that cannot be compared, and why; the two above are then empty.
        seen: the reference's plain numbers, as far as it got, comparable or not.
        raised: what it raised, if it did.
        given: what the step was made from.
    """

    expected: Observation
    actual: Observation = field(default_factory=dict)
    units: Observation = field(default_factory=dict)
    differing: dict[str, str] = field(default_factory=dict)
    seen: Observation = field(default_factory=dict)
    raised: str = ""
    given: StepInput = NO_INPUT

    def judge(self, meter: Meter, epoch: int) -> None:
        """Note all this as one more comparison."""
        meter.reject(epoch, self.differing)
        if self.actual:
            meter.add(epoch, self.actual, self.expected, self.units)


def compare_step(
    run: Callable[[Observation], None], expected: Observation, split: Split
) -> StepOutcome:
    """Let the reference make a step, and compare what it computes with PyTorch's.

    Args:
        run: puts every quantity into what it is given, in the order in which it is computed.
        expected: PyTorch's quantities.
        split: tells numbers and units apart.
    """
    seen: Observation = {}
    try:
        run(seen)
    except BackproofError:
        raise
    except Exception as error:  # the code under test: whatever it raises is a finding
        missing = next((name for name in expected if name not in seen), list(expected)[-1])
        told = {name: value for name, value in expected.items() if name in seen}
        differing = structure(seen, told) | {missing: raised(error)}
        return StepOutcome(
            expected, differing=differing, seen=_plain(seen, split), raised=differing[missing]
        )
    differing = structure(seen, expected)
    if differing:
        return StepOutcome(expected, differing=differing, seen=_plain(seen, split))
    actual, units = {}, {}
    for name, value in seen.items():
        actual[name], units[name] = split(value, expected[name])
    return StepOutcome(expected, actual, units, seen=actual)


def raised(error: Exception) -> str:
    """What is said of code under test that raises."""
    return f"the reference raised {type(error).__name__}: {error}"


def _plain(seen: Observation, split: Split) -> Observation:
    return {name: split(value, value)[0] for name, value in seen.items()}
