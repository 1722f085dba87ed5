"""The kill matrix, on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from compare.audit.run import Audit
from compare.audit.trial import Trial
from compare.base.printable import printable
from compare.faults import FAULTS
from compare.results.console import say

#: From this width on, the table has all of its columns.
WIDE = 100

#: So many failures are told in words; JSON has them all.
TOLD = 20


def show(audit: Audit, console: Console) -> None:
    """Print the verdict, the matrix, what failed and what did not show."""
    passed = audit.exit_code == 0
    say(console, headline(audit), "bold green" if passed else "bold red")
    console.print()
    console.print(_matrix(audit, console.width >= WIDE))
    if audit.failures:
        console.print()
    for trial in audit.failures[:TOLD]:
        say(console, f"  {trial}", "red")
    if len(audit.failures) > TOLD:
        say(console, f"  and {len(audit.failures) - TOLD} more, marked with ! in the table")
    if audit.hidden:
        console.print()
        say(console, "not shown, so neither passed nor failed:")
    for name in audit.hidden:
        needs = FAULTS[name].needs if name in FAULTS else ""
        say(console, f"  {name}: needs {needs or 'another case'}", "yellow")


def headline(audit: Audit) -> str:
    """The verdict, in one line."""
    every = audit.trials
    faults = {trial.fault for trial in every}
    words = {0: "every fault caught", 1: "NOT every fault caught", 4: "no fault was planted"}
    return (
        f"{words[audit.exit_code]}: {audit.dtype}, {len(faults):,} faults planted in "
        f"{len(every):,} places: {_share(every, 'detected')}, {_share(every, 'located')}, "
        f"{_share(every, 'named')}; {len(audit.hidden)} faults not shown"
    )


def _share(every: Sequence[Trial], what: str) -> str:
    count = sum(bool(getattr(trial, what)) for trial in every)
    return f"{count / max(1, len(every)):.1%} {what}"


def _matrix(audit: Audit, wide: bool) -> Table:
    """One row for each fault: how often it passed, and what the first failure or trial gave."""
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        caption=None if wide else f"for example in, by, step: from {WIDE} columns on",
        caption_justify="left",
    )
    table.add_column("fault", overflow="fold")
    table.add_column("passed", justify="right", no_wrap=True)
    if wide:
        table.add_column("for example in", overflow="fold")
        table.add_column("by")
        table.add_column("step", justify="right")
    table.add_column("located at", overflow="fold")
    table.add_column("named as", overflow="fold")
    for name in dict.fromkeys(trial.fault for trial in audit.trials):
        several = audit.of(name)
        failed = [trial for trial in several if not trial.passed]
        cells = _cells(name, several, (failed or list(several))[0], wide)
        table.add_row(*(Text(printable(cell)) for cell in cells), style="red" if failed else "")
    return table


def _cells(name: str, several: Sequence[Trial], example: Trial, wide: bool) -> list[str]:
    passed = sum(trial.passed for trial in several)
    mark = "" if passed == len(several) else "! "
    also = [other for other in example.names if other != name]
    own = ["itself"] if name in example.names else []
    middle = [
        f"{example.exhibit}, {example.site}",
        example.check or "none",
        str(example.epoch or ""),
    ]
    return [
        mark + name,
        f"{passed}/{len(several)}",
        *(middle if wide else []),
        example.quantity or "nowhere",
        ", ".join(own + also) or "nothing",
    ]


def to_dict(audit: Audit) -> dict[str, Any]:
    """The audit as plain dictionaries, lists, numbers and strings."""
    every = audit.trials
    totals = {
        what: sum(bool(getattr(trial, what)) for trial in every)
        for what in ("detected", "located", "named", "passed")
    }
    return {
        "verdict": {0: "caught", 1: "not caught", 4: "nothing planted"}[audit.exit_code],
        "dtype": audit.dtype,
        "cases": list(audit.names),
        "faults": len({trial.fault for trial in every}),
        "trials": len(every),
        **totals,
        "hidden": {name: FAULTS[name].needs for name in audit.hidden},
        "matrix": [
            asdict(trial) | {"detected": trial.detected, "named": trial.named} for trial in every
        ],
    }
