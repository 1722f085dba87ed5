"""What the catalogue's faults are tried on: something that is right, and the steps it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from compare.diagnosis.sites import Parts
from compare.errors import BackproofError
from compare.held import raised
from compare.observation import Observation


@dataclass(frozen=True)
class Shown:
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

    def show(self, parts: Parts) -> Iterator[Shown]:
        """Make each step with these parts, in plain numbers."""


def shown(run: Callable[[Observation], None]) -> Shown:
    """What a step shows of itself, an error of the code under test included."""
    seen: Observation = {}
    try:
        run(seen)
    except BackproofError:
        raise
    except Exception as error:  # code under test
        return Shown(seen, raised(error))
    return Shown(seen)
