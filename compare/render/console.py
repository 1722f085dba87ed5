"""Reports on a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from compare.metrics import Metrics
from compare.render.words import headline, losses, remarks
from compare.report import Report, Verdict

COLOURS = {Verdict.AGREE: "bold green", Verdict.DISAGREE: "bold red", Verdict.NOTHING: "yellow"}

#: From this width on, the table has all of its columns.
WIDE = 80

#: So many failures are told in words; the table has them all.
TOLD = 5


def show(report: Report, console: Console) -> None:
    """Print a report: the verdict first, then what it rests on."""
    console.print(Text(headline(report), style=COLOURS[report.verdict]))
    failures = report.failures
    for failure in failures[:TOLD]:
        console.print(Text(f"  {failure}"))
    if report.opinion is not None:
        console.print(Text(f"  referee: {report.opinion}", style="bold"))
    if len(failures) > TOLD:
        console.print(f"  and {len(failures) - TOLD} more, marked in the table")
    wide = console.width >= WIDE
    console.print(
        _table("lockstep: one step from the same start", report.lockstep, report.multiple, wide)
    )
    console.print(
        _table("free run: each side on its own", report.free_run, report.free_run_multiple, wide)
    )
    for side, outcome in (("reference", report.reference), ("torch", report.torch)):
        console.print(Text(f"{side:<10} {losses(outcome)}"))
    for remark in remarks(report):
        console.print(Text(remark, style="yellow"))


def _table(title: str, several: Iterable[Metrics], multiple: float, wide: bool) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("quantity", overflow="fold")
    for name in ("difference", "allowed", "ratio", "where", "epoch"):
        table.add_column(name, justify="right", no_wrap=name != "where")
    if wide:
        table.add_column("detects", justify="right", no_wrap=True)
    for metrics in several:
        cells = _cells(metrics, multiple)
        bad = metrics.structure or metrics.first_beyond(multiple)
        style = "red" if bad else "" if metrics.decided else "yellow"
        table.add_row(*(cells if wide else cells[:-1]), style=style)
    return table


def _cells(metrics: Metrics, multiple: float) -> list[str]:
    worst = metrics.worst
    if metrics.structure is not None or worst is None:
        return [metrics.quantity, "none", "", "", "", str(metrics.structure_epoch), ""]
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


def summary(reports: Iterable[Report], console: Console) -> None:
    """Print one line for each of several reports."""
    for report in reports:
        console.print(Text(headline(report), style=COLOURS[report.verdict]))
