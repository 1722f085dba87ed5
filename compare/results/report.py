"""What the comparison of a whole training found, and everything that the verdict rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from compare.cases.registry import Case
from compare.measure.history import LossHistory
from compare.measure.metrics import Metrics
from compare.referee.opinion import Opinion
from compare.results.cause import Cause
from compare.results.document import BLANK, Document, Line
from compare.results.result import Result
from compare.results.sentences import VERDICTS, count_epochs, opening, question_marks, undecided
from compare.results.tables import metrics_table
from compare.results.verdict import Failure, Verdict, is_gradient, judge, unjudged, verdict_of

#: So many causes are told in words; JSON has them all.
CAUSES = 5


@dataclass(frozen=True)
class Outcome:
    """What training achieved on one side.

    Attributes:
        loss_before: the loss on all samples before the first step.
        loss_after: the same after the last.
        learned: whether the case's goal was reached.
        score: how close to it, in words.
    """

    loss_before: float
    loss_after: float
    learned: bool
    score: str

    def __str__(self) -> str:
        learned = "learned" if self.learned else "not learned"
        return f"loss {self.loss_before:.6g} -> {self.loss_after:.6g}, {learned} ({self.score})"


@dataclass(frozen=True, repr=False)
class Report(Result):
    """What a comparison found.

    Attributes:
        case: what was compared.
        tolerance: name of the tolerance.
        multiple: how many of its units were allowed.
        lockstep: metrics of the lockstep check, in the order of computation.
        free_run: metrics of the free run, up to its horizon.
        free_run_multiple: how many of its units were allowed there.
        horizon: the epoch from which on the free run decides nothing; None if it decides all.
        growth: the factor per epoch by which rounding differences grew; None if not measured.
        opinion: which side is wrong, by the referee; None where lockstep found no difference.
        causes: what explains the numbers of the disagreement.
        unexplained: why there are none, where lockstep found a difference.
        notes: what was found besides, each in one sentence.
        reference: what training achieved on the NumPy side.
        torch: the same on the PyTorch side.
        history: the losses of both, epoch by epoch.
        versions: of what computed it.
    """

    case: Case
    tolerance: str
    multiple: float
    lockstep: tuple[Metrics, ...]
    free_run: tuple[Metrics, ...]
    free_run_multiple: float
    horizon: int | None
    growth: float | None
    opinion: Opinion | None
    reference: Outcome
    torch: Outcome
    history: LossHistory
    versions: dict[str, str]
    causes: tuple[Cause, ...] = ()
    unexplained: str = ""
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """All failures, lockstep before free run, in order of epoch and then of computation."""
        found = []
        for check, several, multiple in (
            ("lockstep", self.lockstep, self.multiple),
            ("free run", self.free_run, self.free_run_multiple),
        ):
            failures = [judge(check, metrics, multiple) for metrics in several]
            found += sorted((f for f in failures if f), key=lambda failure: failure.epoch)
        return tuple(found)

    @property
    def first_divergence(self) -> Failure | None:
        """The first failure: where the fault is."""
        return next(iter(self.failures), None)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Quantities whose comparison could not have failed, so that it shows nothing."""
        return tuple(metrics.quantity for metrics in self.lockstep if not metrics.decided)

    @property
    def undecided_free_run(self) -> tuple[str, ...]:
        """The same for the free run."""
        return tuple(metrics.quantity for metrics in self.free_run if not metrics.decided)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Quantities of which it could not always be computed what is allowed."""
        free_run = (f"{name} (free run)" for name in unjudged(self.free_run))
        return (*unjudged(self.lockstep), *free_run)

    @property
    def verdict(self) -> Verdict:
        """See :func:`compare.results.verdict.verdict_of`."""
        every = (*self.lockstep, *self.free_run)
        return verdict_of(bool(self.failures), every, filter(is_gradient, self.lockstep))

    @property
    def exit_code(self) -> int:
        return self.verdict.value

    @property
    def headline(self) -> str:
        """The verdict, in one line."""
        case = self.case
        subject = f"{case.name}, {count_epochs(case.epochs)}, {case.dtype}, seed {case.seed}"
        every = (*self.lockstep, *self.free_run)
        checks = sum(metrics.checks - metrics.vacuous for metrics in every)
        first = self.first_divergence
        if first is not None:
            told = f"first at {first.quantity}, epoch {first.epoch} ({first.check})"
        elif self.verdict is Verdict.NOTHING:
            told = undecided(self.unjudged)
        else:
            told = f"{checks:,} comparisons within tolerance"
        return f"{VERDICTS[self.verdict]}: {subject}: {told}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know besides the tables."""
        said = list(self.notes)
        if self.horizon is not None:
            said.append(
                f"free run: not decidable from epoch {self.horizon} on, as rounding alone, growing "
                f"{self.growth:.3g}-fold per epoch, explains any difference; lockstep decides"
            )
        nothing = [*self.undecided, *(f"{name} (free run)" for name in self.undecided_free_run)]
        said += question_marks(nothing, self.unjudged)
        if self.agrees and not (self.reference.learned and self.torch.learned):
            said.append(
                "both sides agree, but the task was not learned: more epochs, or another seed"
            )
        return tuple(said)

    def document(self) -> Document:
        yield from opening(self.headline, self.verdict, self.failures)
        if self.opinion is not None:
            yield Line(f"  referee: {self.opinion}", "bold")
        for cause in self._causes():
            yield Line(f"  cause: {cause}", "bold")
        yield BLANK
        yield metrics_table("lockstep: one step from the same start", self.lockstep, self.multiple)
        yield BLANK
        yield metrics_table("free run: each side on its own", self.free_run, self.free_run_multiple)
        yield BLANK
        yield Line(f"reference  {self.reference}")
        yield Line(f"torch      {self.torch}")
        for remark in self.remarks:
            yield Line(remark, "yellow")

    def _causes(self) -> Iterator[str]:
        """What explains a disagreement, each cause with its remedy; several explain it alike."""
        if self.unexplained:
            yield self.unexplained
            return
        for cause in self.causes[:CAUSES]:
            yield f"{cause.name}: {cause.told}. Remedy: {cause.remedy}"
        if len(self.causes) > CAUSES:
            yield f"or one of {len(self.causes) - CAUSES} more"

    def to_dict(self) -> dict[str, Any]:
        first = self.first_divergence
        return {
            "verdict": self.verdict.name.lower(),
            "agrees": self.agrees,
            "first_divergence": None if first is None else str(first),
            "failures": [str(failure) for failure in self.failures],
            "undecided": list(self.undecided),
            "unjudged": list(self.unjudged),
            "case": asdict(self.case),
            "tolerance": {"name": self.tolerance, "multiple": self.multiple},
            "lockstep": [asdict(metrics) for metrics in self.lockstep],
            "referee": None if self.opinion is None else str(self.opinion),
            "causes": [asdict(cause) for cause in self.causes],
            "unexplained": self.unexplained,
            "notes": list(self.notes),
            "horizon": self.horizon,
            "growth": self.growth,
            "free_run_multiple": self.free_run_multiple,
            "free_run": [asdict(metrics) for metrics in self.free_run],
            "reference": asdict(self.reference),
            "torch": asdict(self.torch),
            "history": {
                "epoch": list(self.history.epochs),
                "reference": list(self.history.reference),
                "torch": list(self.history.torch),
            },
            "versions": self.versions,
        }
