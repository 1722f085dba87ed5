"""A whole network with its loss and its update rule, as something to plant faults in."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, TypeVar

from compare.base.quantities import Array, Observation
from compare.diagnosis.planting.places import Parts, fresh
from compare.diagnosis.planting.replay import Replayed, replay_once
from compare.measure.step_records import StepInput
from compare.sides.feed import Feed
from compare.sides.networks.beside import Beside
from compare.sides.reference_side import ReferenceSide

T = TypeVar("T")


class SideStage:
    """A reference side, and steps that it makes from where PyTorch was.

    Args:
        side: the side; it is not changed.
        moments: what each step is made from; with a feed, those of all steps from the first on.
        feed: where the batches came from; faults of the training loop need it.
        looked: numbers of the steps that are shown; None for all.
    """

    def __init__(
        self,
        side: ReferenceSide,
        moments: Sequence[StepInput],
        feed: Feed | None = None,
        looked: Sequence[int] | None = None,
    ) -> None:
        self.side = side
        self.moments = moments
        self.feed = feed
        self.looked = range(len(moments)) if looked is None else looked

    @property
    def parts(self) -> dict[str, Any]:
        """Network, loss and update rule, and what trains them."""
        model, rule = self.side.model, self.side.rule
        found = {
            "network": model.network,
            "loss": model.loss,
            "optimizer": rule.optimizer,
            "schedule": rule.schedule,
            "rule": rule,
        }
        return found if self.feed is None else found | {"side": self.side, "feed": self.feed}

    def show(self, parts: Parts) -> Iterator[Replayed]:
        """Make each step with these parts, in plain numbers."""

        def observed(side: ReferenceSide, moment: StepInput) -> Replayed:
            return replay_once(
                partial(side.observe, moment.start, moment.x, moment.target, _as_it_is)
            )

        return self.each(parts, lambda side, moment, number: observed(side, moment))

    def each(self, parts: Parts, look: Callable[[ReferenceSide, StepInput, int], T]) -> Iterator[T]:
        """Let the side made of these parts come to each step that is shown, and look at it.

        Only a side that may remember something of other steps has to make them all.
        """
        side, made = side_of(parts.get("side", self.side), fresh(parts)), 0
        if parts.get("side", self.side) is self.side and parts.get("feed") is self.feed:
            for moment, number in ((self.moments[number], number) for number in self.looked):
                _advance(side, made, moment.number)
                made = moment.number
                yield look(at(side, moment.masks), moment, number)
            return
        batches = _batches(parts["feed"], side)
        for number in range(self.looked[-1] + 1):
            moment, (x, target) = self.moments[number], next(batches)
            at(side, moment.masks)
            if number in self.looked:
                yield look(side, StepInput(moment.start, x, target, moment.masks, number), number)
            replay_once(partial(_trained, side, x, target))


def side_of(side: ReferenceSide, parts: Parts) -> ReferenceSide:
    """A copy of a side made of other parts."""
    twin, model = copy.copy(side), copy.copy(side.model)
    model.network, model.loss = parts["network"], parts["loss"]
    twin.rule = copy.copy(parts["rule"])
    twin.rule.optimizer, twin.rule.schedule = parts["optimizer"], parts["schedule"]
    twin.model = model
    model.optimizer = twin.rule
    model.state = twin.rule.init(model.params)
    twin.beside = model.network if isinstance(model.network, Beside) else None
    return twin


def _advance(side: ReferenceSide, made: int, number: int) -> None:
    """Let the schedule move on, from one step to another."""
    for _ in range(made, number):
        progress, schedule = side.model.state, side.rule.schedule
        if schedule is not None:
            side.model.state = replace(progress, position=schedule.step(progress.position))


def at(side: ReferenceSide, masks: Mapping[str, Array]) -> ReferenceSide:
    """The side, with the masks that PyTorch's dropouts drew in a step."""
    side._masks = lambda: masks
    return side


def _batches(feed: Feed, side: ReferenceSide) -> Iterator[tuple[Array, Array]]:
    """Batch after batch, epoch after epoch."""
    for epoch in count(1):
        for (batch,) in feed.batches(epoch, side):
            yield batch


def _trained(side: ReferenceSide, x: Array, target: Array, seen: Observation) -> None:
    """A step of the side's own, whose errors have been seen where it was observed."""
    side.step(x, target)


def _as_it_is(array: Array) -> Array:
    return array
