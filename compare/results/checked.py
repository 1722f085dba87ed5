"""What the comparison of one entry of the catalogue found: of one variant, and of all together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compare.measure import torch_constants
from compare.measure.metrics import Metrics
from compare.results.document import BLANK, Column, Document, Line, Table
from compare.results.result import Result
from compare.results.sentences import COLOURS, TOLD, VERDICTS, opening
from compare.results.tables import metrics_table
from compare.results.verdict import Failure, Verdict, judge, unjudged, verdict_of

_COLUMNS = (
    Column("entry", right=False),
    Column("verdict", right=False),
    Column("comparisons", wide=True),
    Column("ratio"),
    Column("detects", wide=True),
)


@dataclass(frozen=True, repr=False)
class Checked(Result):
    """All that was measured of one variant of an entry.

    Attributes:
        name: of the entry.
        label: of the variant, in words.
        dtype: of all arithmetic.
        check: ``lockstep``, or ``own forward`` where the referee was asked.
        multiple: how many units were allowed.
        metrics: of each quantity, in the order of computation.
    """

    name: str
    label: str
    dtype: str
    check: str
    multiple: float
    metrics: tuple[Metrics, ...]

    @property
    def title(self) -> str:
        """Which comparison it was."""
        return f"{self.name}({self.label}) in {self.dtype}"

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every quantity that differs by more than is allowed."""
        judged = (judge(self.check, metrics, self.multiple) for metrics in self.metrics)
        return tuple(failure for failure in judged if failure is not None)

    @property
    def decided(self) -> bool:
        """Whether any comparison could have failed, and it is known what is allowed in all."""
        return any(metrics.decided for metrics in self.metrics) and not unjudged(self.metrics)

    @property
    def verdict(self) -> Verdict:
        """See :func:`compare.results.verdict.verdict_of`."""
        return verdict_of(bool(self.failures), self.metrics, self.metrics)

    @property
    def exit_code(self) -> int:
        return self.verdict.value

    def document(self) -> Document:
        headline = f"{VERDICTS[self.verdict]}: {self.title}"
        yield from opening(headline, self.verdict, self.failures)
        yield BLANK
        yield metrics_table(self.check, self.metrics, self.multiple, epochs=False)

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.name.lower(),
            "agrees": self.agrees,
            "failures": [str(failure) for failure in self.failures],
        } | asdict(self)

    @property
    def highest(self) -> float:
        """The largest difference, in units."""
        return max((m.worst.ratio for m in self.metrics if m.worst is not None), default=0.0)


@dataclass(frozen=True, repr=False)
class Row(Result):
    """What all comparisons of one entry found together.

    Attributes:
        name: of the entry.
        lockstep: the comparisons with PyTorch.
        referee: the comparisons of each gradient with its own forward pass; none for update rules
            and schedules, which have no gradient.
    """

    name: str
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

    def document(self) -> Document:
        return entries([self])

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.name.lower(),
            "agrees": self.agrees,
            "entry": self.name,
            "failures": [f"{checked.title}: {failure}" for checked, failure in self.failures],
            "lockstep": [asdict(checked) for checked in self.lockstep],
            "own_forward": [asdict(checked) for checked in self.referee],
        }

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know besides: where PyTorch's own gradient is known to be off."""
        name = self.name
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

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table of entries says of it."""
        numbers = f"{self.comparisons:,}", f"{self.highest:.2g}", f"{self.detectable:.0e}"
        return self.name, VERDICTS[self.verdict], *numbers


def entries(rows: Sequence[Row]) -> Document:
    """A table of entries of the catalogue, and below it the failures of each in words."""
    yield Table(_COLUMNS, [(row.cells, COLOURS[row.verdict].split()[-1]) for row in rows])
    for row in rows:
        for checked, failure in row.failures[:TOLD]:
            yield Line(f"  {checked.title}: {failure}")
        for remark in row.remarks:
            yield Line(f"  {remark}", "yellow")
