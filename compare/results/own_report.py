"""What the check of a user's own network found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from compare.measure.metrics import Metrics
from compare.referee.opinion import Opinion
from compare.results.cause import Cause
from compare.results.document import BLANK, Document, Line
from compare.results.result import Result
from compare.results.sentences import VERDICTS, opening, question_marks, undecided
from compare.results.tables import metrics_table
from compare.results.verdict import Failure, Verdict, is_gradient, judge, unjudged, verdict_of


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
        against: what its gradients were compared with.
        tolerance: name of the tolerance.
        multiple: how many of its units were allowed.
        sections: the comparisons.
        opinion: which side is wrong; None where nothing differs.
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
    opinion: Opinion | None
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
        """See :func:`compare.results.verdict.verdict_of`."""
        return verdict_of(bool(self.failures), self._every, filter(is_gradient, self._every))

    @property
    def _every(self) -> list[Metrics]:
        return [metrics for section in self.sections for metrics in section.metrics]

    @property
    def exit_code(self) -> int:
        return self.verdict.value

    @property
    def headline(self) -> str:
        """The verdict, in one line."""
        first = self.first_divergence
        checks = sum(metrics.checks - metrics.vacuous for metrics in self._every)
        if first is not None:
            told = f"first at {first.quantity} ({first.check})"
        elif self.verdict is Verdict.NOTHING:
            told = undecided(self.unjudged)
        else:
            told = f"{checks:,} comparisons of {self.parameters:,} parameters within tolerance"
        if self.notice:
            told += f"; but {self.notice}"
        return f"{VERDICTS[self.verdict]}: your network against {self.against}: {told}"

    def document(self) -> Document:
        yield from opening(self.headline, self.verdict, self.failures)
        if self.where:
            yield Line(f"  where: {self.where}", "bold")
        for cause in self.causes:
            yield Line(f"  cause: {cause.name}: {cause.told}; {cause.remedy}", "bold")
        if self.opinion is not None:
            yield Line(f"  which side: {self.opinion}", "bold")
        for section in self.sections:
            yield BLANK
            yield metrics_table(section.title, section.metrics, self.multiple, epochs=False)
        remarks = [*self.remarks, *question_marks(self.undecided, self.unjudged)]
        if remarks:
            yield BLANK
        for remark in remarks:
            yield Line(remark, "yellow")

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
            "judgement": None if self.opinion is None else str(self.opinion),
            "causes": [asdict(cause) for cause in self.causes],
            "notice": self.notice,
            "remarks": list(self.remarks),
            "sections": [asdict(section) for section in self.sections],
            "versions": self.versions,
        }
