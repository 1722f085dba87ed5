"""One comparison from case to report."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from torch import Tensor, enable_grad, inference_mode

from compare import lockstep, schedule
from compare.case import Case
from compare.environment import versions
from compare.errors import BackproofError, CannotCompare
from compare.feed import Feed
from compare.free_run import FreeRun
from compare.goals import GOALS
from compare.history import LossHistory
from compare.meter import Meter
from compare.observation import Array, Observation
from compare.opinion import Finding, Opinion
from compare.pair import Pair, build
from compare.referee import judge
from compare.reference_side import ReferenceSide
from compare.report import Outcome, Report
from compare.tolerances import Tolerance
from compare.torch_side import TorchSide

Progress: TypeAlias = Callable[[int], None]


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
        progress: called with the number of each epoch when it is done.

    Raises:
        CannotCompare: the data cannot be had, or both sides overflow.
    """
    pair = build(case)
    with inference_mode(False), pair.torch.training(), enable_grad(), np.errstate(all="ignore"):
        session = Session(case, tolerance, pair, Feed(case), lockstep_every)
        for epoch in range(1, case.epochs + 1):
            session.epoch(epoch)
            progress(epoch)
            if session.broken:
                break
        return session.report()


class Session:
    """Two sides being trained and compared.

    Args:
        case: what to compare.
        tolerance: how far the two may differ.
        pair: both sides.
        feed: what they are trained on.
        lockstep_every: epochs between two lockstep checks; None chooses.

    Attributes:
        broken: whether there is nothing left to train: a step failed, or gave no finite numbers.
    """

    def __init__(
        self,
        case: Case,
        tolerance: Tolerance,
        pair: Pair,
        feed: Feed,
        lockstep_every: int | None = None,
    ) -> None:
        self.case = case
        self.tolerance = tolerance
        self.pair = pair
        self.feed = feed
        self.lockstep_epochs = schedule.epochs(case.epochs, lockstep_every)
        self.lockstep = Meter(tolerance.multiple)
        self.free_run = FreeRun(pair, self.feed, tolerance, case.seed)
        self.history = LossHistory()
        self.broken = False
        self.opinion: Opinion | None = None
        self.before = self._evaluate()

    def epoch(self, epoch: int) -> None:
        """Train both sides for one epoch, with the checks that fall into it."""
        batches = len(self.feed.parts)
        checked = schedule.batch(epoch, batches) if epoch in self.lockstep_epochs else None
        reference_losses, torch_losses = [], []
        sides = self.pair.reference, self.pair.torch
        for number, (ours, theirs) in enumerate(self.feed.batches(epoch, *sides)):
            if number == checked:
                torch_losses.append(self._lockstep(epoch, ours, theirs))
            else:
                torch_losses.append(self.pair.torch.step(*theirs))
            if self.broken:
                return
            try:
                reference_losses.append(self.pair.reference.step(*ours))
            except BackproofError:
                raise
            except Exception as error:  # the code under test: whatever it raises is a finding
                self.lockstep.reject(epoch, {"training step": lockstep.raised(error)})
                self.broken = True
                return
            self.free_run.step(*ours)
        losses = float(self.feed.loss(reference_losses)), float(self.feed.loss(torch_losses))
        self.history.add(epoch, *losses)
        sound = all(map(math.isfinite, losses))
        if schedule.measured(epoch, self.case.epochs):
            sound &= self.free_run.epoch(epoch, *losses)
        if not sound:
            self._check_trajectories(epoch, losses)

    def _lockstep(
        self, epoch: int, ours: tuple[Array, Array], theirs: tuple[Tensor, Tensor]
    ) -> float:
        """One step of PyTorch's, and the reference's from the very same start."""
        step = lockstep.step(self.pair, self.tolerance, ours, theirs)
        if step.differing:
            self.lockstep.reject(epoch, step.differing)
            self.broken = True
            self._ask_referee(step, ours, frozenset(step.differing))
            return step.loss
        if self._overflowed(epoch, step.actual, step.expected):
            return step.loss
        ratios = self.lockstep.add(epoch, step.actual, step.expected, step.units)
        self.free_run.hear(step.actual, step.units)
        failing = frozenset(
            name
            for name, ratio in zip(step.actual, ratios, strict=True)
            if not ratio <= self.tolerance.multiple
        )
        self._ask_referee(step, ours, failing)
        self.broken |= not (_finite(step.actual) and _finite(step.expected))
        return step.loss

    def _ask_referee(
        self, step: lockstep.Step, ours: tuple[Array, Array], failing: frozenset[str]
    ) -> None:
        """On the first disagreement, find out which side is wrong."""
        if failing and self.opinion is None:
            try:
                self.opinion = judge(self.pair, step, *ours, failing)
            except Exception as error:  # code under test, run on other kinds of number
                self.opinion = Opinion(Finding.UNCLEAR, reason=f"{type(error).__name__}: {error}")

    def _overflowed(self, epoch: int, actual: Observation, expected: Observation) -> bool:
        """Whether there are no finite numbers to go on with, on both sides alike.

        That is neither right nor wrong, unless something has been wrong before.
        """
        lost = [name for name, value in expected.items() if not np.isfinite(value).all()]
        both = [name for name in lost if not np.isfinite(actual[name]).all()]
        if both and not self._failed:
            raise CannotCompare(
                f"training overflows: at epoch {epoch}, {both[0]} is not finite; "
                f"use a smaller --lr (now {self.case.lr:g})"
            )
        self.broken |= bool(both)
        return bool(both)

    def _check_trajectories(self, epoch: int, losses: tuple[float, float]) -> None:
        """Stop where training has overflowed on one side or on both."""
        actual, expected = self.free_run.trajectories(*losses)
        if self._overflowed(epoch, actual, expected) or (_finite(actual) and _finite(expected)):
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
            reference=self._outcome(self.pair.reference, self.before[0], after[0]),
            torch=self._outcome(self.pair.torch, self.before[1], after[1]),
            history=self.history,
            versions=versions(),
        )

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


def _finite(values: Observation) -> bool:
    return all(bool(np.isfinite(value).all()) for value in values.values())
