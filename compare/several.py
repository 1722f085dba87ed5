"""Several comparisons, one after another, of which some may come to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from compare.cases import Case
from compare.errors import CannotCompare
from compare.report import Report

if TYPE_CHECKING:
    from compare.catalogue_check import Row

#: Exit codes in the order in which they are told: a fault first, agreement last.
GRAVITY = (1, 3, 4, 0)


@dataclass(frozen=True)
class NoReport:
    """A comparison that could not be made.

    Attributes:
        case: what was to be compared.
        error: why it could not.
    """

    case: Case
    error: CannotCompare


Result: TypeAlias = "Report | NoReport | Row"


def exit_code(results: Sequence[Result]) -> int:
    """The gravest of the results' exit codes."""
    codes = [3 if isinstance(one, NoReport) else one.verdict.value for one in results]
    return min(codes, key=GRAVITY.index)
