"""The sentences that every form of a report shares."""

from __future__ import annotations

from collections.abc import Sequence

from compare.results.report import Outcome, Report, Verdict

VERDICTS = {Verdict.AGREE: "agree", Verdict.DISAGREE: "DISAGREE", Verdict.NOTHING: "not decidable"}


#: So many causes are told in words; JSON has them all.
CAUSES = 5


def headline(report: Report) -> str:
    """The verdict, in one line."""
    case = report.case
    subject = f"{case.name}, {count_epochs(case.epochs)}, {case.dtype}, seed {case.seed}"
    every = (*report.lockstep, *report.free_run)
    checks = sum(metrics.checks - metrics.vacuous for metrics in every)
    first = report.first_divergence
    if first is not None:
        told = f"first at {first.quantity}, epoch {first.epoch} ({first.check})"
    elif report.verdict is Verdict.NOTHING:
        told = undecided(report.unjudged)
    else:
        told = f"{checks:,} comparisons within tolerance"
    return f"{VERDICTS[report.verdict]}: {subject}: {told}"


def undecided(unjudged: Sequence[str]) -> str:
    """Why there is no verdict."""
    if not unjudged:
        return "no comparison could have failed"
    return f"what is allowed of {unjudged[0]} could not be computed"


def shows_nothing(nothing: Sequence[str], unjudged: Sequence[str]) -> list[str]:
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


def losses(outcome: Outcome) -> str:
    """Loss at start and end, and whether the task was learned."""
    learned = "learned" if outcome.learned else "not learned"
    return (
        f"loss {outcome.loss_before:.6g} -> {outcome.loss_after:.6g}, {learned} ({outcome.score})"
    )


def causes(report: Report) -> list[str]:
    """What explains a disagreement, each cause with its remedy; several explain it alike."""
    if report.unexplained:
        return [f"cause: {report.unexplained}"]
    said = [
        f"cause: {cause.name}: {cause.told}. Remedy: {cause.remedy}"
        for cause in report.causes[:CAUSES]
    ]
    more = len(report.causes) - CAUSES
    return said + ([f"cause: or one of {more} more"] if more > 0 else [])


def remarks(report: Report) -> list[str]:
    """What a reader should know besides the table."""
    said = list(report.notes)
    if report.horizon is not None:
        said.append(
            f"free run: not decidable from epoch {report.horizon} on, as rounding alone, growing "
            f"{report.growth:.3g}-fold per epoch, explains any difference; lockstep decides"
        )
    nothing = [*report.undecided, *(f"{name} (free run)" for name in report.undecided_free_run)]
    said += shows_nothing(nothing, report.unjudged)
    if report.agrees and not (report.reference.learned and report.torch.learned):
        said.append("both sides agree, but the task was not learned: more epochs, or another seed")
    return said
