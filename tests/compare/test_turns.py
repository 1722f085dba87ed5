"""Both sides take turns, and both see every batch."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from compare.base.conversion import to_array
from compare.cases.registry import adapt, find
from compare.sides.feed import Feed
from compare.sides.pair import build
from compare.training import checked_epochs, interleave
from compare.training.module import pair_of


@given(first=st.integers(1, 300), count=st.integers(1, 80), every=st.integers(1, 50))
@settings(max_examples=30)
def test_every_batch_comes_once_and_in_order(first: int, count: int, every: int) -> None:
    case = adapt(find("xor"), batch_size=3)
    pair, feed = build(case), Feed(case)
    epochs, looks = range(first, first + count), checked_epochs.epochs(400, every)
    found = list(interleave.turns(pair, feed, epochs, looks))
    batches = [batch for turn in found for batch in turn]
    assert [batch.epoch for batch in batches] == [e for e in epochs for _ in feed.parts]
    looked_at = {batch.epoch for batch in batches if batch.looked_at}
    assert looked_at == looks & set(epochs)
    expected = [both for e in epochs for both in feed.batches(e, pair.reference, pair.torch)]
    for batch, (ours, theirs) in zip(batches, expected, strict=True):
        for actual, right in zip(batch.ours, ours, strict=True):
            np.testing.assert_array_equal(actual, right)
        for tensor, right in zip(batch.theirs, theirs, strict=True):
            np.testing.assert_array_equal(to_array(tensor), to_array(right))
    for turn in found:
        assert 1 <= len(turn) <= interleave.LENGTH
        assert sum(batch.looked_at for batch in turn) <= 1


def test_network_with_masks_takes_a_turn_for_each_batch() -> None:
    with torch.random.fork_rng(devices=[]):
        module = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5), nn.Linear(3, 1)).double()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    feed = Feed(adapt(find("xor"), batch_size=1))
    pair = pair_of(module, nn.MSELoss(), optimizer)
    found = list(interleave.turns(pair, feed, range(1, 3), {1, 2}))
    assert [len(turn) for turn in found] == [1] * (2 * len(feed.parts))


def test_turns_are_long_where_both_sides_can_be_on_their_own() -> None:
    case = find("xor")
    found = list(interleave.turns(build(case), Feed(case), range(1000, 1200), frozenset({1010})))
    assert [len(turn) for turn in found] == [64, 64, 64, 8]
