"""What the comparison of one entry of the catalogue found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from compare.measure.metrics import Metrics
from compare.results.report import Failure, Verdict, judge, unjudged, verdict_of
from compare.results.result import Result

if TYPE_CHECKING:
    from rich.console import Console


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
        """See :func:`compare.results.report.verdict_of`."""
        return verdict_of(bool(self.failures), self.metrics, self.metrics)

    @property
    def exit_code(self) -> int:
        return self.verdict.value

    def show(self, console: Console) -> None:
        from compare.results.console import variant

        variant(self, console)

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
