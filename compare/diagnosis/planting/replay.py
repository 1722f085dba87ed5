"""What the catalogue's faults are tried on: something that is right, and the steps it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from compare.base.errors import BackproofError
from compare.base.quantities import Observation
from compare.diagnosis.planting.places import Parts
from compare.measure.step_records import raised
from compare.process.budget import Budget


@dataclass(frozen=True)
class Replayed:
    """What was seen of one step.

    Attributes:
        seen: plain numbers, in the order in which they were computed.
        raised: the error that ended it, if one did.
    """

    seen: Observation = field(default_factory=dict)
    raised: str = ""


class Stage(Protocol):
    """Something right that can be made wrong, and shows the same steps again and again."""

    @property
    def parts(self) -> Parts:
        """What is right."""

    def show(self, parts: Parts) -> Iterator[Replayed]:
        """Make each step with these parts, in plain numbers."""


class Timed:
    """A stage that shows nothing any more when the time is up.

    Args:
        stage: what shows.
        budget: the time.
    """

    def __init__(self, stage: Stage, budget: Budget) -> None:
        self._stage, self._budget = stage, budget

    @property
    def parts(self) -> Parts:
        return self._stage.parts

    def show(self, parts: Parts) -> Iterator[Replayed]:
        self._budget.require()
        for step in self._stage.show(parts):
            yield step
            self._budget.require()


def replay_once(run: Callable[[Observation], None]) -> Replayed:
    """What a step shows of itself, an error of the code under test included."""
    seen: Observation = {}
    try:
        run(seen)
    except BackproofError:
        raise
    except Exception as error:  # code under test
        return Replayed(seen, raised(error))
    return Replayed(seen)
