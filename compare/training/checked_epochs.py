"""When the checks look: every epoch at first, then ever more rarely, and at the very end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: Up to this many epochs each one is looked at.
EVERY = 100

#: Beyond that, so many for each doubling of the epoch.
PER_DOUBLING = 6

#: The most epochs between two measurements of the free run.
LONGEST = 32


def epochs(last: int, every: int | None = None) -> frozenset[int]:
    """The epochs, counted from 1, at which lockstep compares.

    Args:
        last: the number of epochs.
        every: compare each so many epochs, and at the first and last; None chooses.
    """
    if every is not None:
        return frozenset({1, *range(every, last + 1, every), last})
    dense = range(1, min(last, EVERY) + 1)
    doublings = max(0.0, np.log2(last / EVERY))
    sparse = EVERY * 2 ** np.arange(0, doublings, 1 / PER_DOUBLING)
    return frozenset({*dense, *(int(epoch) for epoch in sparse.round()), last})


def stretches(last: int) -> Iterator[range]:
    """The epochs between two measurements of the free run, which follows the end of each.

    One epoch at first, then ever more, but never so many that nothing is heard for long.
    """
    first = 1
    while first <= last:
        end = min(first + min((first - 1) // EVERY, LONGEST - 1), last)
        yield range(first, end + 1)
        first = end + 1


def batch(epoch: int, batches: int) -> int:
    """Which batch of an epoch is compared: the first, the last and so on back, in turn."""
    return (1 - epoch) % batches
