"""Comparing entries of the catalogue as a whole: every variant, both dtypes, and the referee."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from compare.cases.named import DTYPES
from compare.catalogue import layer_check, own_forward, rule_check
from compare.catalogue.entries.entry import Entry
from compare.catalogue.table import CATALOGUE
from compare.measure import torch_constants
from compare.measure.tolerances import Tolerance
from compare.results.checked import Checked
from compare.results.report import Failure, Verdict, unjudged
from compare.results.result import Result

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, repr=False)
class Row(Result):
    """What all comparisons of one entry found together.

    Attributes:
        entry: what was compared.
        lockstep: the comparisons with PyTorch.
        referee: the comparisons of each gradient with its own forward pass; none for update rules
            and schedules, which have no gradient.
    """

    entry: Entry
    lockstep: tuple[Checked, ...]
    referee: tuple[Checked, ...]

    @property
    def failures(self) -> tuple[tuple[Checked, Failure], ...]:
        """Every failure, with the comparison it was found in."""
        every = (*self.lockstep, *self.referee)
        return tuple((checked, failure) for checked in every for failure in checked.failures)

    @property
    def exit_code(self) -> int:
        return self.verdict.value

    def show(self, console: Console) -> None:
        from compare.results.console import entries

        entries([self], console)

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.name.lower(),
            "agrees": self.agrees,
            "entry": self.entry.name,
            "failures": [f"{checked.title}: {failure}" for checked, failure in self.failures],
            "lockstep": [asdict(checked) for checked in self.lockstep],
            "own_forward": [asdict(checked) for checked in self.referee],
        }

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know besides: where PyTorch's own gradient is known to be off."""
        name = self.entry.name
        return (torch_constants.told([name], mended=True),) if name in torch_constants.BUGS else ()

    @property
    def comparisons(self) -> int:
        """How many quantities were compared, each time counted."""
        return sum(m.checks for one in (*self.lockstep, *self.referee) for m in one.metrics)

    @property
    def highest(self) -> float:
        """The largest difference from PyTorch, as a part of what is allowed."""
        return max((one.highest / one.multiple for one in self.lockstep), default=0.0)

    @property
    def detectable(self) -> float:
        """The smallest relative change that would have failed, of the quantity seen least well.

        Quantities that are 0 in a variant, and so show no relative change, are left out.
        """
        several = (m.detectable for one in self.lockstep for m in one.metrics if m.decided)
        return max(filter(math.isfinite, several), default=math.inf)

    @property
    def verdict(self) -> Verdict:
        """Disagree on any failure; agree only if each variant could have failed."""
        if self.failures:
            return Verdict.DISAGREE
        decided = self.lockstep and all(one.decided for one in self.lockstep)
        judged = not any(unjudged(one.metrics) for one in self.referee)
        return Verdict.AGREE if decided and judged else Verdict.NOTHING


def check(entry: Entry, tolerance: Tolerance | None = None, seed: int = 0) -> Row:
    """Compare every variant of an entry.

    Args:
        entry: what to compare.
        tolerance: how far the two may differ; None computes it.
        seed: of all that is random.
    """
    return Row(entry, tuple(_lockstep(entry, tolerance, seed)), tuple(_referee(entry, seed)))


def check_all(
    names: Iterable[str] = CATALOGUE,
    tolerance: Tolerance | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Row]:
    """Compare several entries, by default all.

    Args:
        names: which.
        tolerance: how far the two may differ; None computes it.
        seed: of all that is random.
        progress: called with the name of each when it is done.
    """
    rows = []
    for name in names:
        rows.append(check(CATALOGUE[name], tolerance, seed))
        progress(name)
    return rows


def _lockstep(entry: Entry, tolerance: Tolerance | None, seed: int) -> Iterator[Checked]:
    for variant in entry.variants:
        if entry.kind == "schedule":
            yield rule_check.check_schedule(entry, variant, seed)
            continue
        compare = rule_check.check if entry.kind == "optimizer" else layer_check.check
        for dtype in DTYPES:
            yield compare(entry, variant, dtype, tolerance, seed)


def _referee(entry: Entry, seed: int) -> Iterator[Checked]:
    if entry.kind not in ("optimizer", "schedule"):
        for variant in entry.variants:
            if not variant.undefined:  # what is no number has no derivative
                yield own_forward.check(entry, variant, seed)
