"""Taking turns: a few batches for one side, then the same ones for the other.

Two libraries that take turns with every single batch push each other's code out of the processor's
caches, and both then need half as long again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from torch import Tensor

from compare.base.quantities import Array
from compare.sides.feed import Feed
from compare.sides.pair import Pair
from compare.training import checked_epochs

#: The most batches in one turn; more would hardly save any more time.
LENGTH = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, for both sides.

    Attributes:
        epoch: to which it belongs.
        looked_at: whether lockstep compares the step that is made on it.
        ours: inputs and targets for the reference.
        theirs: the same for PyTorch.
    """

    epoch: int
    looked_at: bool
    ours: tuple[Array, Array]
    theirs: tuple[Tensor, Tensor]


def turns(
    pair: Pair, feed: Feed, epochs: range, lockstep_epochs: Collection[int]
) -> Iterator[list[Batch]]:
    """The batches of some epochs, in turns.

    Lockstep looks at no more than one of each turn, as all that PyTorch has shown of it is kept for
    so long. Masks that PyTorch has drawn hold for one step, so a network that may have some
    takes a turn for each.
    """
    longest = 1 if pair.reference.beside else LENGTH
    turn: list[Batch] = []
    for batch in _batches(pair, feed, epochs, lockstep_epochs):
        looked_at = batch.looked_at and any(one.looked_at for one in turn)
        if looked_at or len(turn) == longest:
            yield turn
            turn = []
        turn.append(batch)
    yield turn


def _batches(
    pair: Pair, feed: Feed, epochs: range, lockstep_epochs: Collection[int]
) -> Iterator[Batch]:
    for epoch in epochs:
        looked_at = (
            checked_epochs.batch(epoch, len(feed.parts)) if epoch in lockstep_epochs else None
        )
        for number, both in enumerate(feed.batches(epoch, pair.reference, pair.torch)):
            yield Batch(epoch, number == looked_at, *both)
