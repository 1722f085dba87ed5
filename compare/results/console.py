"""Reports on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from compare.base.printable import printable
from compare.measure.metrics import Metrics
from compare.results.report import Failure, Report, Verdict
from compare.results.result import Result
from compare.results.several import NoReport
from compare.results.words import VERDICTS, causes, headline, losses, remarks

if TYPE_CHECKING:
    from compare.catalogue.check_entries import Row
    from compare.results.checked import Checked

COLOURS = {Verdict.AGREE: "bold green", Verdict.DISAGREE: "bold red", Verdict.NOTHING: "yellow"}

#: From this width on, the table has all of its columns.
WIDE = 80

#: So many failures are told in words; the table has them all.
TOLD = 5


def show(report: Report, console: Console) -> None:
    """Print a report: the verdict first, then what it rests on."""
    begin(headline(report), report.verdict, report.failures, console)
    if report.opinion is not None:
        say(console, f"  referee: {report.opinion}", "bold")
    for cause in causes(report):
        say(console, f"  {cause}", "bold")
    for title, several, multiple in (
        ("lockstep: one step from the same start", report.lockstep, report.multiple),
        ("free run: each side on its own", report.free_run, report.free_run_multiple),
    ):
        console.print()
        console.print(table_of(title, several, multiple, console.width >= WIDE))
    console.print()
    for side, outcome in (("reference", report.reference), ("torch", report.torch)):
        say(console, f"{side:<10} {losses(outcome)}")
    for remark in remarks(report):
        say(console, remark, "yellow")


def begin(line: str, verdict: Verdict, failures: Sequence[Failure], console: Console) -> None:
    """Print the verdict, and the first failures in words."""
    say(console, line, COLOURS[verdict])
    for failure in failures[:TOLD]:
        say(console, f"  {failure}")
    if len(failures) > TOLD:
        say(console, f"  and {len(failures) - TOLD} more, marked with ! in the tables")


def say(console: Console, sentence: str, style: str = "") -> None:
    """Print a sentence; in a file or a pipe it stays one line, so that it can be searched for."""
    console.print(Text(printable(sentence), style=style), soft_wrap=not console.is_terminal)


def table_of(
    title: str, several: Sequence[Metrics], multiple: float, wide: bool, epochs: bool = True
) -> Table:
    """A table with a row for each quantity."""
    table = Table(
        title=Text(printable(title), style="table.title"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0) if wide else 0,
        caption=None if wide else f"detects: from {WIDE} columns on",
        caption_justify="left",
    )
    table.add_column("quantity", overflow="fold")
    numbers = ["difference" if wide else "differ", "allowed", "ratio", "where"]
    for name in (*numbers, "epoch") if epochs else numbers:
        table.add_column(name, justify="right", no_wrap=name != "where", overflow="fold")
    if wide:
        table.add_column("detects", justify="right", no_wrap=True)
    marks = [_mark(metrics, multiple) for metrics in several]
    for metrics, (mark, style) in zip(several, marks, strict=True):
        cells = _cells(metrics, multiple)
        if not epochs:
            del cells[5]
        if any(mark for mark, _ in marks):
            cells[0] = f"{mark:<2}{cells[0]}"
        shown = cells if wide else cells[:-1]
        table.add_row(*(Text(printable(cell)) for cell in shown), style=style)
    return table


def _mark(metrics: Metrics, multiple: float) -> tuple[str, str]:
    """What a row begins with and its colour; the mark is for where there are no colours."""
    if metrics.structure or metrics.first_beyond(multiple):
        return "!", "red"
    return ("", "") if metrics.decided and not metrics.unjudged else ("?", "yellow")


def _cells(metrics: Metrics, multiple: float) -> list[str]:
    worst = metrics.worst
    if metrics.structure is not None or worst is None:
        epoch = "" if metrics.structure is None else str(metrics.structure_epoch)
        return [metrics.quantity, "none", "", "", "", epoch, ""]
    where = ",".join(str(i) for i in worst.index)
    return [
        metrics.quantity,
        f"{worst.error:.1e}",
        f"{multiple * worst.unit:.1e}",
        f"{worst.ratio / multiple:.2g}",
        f"[{where}]" if where else "",
        str(worst.epoch),
        f"{metrics.detectable:.0e}",
    ]


def summary(several: Iterable[Result], console: Console) -> None:
    """Print one line for each of several results."""
    say(console, "in short:")
    for result in several:
        if isinstance(result, NoReport):
            say(console, f"could not compare: {result.case.name}", "yellow")
        elif isinstance(result, Report):
            say(console, headline(result), COLOURS[result.verdict])


def variant(checked: Checked, console: Console) -> None:
    """Print what the comparison of one variant of an entry found."""
    line = f"{VERDICTS[checked.verdict]}: {checked.title}"
    begin(line, checked.verdict, checked.failures, console)
    console.print()
    wide = console.width >= WIDE
    console.print(table_of(checked.check, checked.metrics, checked.multiple, wide, epochs=False))


def entries(rows: Sequence[Row], console: Console) -> None:
    """Print a table of entries of the catalogue, and under each its failures in words."""
    wide = console.width >= WIDE
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0) if wide else 0,
        caption=None if wide else f"comparisons, detects: from {WIDE} columns on",
        caption_justify="left",
    )
    table.add_column("entry", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for name in ("comparisons", "ratio", "detects") if wide else ("ratio",):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        numbers = f"{row.comparisons:,}", f"{row.highest:.2g}", f"{row.detectable:.0e}"
        cells = VERDICTS[row.verdict], *(numbers if wide else numbers[1:2])
        table.add_row(*map(Text, (row.entry.name, *cells)), style=COLOURS[row.verdict].split()[-1])
    console.print(table)
    for row in rows:
        for checked, failure in row.failures[:TOLD]:
            say(console, f"  {checked.title}: {failure}")
        for remark in row.remarks:
            say(console, f"  {remark}", "yellow")
