"""One comparison from case to report."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from torch import enable_grad, inference_mode

from compare.base.errors import BackproofError, CannotCompare
from compare.base.quantities import LOSS, Array, Observation, parameter
from compare.base.versions import versions
from compare.cases.case import Case
from compare.cases.goals import GOALS
from compare.measure import torch_constants
from compare.measure.history import LossHistory
from compare.measure.meter import Meter
from compare.measure.step_records import StepInput, StepOutcome, raised
from compare.measure.tolerances import Tolerance
from compare.process import blame
from compare.process.guarded import FAULT, attempt, time_for_it
from compare.referee.opinion import Finding, Opinion
from compare.results.cause import Cause
from compare.results.report import Outcome, Report
from compare.sides import lockstep
from compare.sides.feed import Feed
from compare.sides.pair import Pair, build
from compare.sides.reference_side import ReferenceSide
from compare.sides.torch_side import TorchSide
from compare.training import checked_epochs, not_finite
from compare.training.free_run import FreeRun
from compare.training.interleave import Batch, turns
from compare.training.which_side import judge

Progress: TypeAlias = Callable[[int], None]

#: Steps of a disagreement that are kept to be explained: one that agrees, if there is one, and the
#: first that do not.
KEPT = 3

#: What is said where no cause was found.
NO_CAUSE = "no fault of the catalogue, and no two of them, give these numbers"

#: What is said of a module that was not in training.
EVALUATION = (
    "the module is in evaluation, and was compared so: without dropout and with the running "
    "statistics; call its train() to compare what training does"
)


def run(
    case: Case,
    tolerance: Tolerance,
    lockstep_every: int | None = None,
    progress: Progress = lambda epoch: None,
) -> Report:
    """Train both sides of ``case`` side by side and compare them all the way.

    Args:
        case: what to compare.
        tolerance: how far the two may differ.
        lockstep_every: epochs between two lockstep checks; None chooses.
        progress: called now and then with the number of the epoch that is done.

    Raises:
        CannotCompare: the data cannot be had, or both sides overflow.
    """
    pair = build(case)
    with inference_mode(False), pair.torch.training(), enable_grad(), np.errstate(all="ignore"):
        session = Session(
            case, tolerance, pair, Feed(case), lockstep_every, lambda: build(case).reference
        )
        session.train(progress)
        return session.report()


class Session:
    """Two sides being trained and compared.

    Args:
        case: what to compare.
        tolerance: how far the two may differ.
        pair: both sides.
        feed: what they are trained on.
        lockstep_every: epochs between two lockstep checks; None chooses.
        right: gives what faults are planted in to explain a disagreement: the reference's own
            network, loss and update rule; None for those of the pair.

    Attributes:
        broken: whether there is nothing left to train: a step failed, or gave no finite numbers.
        ended: why training came to an end before its time, in one sentence.
    """

    def __init__(
        self,
        case: Case,
        tolerance: Tolerance,
        pair: Pair,
        feed: Feed,
        lockstep_every: int | None = None,
        right: Callable[[], ReferenceSide] | None = None,
    ) -> None:
        self.case = case
        self.tolerance = tolerance
        self.pair = pair
        self.feed = feed
        self.lockstep_epochs = checked_epochs.epochs(case.epochs, lockstep_every)
        self.lockstep = Meter(tolerance.multiple)
        self.free_run = FreeRun(pair, self.feed, tolerance, case.seed)
        self.history = LossHistory()
        self.broken = False
        self.ended = ""
        self.opinion: Opinion | None = None
        self.right = right
        self.steps: list[StepOutcome] = []
        self.made = 0
        self.began = time.monotonic()
        self.before = self._evaluate()

    def train(self, progress: Progress = lambda epoch: None) -> None:
        """Train both sides to the end, or until nothing is left to train, with all checks.

        Args:
            progress: called now and then with the number of the epoch that is done.
        """
        for epochs in checked_epochs.stretches(self.case.epochs):
            self._stretch(epochs)
            progress(epochs[-1])
            if self.broken:
                return

    def _stretch(self, epochs: range) -> None:
        """Train both sides for some epochs, and then compare where they have come."""
        losses = self._losses(epochs)
        for epoch, both in zip(epochs, losses, strict=False):
            self.history.add(epoch, *both)
            self.free_run.watch(epoch, *both)
        if self.broken:
            return
        lost = [k for k, both in enumerate(losses) if not all(map(math.isfinite, both))]
        sound = self.free_run.epoch(epochs[-1], *losses[-1])
        if lost or not sound:
            first = lost[0] if lost else -1
            self._check_trajectories(epochs[first], losses[first])

    def _losses(self, epochs: range) -> list[tuple[float, float]]:
        """Train both sides, and give the losses of each epoch that was completed."""
        ours: list[float] = []
        theirs: list[float] = []
        for turn in turns(self.pair, self.feed, epochs, self.lockstep_epochs):
            self._turn(turn, ours, theirs)
            if self.broken:
                break
        batches = len(self.feed.parts)
        return [
            (
                float(self.feed.loss(ours[start : start + batches])),
                float(self.feed.loss(theirs[start : start + batches])),
            )
            for start in range(0, len(ours) - batches + 1, batches)
        ]

    def _turn(self, turn: list[Batch], ours: list[float], theirs: list[float]) -> None:
        """Train PyTorch's side on some batches, and then the reference; add their losses."""
        recorded = None
        for batch in turn:
            if batch.looked_at:
                recorded = lockstep.step_torch(self.pair.torch, batch.theirs, batch.ours, self.made)
                theirs.append(float(recorded[1][LOSS]))
            else:
                theirs.append(self.pair.torch.step(*batch.theirs))
            self.made += 1
        for batch in turn:
            if batch.looked_at and recorded is not None:
                self._lockstep(batch, *recorded)
            if not self.broken:
                self._reference_step(batch, ours)
            if self.broken:
                return
            self.free_run.step(*batch.ours)

    def _reference_step(self, batch: Batch, losses: list[float]) -> None:
        try:
            losses.append(self.pair.reference.step(*batch.ours))
        except BackproofError:
            raise
        except Exception as error:  # the code under test: whatever it raises is a finding
            self.lockstep.reject(batch.epoch, {"training step": raised(error)})
            self.broken = True

    def _lockstep(self, batch: Batch, given: StepInput, expected: Observation) -> None:
        """Compare a step of PyTorch's with the reference's from the very same start."""
        step = lockstep.step_reference(self.pair.reference, given, expected, self.tolerance)
        if step.raised and not _finite(step.expected):
            name = next(name for name, value in step.expected.items() if _lost(value))
            raise CannotCompare(f"PyTorch's {name} is not finite, and {step.raised}")
        if step.differing:
            self.lockstep.reject(batch.epoch, step.differing)
            self._keep(step, failed=True)
            self.broken = True
            self._ask_referee(step, batch.ours, frozenset(step.differing))
            return
        if self._overflowed(batch.epoch, step.actual, step.expected):
            return
        root = self._root_of_rounding(step)
        if root:
            self._stop(batch.epoch, root)
            return
        ratios = self.lockstep.add(batch.epoch, step.actual, step.expected, step.units)
        self.free_run.hear(step.actual, step.units)
        failing = frozenset(
            name
            for name, ratio in zip(step.actual, ratios, strict=True)
            if not ratio <= self.tolerance.multiple
        )
        self._keep(step, failed=bool(failing))
        self._ask_referee(step, batch.ours, failing)
        self.broken |= not (_finite(step.actual) and _finite(step.expected))

    def _keep(self, step: StepOutcome, failed: bool) -> None:
        """Keep the first steps that fail and the one before them, to be explained."""
        if not failed and self.opinion is None:
            self.steps = [step]
        elif len(self.steps) < KEPT:
            self.steps.append(step)

    def _causes(self) -> tuple[tuple[Cause, ...], str]:
        """What explains the disagreement, or why nothing does."""
        if not self.lockstep.failed or not self.steps:
            return (), ""
        from compare.diagnosis.diagnose import diagnose  # loads the catalogue: no need to, so far

        budget = time_for_it(self.began)

        def find() -> list[Cause]:
            right = self.pair.reference if self.right is None else self.right()
            right.watched = self.pair.reference.watched
            lr = None if self.case.phases or self.case.groups else self.case.lr
            return diagnose(right, self.steps, self.tolerance.multiple, lr, budget)

        found, why_not = attempt(FAULT, find, budget)
        if found is None:
            return (), why_not
        return tuple(found), "" if found else NO_CAUSE

    def _ask_referee(
        self, step: StepOutcome, ours: tuple[Array, Array], failing: frozenset[str]
    ) -> None:
        """On the first disagreement, find out which side is wrong; at a corner, on a later one."""
        told = self.opinion is not None and self.opinion.finding is not Finding.CORNER
        if failing and not told:
            try:
                self.opinion = judge(self.pair, step, *ours, failing)
            except Exception as error:  # code under test, run on other kinds of number
                self.opinion = Opinion(Finding.UNCLEAR, reason=blame.told(error))

    def _overflowed(self, epoch: int, actual: Observation, expected: Observation) -> bool:
        """Whether there are no finite numbers to go on with, on both sides alike.

        That is neither right nor wrong, unless something has been wrong before.
        """
        lost = [name for name, value in expected.items() if not np.isfinite(value).all()]
        both = [name for name in lost if not np.isfinite(actual[name]).all()]
        if both:
            self._stop(epoch, both[0])
        return bool(both)

    def _root_of_rounding(self, step: StepOutcome) -> str | None:
        """A parameter with entries on which rounding alone decides, as their variance is that."""
        for name, entries in not_finite.lost_variances(self.pair.torch).items():
            key = parameter(name)
            sound = np.isfinite(step.actual[key]) & np.isfinite(step.expected[key])
            lost = ~(sound & np.isfinite(step.units[key]))
            if lost.any() and not (lost & ~entries).any():
                return key
        return None

    def _stop(self, epoch: int, name: str) -> None:
        """End training where there is nothing finite left to compare, neither right nor wrong.

        What was compared before stands if only the arithmetic of the update rule came to an end.
        """
        self.broken = True
        if self._failed:
            return
        side = self.pair.torch
        why = not_finite.reason(side, self.feed, epoch, name, self.case.lr, self.made)
        if epoch == 1 or not not_finite.is_centred(side):
            raise CannotCompare(why)
        self.ended = f"nothing was compared from there on: {why}"

    def _check_trajectories(self, epoch: int, losses: tuple[float, float]) -> None:
        """Stop where training has overflowed on one side or on both."""
        actual, expected = self.free_run.trajectories(*losses)
        if self._overflowed(epoch, actual, expected) or (_finite(actual) and _finite(expected)):
            return
        if not_finite.is_centred(self.pair.torch):
            self._stop(epoch, next(n for n, v in expected.items() if _lost(actual[n]) or _lost(v)))
            return
        if not self._failed:  # beyond the horizon, where two right runs may differ in this, too
            raise CannotCompare(
                f"training overflows: at epoch {epoch}, it is not finite on one side, where "
                f"rounding alone may decide on which; use a smaller --lr (now {self.case.lr:g})"
            )
        self.broken = True

    @property
    def _failed(self) -> bool:
        return self.lockstep.failed or self.free_run.meter.failed

    def _evaluate(self) -> tuple[float, float]:
        """The loss on all samples, on both sides; not a number where the reference raises."""
        x, target = self.feed.inputs, self.feed.targets
        try:
            ours = self.pair.reference.evaluate(x, target)
        except Exception:  # the code under test: lockstep will say what it raises
            ours = math.nan
        return ours, self.pair.torch.evaluate(x, target)

    def report(self) -> Report:
        """Everything that was found, and what was learned."""
        after = self.before if self.broken else self._evaluate()
        causes, unexplained = self._causes()
        return Report(
            case=self.case,
            tolerance=self.tolerance.name,
            multiple=self.tolerance.multiple,
            lockstep=self.lockstep.metrics(),
            free_run=self.free_run.metrics(),
            free_run_multiple=self.free_run.multiple,
            horizon=self.free_run.horizon,
            growth=self.free_run.growth,
            opinion=self._final_opinion(),
            causes=causes,
            unexplained=unexplained,
            reference=self._outcome(self.pair.reference, self.before[0], after[0]),
            torch=self._outcome(self.pair.torch, self.before[1], after[1]),
            history=self.history,
            versions=versions(),
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        """What a reader should know besides."""
        inexact = self.pair.torch.inexact
        notes = [torch_constants.told(inexact, mended=True)] if inexact else []
        if self.ended:
            notes.append(self.ended)
        if not self.pair.torch.network.training:
            notes.append(EVALUATION)
        return tuple(notes)

    def _final_opinion(self) -> Opinion | None:
        """The referee's, or what can be said where only the free run has failed."""
        if self.opinion is None and self.free_run.meter.failed and not self.lockstep.failed:
            return Opinion(Finding.FREE_RUN)
        return self.opinion

    def _outcome(self, side: ReferenceSide | TorchSide, before: float, after: float) -> Outcome:
        try:
            outputs = side.predict(self.feed.inputs)
            goal = GOALS[self.case.goal](outputs, self.feed.targets)
        except Exception as error:  # the code under test: lockstep has said what it raises
            goal = False, f"raised {type(error).__name__}"
        return Outcome(before, after, *goal)


def _lost(value: Array) -> bool:
    return not np.isfinite(value).all()


def _finite(values: Observation) -> bool:
    return all(bool(np.isfinite(value).all()) for value in values.values())
