"""The last calibration, told in docs/tolerances.md.

``python -m benchmarks.calibration_page`` writes docs/calibration.json into the page, between its
two marks; a calibration does so by itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"

BEGIN, END = "<!-- calibration -->\n", "<!-- end of calibration -->\n"


def told(found: dict[str, Any]) -> str:
    """What a calibration has found, in words and as a table."""
    checks = found["checks"].items()
    lockstep = sum(c["comparisons"] for name, c in checks if name.startswith("lockstep"))
    rows = [
        f"| {name} | {c['comparisons']:,} | {c['median']:.2g} | {c['99 %']:.2g} | "
        f"{c['99.99 %']:.2g} | {c['largest']:.3g} | "
        f"{found['multiples'][name.rpartition(' ')[0]]:,.0f} |"
        for name, c in checks
    ]
    horizons, overflows = found["runs with a horizon"], found["runs that overflow"]
    lines = [
        f"The last run trained {found['runs']:,} networks, each in lockstep and in a free run,",
        f"and made {lockstep:,} comparisons of tensors in lockstep. {horizons:,} networks reached",
        f"the horizon of their free run, {overflows:,} overflowed, and there were",
        f"{len(found['false alarms'])} false alarms. In units of the tolerance, the largest",
        "difference in a tensor was:",
        "",
        "| check | comparisons | median | 99 % | 99.99 % | largest | allowed |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *rows,
    ]
    return "".join(f"{line}\n" for line in lines)


def renewed(page: str, found: dict[str, Any]) -> str:
    """The page with this calibration between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{told(found)}\n{END}{after}"


def write(docs: Path = DOCS) -> None:
    """Tell the calibration that is kept in ``docs`` on the page there."""
    path = docs / "tolerances.md"
    found = json.loads((docs / "calibration.json").read_text())
    path.write_text(renewed(path.read_text(), found))


if __name__ == "__main__":
    write()
