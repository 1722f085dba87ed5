"""Several comparisons, one after another, of which some may come to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from compare.base.errors import CannotCompare
from compare.cases.named import Case
from compare.results.result import Result

if TYPE_CHECKING:
    from rich.console import Console

#: Exit codes in the order in which they are told: a fault first, agreement last.
GRAVITY = (1, 3, 4, 0)


@dataclass(frozen=True, repr=False)
class NoReport(Result):
    """A comparison that could not be made.

    Attributes:
        case: what was to be compared.
        error: why it could not.
    """

    case: Case
    error: CannotCompare

    @property
    def exit_code(self) -> int:
        return CannotCompare.exit_code

    def show(self, console: Console) -> None:
        from compare.results.console import say

        say(console, f"could not compare: {self.case.name}: {self.error}", "yellow")

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": "could not compare",
            "agrees": self.agrees,
            "error": str(self.error),
            "case": asdict(self.case),
        }


def exit_code(results: Sequence[Result]) -> int:
    """The gravest of the results' exit codes."""
    return min((one.exit_code for one in results), key=GRAVITY.index)
