"""The verdict on a comparison, and everything that it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from compare.base.quantities import gradient
from compare.cases.named import Case
from compare.measure.history import LossHistory
from compare.measure.metrics import Difference, Metrics
from compare.referee.opinion import Opinion
from compare.results.cause import Cause
from compare.results.result import Result

if TYPE_CHECKING:
    from rich.console import Console


class Verdict(Enum):
    """What came out; the values are the exit codes."""

    AGREE = 0
    DISAGREE = 1
    NOTHING = 4


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


@dataclass(frozen=True)
class Failure:
    """A quantity on which the two sides differ by more than is allowed.

    Attributes:
        check: ``lockstep`` or ``free run``.
        quantity: its name.
        epoch: when it was first seen to differ; 0 where there are no epochs.
        difference: the numbers; None where there was nothing to compare.
        allowed: the largest difference that would have passed, at that entry.
        metrics: all that was measured of the quantity.
        reason: why there was nothing to compare.
    """

    check: str
    quantity: str
    epoch: int
    difference: Difference | None
    allowed: float
    metrics: Metrics
    reason: str | None = None

    def __str__(self) -> str:
        when = f", epoch {self.epoch}" if self.epoch else ""
        where = f"{self.check}{when}: {self.quantity}"
        if self.difference is None:
            return f"{where}: {self.reason}"
        worst = self.difference
        index = list(worst.index) if worst.index else ""
        actual, expected = _apart(worst.actual, worst.expected)
        allowed = f"allowed is {self.allowed:.2g}"
        if not 0 <= self.allowed < math.inf:
            allowed = "what is allowed could not be computed"
        return (
            f"{where}{index} = {actual}, but should be {expected}; they differ "
            f"by {worst.error:.2g}, {allowed} "
            f"({worst.beyond} of {worst.size} entries differ, {worst.beyond / worst.size:.1%})"
        )


def _apart(actual: float, expected: float) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to tell them apart."""
    if f"{actual:.9g}" != f"{expected:.9g}":
        return f"{actual:.9g}", f"{expected:.9g}"
    return f"{actual:.17g}", f"{expected:.17g}"


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
        """See :func:`verdict_of`."""
        every = (*self.lockstep, *self.free_run)
        return verdict_of(bool(self.failures), every, filter(is_gradient, self.lockstep))

    @property
    def exit_code(self) -> int:
        return self.verdict.value

    def show(self, console: Console) -> None:
        from compare.results.console import show

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


def is_gradient(metrics: Metrics) -> bool:
    """Whether the quantity is the gradient of a parameter, or the one at the input."""
    return metrics.quantity.startswith(gradient(""))


def unjudged(several: Iterable[Metrics]) -> tuple[str, ...]:
    """The names of quantities of which it could not always be computed what is allowed."""
    return tuple(dict.fromkeys(metrics.quantity for metrics in several if metrics.unjudged))


def verdict_of(failed: bool, every: Iterable[Metrics], needed: Iterable[Metrics]) -> Verdict:
    """Disagree on any failure; agree only on what could have failed, all of which was judged.

    Args:
        failed: whether anything failed.
        every: all that was measured; nothing of it may be unjudged.
        needed: at least one of these must have been compared so that it could have failed.
    """
    if failed:
        return Verdict.DISAGREE
    if unjudged(every) or not any(metrics.decided for metrics in needed):
        return Verdict.NOTHING
    return Verdict.AGREE


def judge(check: str, metrics: Metrics, multiple: float) -> Failure | None:
    """The first failure of one quantity, if so many units are allowed."""
    if metrics.structure is not None:
        epoch, reason = metrics.structure_epoch, metrics.structure
        return Failure(check, metrics.quantity, epoch, None, 0.0, metrics, reason)
    beyond = metrics.first_beyond(multiple)
    if beyond is None:
        return None
    allowed = multiple * beyond.unit
    return Failure(check, metrics.quantity, beyond.epoch, beyond, allowed, metrics)
