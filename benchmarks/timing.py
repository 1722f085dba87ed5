"""Ratios of running times, measured side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Ratio:
    """How much longer one thing takes than another.

    Attributes:
        name: what was measured.
        seconds: median time of the thing itself.
        base_seconds: median time of what it is compared with.
        limit: the largest ratio that is wanted.
    """

    name: str
    seconds: float
    base_seconds: float
    limit: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.base_seconds


def measure(
    name: str, run: Callable[[], object], base: Callable[[], object], limit: float, rounds: int = 5
) -> Ratio:
    """Run both in turn, so that what else the machine does falls on both alike."""
    own, others = [], []
    for _ in range(rounds):
        others.append(_seconds(base))
        own.append(_seconds(run))
    return Ratio(name, statistics.median(own), statistics.median(others), limit)


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def show(title: str, ratios: Iterable[Ratio]) -> None:
    """Print a table of ratios."""
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for name in ("seconds", "base seconds", "ratio", "limit"):
        table.add_column(name, justify="right")
    for one in ratios:
        cells = f"{one.seconds:.3f}", f"{one.base_seconds:.3f}", f"{one.ratio:.2f}"
        style = "green" if one.ratio <= one.limit else "red"
        table.add_row(one.name, *cells, f"{one.limit:.2f}", style=style)
    Console().print(table)
