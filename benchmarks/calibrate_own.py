"""No false alarm on networks written by hand, and what would have been noticed.

``python -m benchmarks.calibrate_own`` checks random networks without a fault, in the styles in
which people write them (:mod:`benchmarks.handmade`), and notes each difference over what was
allowed. It writes the table to docs/tolerances.md. With ``--alone`` small ones are compared with
the derivative of their own loss instead, and another table is written.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from textwrap import fill
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.handmade import Handmade, draw_recipe
from compare import CannotCompare, crosscheck

PAGE = Path(__file__).parent.parent / "docs" / "tolerances.md"
MARK = "<!-- calibration of one's own -->\n"
MARK_ALONE = "<!-- calibration of a loss alone -->\n"

#: What stands after each table.
NEXT, NEXT_ALONE = "With `--alone`", "## What a check would have noticed"

#: Widths with a loss alone: each entry takes many calls.
WIDTH_ALONE = 6


@dataclass
class Tally:
    """What was found in some networks.

    Attributes:
        alone: whether they are compared with their own loss.
        ratios: differences over what was allowed, by kind.
        detectable: the smallest relative change that would have failed, of what could fail.
        vacuous: comparisons that showed nothing.
        networks: how many were checked.
        refused: how many could not be, as their numbers are not finite.
        alarms: what was called a disagreement.
    """

    alone: bool = False
    ratios: dict[str, list[float]] = field(default_factory=dict)
    detectable: list[float] = field(default_factory=list)
    vacuous: int = 0
    networks: int = 0
    refused: int = 0
    alarms: list[str] = field(default_factory=list)

    def add(self, seed: int) -> None:
        """Check one network."""
        recipe = draw_recipe(seed, WIDTH_ALONE) if self.alone else draw_recipe(seed)
        try:
            report = crosscheck(**Handmade(recipe).check(self.alone))
        except CannotCompare:
            self.refused += 1
            return
        self.networks += 1
        self.alarms += [f"{seed}: {failure}" for failure in report.failures]
        kind = f"{'step' if recipe.style == 'steps' else 'gradients'} {recipe.dtype}"
        for metrics in (m for section in report.sections for m in section.metrics):
            self.vacuous += metrics.vacuous
            if metrics.worst is not None:
                share = metrics.worst.ratio / report.multiple
                self.ratios.setdefault(kind, []).append(share)
            if metrics.decided and kind == "gradients float64":
                self.detectable.append(metrics.detectable)

    def merge(self, other: Tally) -> None:
        """Add what another tally has found."""
        for kind, ratios in other.ratios.items():
            self.ratios.setdefault(kind, []).extend(ratios)
        self.detectable += other.detectable
        self.vacuous += other.vacuous
        self.networks += other.networks
        self.refused += other.refused
        self.alarms += other.alarms

    def table(self) -> str:
        """The summary as it stands in the documentation."""
        compared = sum(map(len, self.ratios.values()))
        small = "1e-6" if self.alone else "1e-9"
        caught = np.mean(np.array(self.detectable) < float(small))
        told = (
            f"The last run checked {self.networks:,} networks and compared {compared:,} gradients, "
            f"of which {self.vacuous:,} showed nothing. {self.refused:,} networks were refused, as "
            f"their numbers are not finite, and {len(self.alarms)} comparisons gave a false alarm. "
            f"Of the gradients that were returned in float64, {caught:.1%} would have been found "
            f"wrong by a relative error of {small}. Differences over what was allowed:"
        )
        lines = [
            fill(told, 110),
            "",
            "| gradients | comparisons | median | 99 % | 99.9 % | largest |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for kind, ratios in sorted(self.ratios.items()):
            shares = [f"{x:.2g}" for x in np.percentile(ratios, [50, 99, 99.9, 100])]
            name = kind.replace("step", "read off a step,").replace("gradients", "returned,")
            lines.append(f"| {name} | {len(ratios):,} | {' | '.join(shares)} |")
        return "\n".join(lines) + "\n"


def some(seeds: range, alone: bool = False) -> Tally:
    """Check the networks with these seeds."""
    tally = Tally(alone)
    for seed in seeds:
        tally.add(seed)
    return tally


def _one_thread() -> None:
    torch.set_num_threads(1)


def main(
    networks: Annotated[int, typer.Option(help="How many to check.")] = 4000,
    processes: Annotated[int, typer.Option(help="At the same time.")] = 2,
    alone: Annotated[bool, typer.Option("--alone", help="Against their own loss.")] = False,
) -> None:
    """Check random networks, and write the table."""
    tally = Tally(alone)
    parts = [range(start, min(start + 50, networks)) for start in range(0, networks, 50)]
    with ProcessPoolExecutor(processes, initializer=_one_thread) as pool:
        for part in pool.map(some, parts, repeat(alone)):
            tally.merge(part)
    print(tally.table())
    for alarm in tally.alarms:
        print(alarm)
    mark, following = (MARK_ALONE, NEXT_ALONE) if alone else (MARK, NEXT)
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(mark)
    after = rest[rest.index(following) :]
    PAGE.write_text(f"{head}{mark}\n{tally.table()}\n{after}", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
