"""What the check of a user's own network found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from compare.measure.metrics import Metrics
from compare.results.report import Failure, Verdict, is_gradient, judge, unjudged, verdict_of
from compare.results.result import Result

if TYPE_CHECKING:
    from rich.console import Console

    from compare.own.explain.which_side import Judgement
    from compare.results.cause import Cause


@dataclass(frozen=True)
class Section:
    """All comparisons at the same weights and learning rate.

    Attributes:
        title: which weights, and which learning rate if there are two.
        metrics: what was measured, in the order of computation.
    """

    title: str
    metrics: tuple[Metrics, ...]

    def fails(self, multiple: float) -> bool:
        """Whether anything differs by more than so many units of its tolerance."""
        return any(judge(self.title, metrics, multiple) for metrics in self.metrics)


@dataclass(frozen=True, repr=False)
class CrossReport(Result):
    """What a check of a user's network found.

    Attributes:
        against: what its gradients were held against.
        tolerance: name of the tolerance.
        multiple: how many of its units were allowed.
        sections: the comparisons.
        judgement: which side is wrong; None where nothing differs.
        causes: what explains the difference.
        remarks: what else a reader should know.
        parameters: how many numbers were checked.
        versions: of what computed it.
        notice: what the first line should tell besides the verdict.
        where: which gradient is the first wrong one on the way back, and where to look therefore.
    """

    against: str
    tolerance: str
    multiple: float
    sections: tuple[Section, ...]
    judgement: Judgement | None
    causes: tuple[Cause, ...]
    remarks: tuple[str, ...]
    parameters: int
    versions: dict[str, str]
    notice: str = ""
    where: str = ""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """All that differs by more than is allowed, in the order in which it was computed."""
        found = (
            judge(section.title, metrics, self.multiple)
            for section in self.sections
            for metrics in section.metrics
        )
        return tuple(failure for failure in found if failure is not None)

    @property
    def first_divergence(self) -> Failure | None:
        """The first failure."""
        return next(iter(self.failures), None)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Quantities of which no comparison could have failed, at any weights."""
        decided = {metrics.quantity for metrics in self._every if metrics.decided}
        names = dict.fromkeys(metrics.quantity for metrics in self._every)
        return tuple(name for name in names if name not in decided)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Quantities of which it could not always be computed what is allowed."""
        return unjudged(self._every)

    @property
    def verdict(self) -> Verdict:
        """See :func:`compare.results.report.verdict_of`."""
        return verdict_of(bool(self.failures), self._every, filter(is_gradient, self._every))

    @property
    def _every(self) -> list[Metrics]:
        return [metrics for section in self.sections for metrics in section.metrics]

    @property
    def exit_code(self) -> int:
        return self.verdict.value

    def show(self, console: Console) -> None:
        from compare.results.own_words import show

        show(self, console)

    def to_dict(self) -> dict[str, Any]:
        first = self.first_divergence
        return {
            "verdict": self.verdict.name.lower(),
            "agrees": self.agrees,
            "first_divergence": None if first is None else str(first),
            "failures": [str(failure) for failure in self.failures],
            "undecided": list(self.undecided),
            "unjudged": list(self.unjudged),
            "against": self.against,
            "parameters": self.parameters,
            "tolerance": {"name": self.tolerance, "multiple": self.multiple},
            "where": self.where or None,
            "judgement": None if self.judgement is None else str(self.judgement),
            "causes": [asdict(cause) for cause in self.causes],
            "notice": self.notice,
            "remarks": list(self.remarks),
            "sections": [asdict(section) for section in self.sections],
            "versions": self.versions,
        }
