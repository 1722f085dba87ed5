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
        limit: the largest ratio that is wanted, if there is one.
    """

    name: str
    seconds: float
    base_seconds: float
    limit: float | None = None

    @property
    def ratio(self) -> float:
        return self.seconds / self.base_seconds

    @property
    def over(self) -> bool:
        """Whether there is a limit and it is not kept."""
        return self.limit is not None and not self.ratio <= self.limit


def measure(
    name: str,
    run: Callable[[], object],
    base: Callable[[], object],
    limit: float | None,
    rounds: int = 5,
) -> Ratio:
    """Compare the medians of both."""
    base_seconds, seconds = medians(base, run, rounds=rounds)
    return Ratio(name, seconds, base_seconds, limit)


def medians(*runs: Callable[[], object], rounds: int, warm_up: int = 0) -> list[float]:
    """The median seconds of each.

    They run in turn, so that what else the machine does falls on all alike.

    Args:
        runs: what to time.
        rounds: how often.
        warm_up: rounds before those, which do not count.
    """
    times = [[_seconds(run) for run in runs] for _ in range(warm_up + rounds)]
    return [statistics.median(taken) for taken in zip(*times[warm_up:], strict=True)]


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def show(title: str, ratios: Iterable[Ratio]) -> int:
    """Print a table of ratios, and give the exit code: 1 if one is over its limit."""
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for name in ("time", "base time", "ratio", "limit"):
        table.add_column(name, justify="right")
    ratios = list(ratios)
    for one in ratios:
        times = _duration(one.seconds), _duration(one.base_seconds)
        limit = "" if one.limit is None else f"{one.limit:.2f}"
        style = "red" if one.over else "green"
        table.add_row(one.name, *times, f"{one.ratio:.2f}", limit, style=style)
    Console().print(table)
    return int(any(one.over for one in ratios))


def _duration(seconds: float) -> str:
    return f"{seconds:.3f} s" if seconds >= 1 else f"{1e3 * seconds:.2f} ms"
