"""The report on a user's own network, in words and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from compare.results.console import WIDE, begin, say, table_of
from compare.results.report import Verdict
from compare.results.words import VERDICTS, shows_nothing, undecided

if TYPE_CHECKING:
    from compare.results.own_report import CrossReport


def headline(report: CrossReport) -> str:
    """The verdict, in one line."""
    first = report.first_divergence
    every = [metrics for section in report.sections for metrics in section.metrics]
    checks = sum(metrics.checks - metrics.vacuous for metrics in every)
    if first is not None:
        told = f"first at {first.quantity} ({first.check})"
    elif report.verdict is Verdict.NOTHING:
        told = undecided(report.unjudged)
    else:
        told = f"{checks:,} comparisons of {report.parameters:,} parameters within tolerance"
    if report.notice:
        told += f"; but {report.notice}"
    return f"{VERDICTS[report.verdict]}: your network against {report.against}: {told}"


def remarks(report: CrossReport) -> list[str]:
    """What a reader should know besides the tables."""
    return [*report.remarks, *shows_nothing(report.undecided, report.unjudged)]


def show(report: CrossReport, console: Console) -> None:
    """Print a report: the verdict first, then what it rests on."""
    begin(headline(report), report.verdict, report.failures, console)
    if report.where:
        say(console, f"  where: {report.where}", "bold")
    for cause in report.causes:
        say(console, f"  cause: {cause.name}: {cause.told}; {cause.remedy}", "bold")
    if report.judgement is not None:
        say(console, f"  which side: {report.judgement}", "bold")
    for section in report.sections:
        console.print()
        wide = console.width >= WIDE
        console.print(table_of(section.title, section.metrics, report.multiple, wide, epochs=False))
    said = remarks(report)
    if said:
        console.print()
    for remark in said:
        say(console, remark, "yellow")
