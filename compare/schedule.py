"""When the checks look: every epoch at first, then ever more rarely, and at the very end."""

from __future__ import annotations

import numpy as np

#: Up to this many epochs each one is looked at.
EVERY = 100

#: Beyond that, so many for each doubling of the epoch.
PER_DOUBLING = 6


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


def measured(epoch: int, last: int) -> bool:
    """Whether the free run is measured after an epoch: each of the first, then ever fewer."""
    return epoch % (1 + epoch // (5 * EVERY)) == 0 or epoch == last


def batch(epoch: int, batches: int) -> int:
    """Which batch of an epoch is compared: the first, the last and so on back, in turn."""
    return (1 - epoch) % batches
