"""What comparing costs: a whole comparison against the two bare training loops.

Run as ``python -m benchmarks.overhead``; exits 1 if a ratio is above its limit.
"""

from __future__ import annotations

import sys

from benchmarks.timing import Ratio, measure, show
from compare import compare
from compare.cases import adapt, find
from compare.feed import Feed
from compare.pair import build
from compare.side import Side


def overhead(name: str, epochs: int, limit: float = 2.0) -> Ratio:
    """A comparison against NumPy's loop and PyTorch's, each alone, one after the other."""
    case = adapt(find(name), epochs=epochs)

    def bare() -> None:
        for side in (pair.reference, pair.torch):
            with side.training():
                _loop(side, feed, epochs)

    pair, feed = build(case), Feed(case)
    return measure(f"{name}, {epochs} epochs", lambda: compare(case), bare, limit)


def _loop(side: Side, feed: Feed, epochs: int) -> None:
    """Nothing but training: shuffle, step, step, step."""
    for epoch in range(1, epochs + 1):
        for (batch,) in feed.batches(epoch, side):
            side.step(*batch)


if __name__ == "__main__":
    title = "comparison against two bare loops"
    sys.exit(show(title, [overhead("xor", 5000), overhead("digits", 100)]))
