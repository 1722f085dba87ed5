"""How long whole processes of the command line take, against those that only import.

Run as ``python -m benchmarks.startup [ROUNDS]``; exits 1 if a ratio is above its limit. The
processes take turns, so that what else the machine does falls on all of them alike, and each
ratio is one of medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
IMPORT_ALL = ("-c", "import torch, numpy, typer, rich")
IMPORT_TORCH = ("-c", "import torch")


@dataclass(frozen=True)
class Race:
    """One process against another.

    Attributes:
        arguments: what Python runs.
        against: the same for the process to measure by.
        limit: the largest ratio that is good.
    """

    arguments: tuple[str, ...]
    against: tuple[str, ...]
    limit: float


RACES = (
    Race(("cli.py", "compare", "--epochs", "100"), IMPORT_ALL, 1.2),
    Race(("cli.py", "--help"), IMPORT_TORCH, 1 / 3),
    Race(("cli.py", "--version"), IMPORT_TORCH, 1 / 3),
    Race(("cli.py", "cases"), IMPORT_TORCH, 1 / 3),
)


def seconds(arguments: Sequence[str]) -> float:
    """How long one process takes from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def medians(rounds: int) -> dict[tuple[str, ...], float]:
    """The median time of each process; a first round, which fills caches, does not count."""
    processes = dict.fromkeys(side for race in RACES for side in (race.arguments, race.against))
    times: dict[tuple[str, ...], list[float]] = {process: [] for process in processes}
    for _ in range(rounds + 1):
        for process in processes:
            times[process].append(seconds(process))
    return {process: statistics.median(several[1:]) for process, several in times.items()}


def table(found: Mapping[tuple[str, ...], float]) -> Table:
    """All races, with a row for each."""
    shown = Table(title="startup: whole processes, medians")
    for name in ("process", "seconds", "against", "seconds", "ratio", "limit"):
        shown.add_column(name, justify="right" if name in ("seconds", "ratio", "limit") else "left")
    for race in RACES:
        ours, theirs = found[race.arguments], found[race.against]
        shown.add_row(
            " ".join(race.arguments),
            f"{ours:.3f}",
            race.against[-1],
            f"{theirs:.3f}",
            f"{ours / theirs:.3f}",
            f"{race.limit:.3f}",
        )
    return shown


def main() -> None:
    """Measure and print."""
    found = medians(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    Console().print(table(found))
    within = [found[race.arguments] <= race.limit * found[race.against] for race in RACES]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
