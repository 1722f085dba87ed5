"""Training one side alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from compare.base.errors import CannotCompare, UsageError
from compare.cases.case import Case
from compare.cases.goals import GOALS
from compare.measure.history import Thinned
from compare.results.report import Outcome
from compare.sides.feed import Feed
from compare.sides.reference_side import ReferenceSide, initial_weights
from compare.sides.side import Side

IMPLEMENTATIONS = ("reference", "torch")


@dataclass(frozen=True)
class Trained:
    """A side after training.

    Attributes:
        side: the side, with its weights.
        epochs: the epochs of the curve.
        losses: the loss in each of them.
        outcome: what was achieved.
    """

    side: Side
    epochs: list[float]
    losses: list[float]
    outcome: Outcome


def side_of(case: Case, implementation: str) -> Side:
    """One side of a case, before training.

    Raises:
        UsageError: there is no such implementation.
    """
    if implementation not in IMPLEMENTATIONS:
        raise UsageError(
            f"impl is {implementation!r}, but should be one of {', '.join(IMPLEMENTATIONS)}"
        )
    weights = initial_weights(case)
    if implementation == "reference":
        return ReferenceSide.of(case, weights)
    from compare.sides.torch_side import TorchSide

    return TorchSide.of(case, weights)


def train(
    case: Case, implementation: str = "reference", progress: Callable[[int], None] | None = None
) -> Trained:
    """Train one side of a case.

    Args:
        case: what to train.
        implementation: ``reference`` or ``torch``.
        progress: called with the number of each epoch when it is done.

    Raises:
        CannotCompare: the data cannot be had, or training overflows.
    """
    side, feed = side_of(case, implementation), Feed(case)
    epochs, losses = Thinned(), Thinned()
    with side.training(), np.errstate(all="ignore"), _refusals_told(implementation):
        before = side.evaluate(feed.inputs, feed.targets)
        for epoch in range(1, case.epochs + 1):
            each = [side.step(*batch) for (batch,) in feed.batches(epoch, side)]
            loss = float(feed.loss(each))
            _require_finite(case, epoch, loss, side)
            epochs.add(epoch)
            losses.add(loss)
            if progress is not None:
                progress(epoch)
        after = side.evaluate(feed.inputs, feed.targets)
    goal = GOALS[case.goal](side.predict(feed.inputs), feed.targets)
    return Trained(side, epochs.values, losses.values, Outcome(before, after, *goal))


@contextmanager
def _refusals_told(implementation: str) -> Iterator[None]:
    """What a network refuses, such as a batch norm over a single sample, in one line."""
    try:
        yield
    except ValueError as error:
        raise CannotCompare(
            f"{implementation} cannot train on a batch: {error}; use another --batch-size"
        ) from error


def _require_finite(case: Case, epoch: int, loss: float, side: Side) -> None:
    for name, value in {"the loss": np.array(loss), **side.weights()}.items():
        if not np.isfinite(value).all():
            raise CannotCompare(
                f"training overflows: at epoch {epoch}, {name} is not finite; "
                f"use a smaller --lr (now {case.lr:g})"
            )
