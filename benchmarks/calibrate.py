"""The distribution of difference ÷ unit over many networks that have no fault.

``python -m benchmarks.calibrate`` trains random networks (see :mod:`benchmarks.sample_networks`)
on both sides, in lockstep and on their own, and notes every difference in units of its tolerance.
It writes the counts to docs/calibration.json, tells them in docs/tolerances.md and draws
docs/calibration.svg; the multiples in compare/measure/tolerances.py and
compare/training/free_run.py are read from there.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from benchmarks import calibration_page
from benchmarks.calibration_page import DOCS
from benchmarks.sample_networks import draw
from compare.base.errors import CannotCompare
from compare.base.quantities import Array, Observation
from compare.base.versions import versions
from compare.measure.meter import Meter
from compare.measure.tolerances import MULTIPLE, make
from compare.sides.feed import Feed
from compare.sides.pair import build
from compare.training.checked_epochs import EVERY
from compare.training.free_run import MULTIPLE as FREE_RUN_MULTIPLE
from compare.training.session import Session

#: Bins per doubling of the ratio.
FINE = 4

#: A ratio of 0: the two sides are equal.
EQUAL = -99


@dataclass
class Tally:
    """Counts of ratios, in bins, and the largest of all.

    Attributes:
        bins: for each logarithmic bin, by check and dtype, how many ratios fell into it.
        largest: the largest ratio, by check and dtype, and where it was.
        runs: how many networks were trained.
        horizons: how many of them reached the horizon of their free run.
        overflows: how many of them overflowed.
        alarms: what was called a disagreement, though there is no fault.
    """

    bins: dict[str, Counter[int]] = field(default_factory=dict)
    largest: dict[str, tuple[float, str]] = field(default_factory=dict)
    runs: int = 0
    horizons: int = 0
    overflows: int = 0
    alarms: list[str] = field(default_factory=list)

    def note(self, check: str, ratio: float, where: str) -> None:
        """Count one ratio."""
        position = EQUAL if ratio <= 0 else round(FINE * math.log2(min(ratio, 1e30)))
        self.bins.setdefault(check, Counter())[position] += 1
        if ratio > self.largest.get(check, (-1.0, ""))[0]:
            self.largest[check] = ratio, where

    def merge(self, other: Tally) -> None:
        """Add what another tally has counted."""
        for check, counts in other.bins.items():
            self.bins.setdefault(check, Counter()).update(counts)
        for check, (ratio, where) in other.largest.items():
            if ratio > self.largest.get(check, (-1.0, ""))[0]:
                self.largest[check] = ratio, where
        self.runs += other.runs
        self.horizons += other.horizons
        self.overflows += other.overflows
        self.alarms += other.alarms


class Recorder(Meter):
    """A meter that hands every ratio to a tally, too."""

    def __init__(self, multiple: float, tally: Tally, check: str, where: str) -> None:
        super().__init__(multiple)
        self.tally, self.check, self.where = tally, check, where

    def add(
        self, epoch: int, actual: Observation, expected: Observation, units: Observation
    ) -> Array:
        ratios = super().add(epoch, actual, expected, units)
        for name, ratio in zip(actual, ratios, strict=True):
            self.tally.note(self.check, float(ratio), f"{self.where}, epoch {epoch}: {name}")
        return ratios


def one(seed: int, tolerance: str | None, tally: Tally) -> None:
    """Train and compare the sample network of a seed."""
    sample = draw(seed)
    case = sample.case
    limits = make(tolerance)
    pair, feed = build(case, sample.weights), Feed(case, sample.dataset)
    tally.runs += 1
    with pair.torch.training(), np.errstate(all="ignore"):
        every = None if case.epochs > EVERY else case.epochs // 4 or 1
        session = Session(case, limits, pair, feed, every)
        label = f"lockstep {case.dtype}"
        session.lockstep = Recorder(limits.multiple, tally, label, f"seed {seed}")
        try:
            session.train()
        except CannotCompare:
            tally.overflows += 1
            return
        report = session.report()
    for metrics in report.free_run:
        ratio = metrics.worst.ratio if metrics.worst else 0.0
        tally.note(f"free run {case.dtype}", ratio, f"seed {seed}: {metrics.quantity}")
    tally.horizons += report.horizon is not None
    tally.alarms += [f"seed {seed}: {failure}" for failure in report.failures]


def several(seeds: range, tolerance: str | None) -> Tally:
    """The tally of some seeds; every tenth network has two threads, the others one."""
    import torch

    tally = Tally()
    for seed in seeds:
        threads = 2 if seed % 10 == 0 else 1
        torch.set_num_threads(threads)
        with threadpool_limits(threads):
            one(seed, tolerance, tally)
    return tally


def calibrate(first: int, runs: int, tolerance: str | None, processes: int) -> Tally:
    """Train ``runs`` networks, from the seed ``first`` on."""
    from rich.progress import track

    chunks = [range(i, min(i + 20, first + runs)) for i in range(first, first + runs, 20)]
    total = Tally()
    with ProcessPoolExecutor(processes) as pool:
        results = pool.map(several, chunks, [tolerance] * len(chunks))
        for tally in track(results, total=len(chunks), description="networks"):
            total.merge(tally)
    return total


def quantile(counts: Counter[int], share: float) -> float:
    """The ratio below which this share of all ratios lies."""
    left = share * counts.total()
    for position in sorted(counts):
        left -= counts[position]
        if left <= 0:
            return 0.0 if position == EQUAL else 2 ** (position / FINE)
    return math.inf


def plot(total: Tally, path: Path) -> None:
    """How many ratios are larger than so much, for each check and dtype."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for check, counts in sorted(total.bins.items()):
        positions = [position for position in sorted(counts) if position != EQUAL]
        above = np.cumsum([counts[position] for position in reversed(positions)])[::-1]
        axes.step([2 ** (p / FINE) for p in positions], above / counts.total(), label=check)
    for multiple, style, name in (
        (MULTIPLE, "--", "lockstep limit"),
        (FREE_RUN_MULTIPLE, ":", "free run limit"),
    ):
        axes.axvline(multiple, color="black", linestyle=style, label=name)
    axes.set(xscale="log", yscale="log", xlim=(1e-2, 4 * MULTIPLE))
    axes.set(xlabel="largest difference in a tensor ÷ its unit", ylabel="share that is larger")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def summary(total: Tally, seconds: float) -> dict[str, object]:
    """The tally as plain data."""
    return {
        "runs": total.runs,
        "runs with a horizon": total.horizons,
        "runs that overflow": total.overflows,
        "false alarms": total.alarms,
        "multiples": {"lockstep": MULTIPLE, "free run": FREE_RUN_MULTIPLE},
        "checks": {
            check: {
                "comparisons": counts.total(),
                "median": quantile(counts, 0.5),
                "99 %": quantile(counts, 0.99),
                "99.99 %": quantile(counts, 0.9999),
                "largest": total.largest[check][0],
                "where": total.largest[check][1],
            }
            for check, counts in sorted(total.bins.items())
        },
        "minutes": round(seconds / 60, 1),
        "versions": versions(),
    }


def main(
    runs: Annotated[int, typer.Option(help="How many networks.")] = 10_000,
    first: Annotated[int, typer.Option(help="Seed of the first.")] = 0,
    tolerance: Annotated[str | None, typer.Option(help="statistical or rigorous.")] = None,
    processes: Annotated[int, typer.Option(help="How many at once.")] = 2,
    save: Annotated[bool, typer.Option(help="Write the results to docs/.")] = True,
) -> None:
    """Measure difference ÷ unit over many networks without a fault."""
    start = time.perf_counter()
    total = calibrate(first, runs, tolerance, processes)
    text = json.dumps(summary(total, time.perf_counter() - start), indent=2)
    print(text)
    if save:
        (DOCS / "calibration.json").write_text(text + "\n")
        plot(total, DOCS / "calibration.svg")
        calibration_page.write(DOCS)
    raise typer.Exit(1 if total.alarms else 0)


if __name__ == "__main__":
    typer.run(main)
