"""What comparing costs: a whole comparison against the two bare training loops.

Run as ``python -m benchmarks.overhead``; exits 1 if a ratio is above its limit.
"""

from __future__ import annotations

import sys

from benchmarks.bare_loops import loops
from benchmarks.timing import Ratio, medians, show
from compare import compare
from compare.cases.registry import adapt, find
from compare.sides.feed import Feed
from compare.sides.pair import build
from compare.sides.side import Side


def overhead(name: str, epochs: int, by_people: float | None, by_sides: float) -> list[Ratio]:
    """A comparison against NumPy's loop and PyTorch's, each alone, one after the other.

    Args:
        name: of the case.
        epochs: how many.
        by_people: the limit against loops of a dozen lines, written for this one network.
        by_sides: the limit against the comparison's own two sides without comparing.
    """
    case = adapt(find(name), epochs=epochs)

    def sides() -> None:
        for side in (pair.reference, pair.torch):
            with side.training():
                _loop(side, feed, epochs)

    def people() -> None:
        for loop in written:
            loop(epochs)

    pair, feed = build(case), Feed(case)
    written = loops(case, feed)
    title = f"{name}, {epochs} epochs, against"
    least, base, seconds = medians(people, sides, lambda: compare(case), rounds=5, warm_up=1)
    return [
        Ratio(f"{title} a dozen lines each", seconds, least, by_people),
        Ratio(f"{title} the two sides alone", seconds, base, by_sides),
    ]


def _loop(side: Side, feed: Feed, epochs: int) -> None:
    """Nothing but training: shuffle, step, step, step."""
    for epoch in range(1, epochs + 1):
        for (batch,) in feed.batches(epoch, side):
            side.step(*batch)


if __name__ == "__main__":
    title = "comparison against two bare loops"
    found = overhead("xor", 5000, 2.4, 1.7) + overhead("digits", 100, None, 2.0)
    sys.exit(show(title, found))
