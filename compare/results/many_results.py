"""Several comparisons, one after another, of which some may come to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compare.base.errors import CannotCompare
from compare.cases.registry import Case
from compare.results.document import Document, Line
from compare.results.json import as_json
from compare.results.report import Report
from compare.results.result import Result
from compare.results.sentences import COLOURS

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

    def document(self) -> Document:
        yield Line(f"could not compare: {self.case.name}: {self.error}", "yellow")

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


def to_json(results: Sequence[Result]) -> str:
    """JSON text of a list of all."""
    return as_json([one.to_dict() for one in results])


def summary(results: Iterable[Result]) -> Document:
    """One line for each."""
    yield Line("in short:")
    for result in results:
        if isinstance(result, NoReport):
            yield Line(f"could not compare: {result.case.name}", "yellow")
        elif isinstance(result, Report):
            yield Line(result.headline, COLOURS[result.verdict])
