"""What the overhead is measured against trains the case's own network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.bare_loops import LOOPS, loops
from compare.cases.registry import adapt, find
from compare.sides.feed import Feed
from compare.sides.pair import build


@pytest.mark.parametrize("name", LOOPS)
def test_bare_loops_have_the_losses_of_the_two_sides(name: str) -> None:
    case = adapt(find(name), epochs=3)
    pair, feed = build(case), Feed(case)
    expected = [
        pair.reference.step(*batch)
        for epoch in range(1, 4)
        for (batch,) in feed.batches(epoch, pair.reference)
    ]
    with torch.random.fork_rng(devices=[]):  # layers draw weights, which are then replaced
        for loop in loops(case, feed):
            np.testing.assert_allclose(loop(3), expected, rtol=1e-10)
