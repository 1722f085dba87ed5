"""The kill matrix, on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from compare.audit.run import Audit
from compare.audit.trial import Trial
from compare.faults import FAULTS
from compare.results.document import BLANK, Column, Document, Line, Table

#: So many failures are told in words; JSON has them all.
TOLD = 20

_COLUMNS = (
    Column("fault", right=False, wraps=True),
    Column("passed"),
    Column("for example in", right=False, wraps=True, wide=True),
    Column("by", right=False, wraps=True, wide=True),
    Column("step", wraps=True, wide=True),
    Column("located at", right=False, wraps=True),
    Column("named as", right=False, wraps=True),
)


def document(audit: Audit) -> Document:
    """The verdict, the matrix, what failed and what did not show."""
    yield Line(headline(audit), "bold green" if audit.exit_code == 0 else "bold red")
    yield BLANK
    yield _matrix(audit)
    if audit.failures:
        yield BLANK
    for trial in audit.failures[:TOLD]:
        yield Line(f"  {trial}", "red")
    if len(audit.failures) > TOLD:
        yield Line(f"  and {len(audit.failures) - TOLD} more, marked with ! in the table")
    if audit.hidden:
        yield BLANK
        yield Line("not shown, so neither passed nor failed:")
    for name in audit.hidden:
        needs = FAULTS[name].needs if name in FAULTS else ""
        yield Line(f"  {name}: needs {needs or 'another case'}", "yellow")


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


def _matrix(audit: Audit) -> Table:
    """One row for each fault: how often it passed, and what the first failure or trial gave."""
    rows = []
    for name in dict.fromkeys(trial.fault for trial in audit.trials):
        several = audit.of(name)
        failed = [trial for trial in several if not trial.passed]
        cells = _cells(name, several, (failed or list(several))[0])
        rows.append((cells, "red" if failed else ""))
    return Table(_COLUMNS, rows, width=100, spaced=True)


def _cells(name: str, several: Sequence[Trial], example: Trial) -> list[str]:
    passed = sum(trial.passed for trial in several)
    mark = "" if passed == len(several) else "! "
    also = [other for other in example.names if other != name]
    own = ["itself"] if name in example.names else []
    return [
        mark + name,
        f"{passed}/{len(several)}",
        f"{example.exhibit}, {example.site}",
        example.check or "none",
        str(example.epoch or ""),
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
