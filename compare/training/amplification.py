"""Whether training itself has made a large difference of a small one.

Where units saturate, or a step jumps from one side of a valley to the other, one epoch may multiply
a difference by more than all before it, and the perturbed copies may come to that point an epoch
sooner or later. So before a difference beyond the envelope is called one, the reference is started
twice from where the two sides were when their difference was last within it: where it was itself,
and where PyTorch was. If it comes to where each of them is now, both sides make the same of the
same, and what differs is what training has made of rounding: nothing more can be decided.
A fault in either side's steps would show as another way from one of these two starts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

import reference
from compare.base.quantities import LOSS, Array, Observation, Snapshot, parameter
from compare.sides.feed import Feed
from compare.sides.pair import Pair

#: What the two starts leave unexplained of a difference may be so large a part of it.
PART = 0.1


@dataclass(frozen=True)
class Place:
    """Where both sides are after an epoch.

    Attributes:
        epoch: how many there have been.
        params: the reference's.
        progress: what its update rule remembers.
        theirs: PyTorch's parameters and optimizer state.
    """

    epoch: int
    params: reference.Params
    progress: reference.Progress
    theirs: Snapshot


def place(pair: Pair, epoch: int) -> Place | None:
    """Where both sides are now; None if they cannot be brought back there.

    Masks and statistics belong to a single step, and those of past ones are not kept.
    """
    if pair.reference.beside is not None:
        return None
    model = pair.reference.model
    return Place(
        epoch, dict(model.params), cast(reference.Progress, model.state), pair.torch.snapshot()
    )


def explains(
    pair: Pair, feed: Feed, before: Place, epoch: int, actual: Observation, expected: Observation
) -> bool:
    """Whether the reference makes this difference of the one that there was before.

    Args:
        pair: both sides.
        feed: what they are trained on.
        before: where they were when they were within what is allowed.
        epoch: how many epochs there have been now.
        actual: where the reference is now: loss and parameters.
        expected: where PyTorch is.
    """
    if not before.epoch < epoch:
        return False
    theirs = replace(before.progress, state={n: dict(s) for n, s in before.theirs.state.items()})
    ours = _train(pair, feed, before.params, before.progress, range(before.epoch, epoch))
    again = _train(pair, feed, dict(before.theirs.weights), theirs, range(before.epoch, epoch))
    return all(
        _distance(side, reached, name) <= PART * _distance(actual, expected, name)
        for side, reached in ((actual, ours), (expected, again))
        for name in actual
    )


def _train(
    pair: Pair, feed: Feed, params: reference.Params, progress: reference.Progress, epochs: range
) -> Observation:
    """Where the reference comes from a start, with the data of the epochs after these."""
    model = pair.reference.model
    losses: list[Array] = []
    for epoch in epochs:
        losses = []
        for ((x, target),) in feed.batches(epoch + 1, pair.reference):
            loss, grads = reference.gradients(model.network, model.loss, params, x, target)
            params, progress = pair.reference.rule.step(params, grads, progress)
            losses.append(loss)
    return {LOSS: feed.loss(losses)} | {parameter(name): p for name, p in params.items()}


def _distance(one: Observation, other: Observation, name: str) -> float:
    return float(np.max(np.abs(one[name] - other[name]), initial=0.0))
