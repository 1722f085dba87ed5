"""The sentences that several kinds of result share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compare.results.document import Line
from compare.results.verdict import Failure, Verdict

VERDICTS = {Verdict.AGREE: "agree", Verdict.DISAGREE: "DISAGREE", Verdict.NOTHING: "not decidable"}

COLOURS = {Verdict.AGREE: "bold green", Verdict.DISAGREE: "bold red", Verdict.NOTHING: "yellow"}

#: So many failures are told in words; the table has them all.
TOLD = 5


def opening(headline: str, verdict: Verdict, failures: Sequence[Failure]) -> Iterator[Line]:
    """The verdict in a line, and the first failures in words."""
    yield Line(headline, COLOURS[verdict])
    for failure in failures[:TOLD]:
        yield Line(f"  {failure}")
    if len(failures) > TOLD:
        yield Line(f"  and {len(failures) - TOLD} more, marked with ! in the tables")


def undecided(unjudged: Sequence[str]) -> str:
    """Why there is no verdict."""
    if not unjudged:
        return "no comparison could have failed"
    return f"what is allowed of {unjudged[0]} could not be computed"


def question_marks(nothing: Sequence[str], unjudged: Sequence[str]) -> list[str]:
    """What the question marks in the tables stand for.

    Args:
        nothing: quantities whose comparisons could not have failed.
        unjudged: those of which it is not known what is allowed.
    """
    said = []
    if unjudged:
        said.append(
            "marked with ?: what is allowed could not be computed, as the rounding error overflows "
            "or has no bound; a fixed tolerance, rtol and atol, needs none: " + ", ".join(unjudged)
        )
    if rest := [name for name in nothing if name not in unjudged]:
        said.append(
            "marked with ?: shows nothing, as zeros, a permutation or 5 % more would pass too: "
            + ", ".join(rest)
        )
    return said


def count_epochs(number: int) -> str:
    """So many epochs."""
    return "1 epoch" if number == 1 else f"{number} epochs"
