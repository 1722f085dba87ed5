"""Series of any length in a bounded space."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compare.measure.history import LossHistory, Thinned


@given(length=st.integers(0, 3000), capacity=st.integers(2, 64))
def test_thinned_is_bounded_even_and_keeps_the_first(length: int, capacity: int) -> None:
    thinned = Thinned(capacity)
    for value in range(length):
        thinned.add(value)
        assert len(thinned.values) < capacity
    assert thinned.values == list(range(0, length, thinned.stride))


@given(length=st.integers(1, 1000))
def test_little_is_kept_whole(length: int) -> None:
    thinned = Thinned()
    for value in range(length):
        thinned.add(value)
    assert thinned.values == list(range(length))


def test_thinned_goes_on_for_long() -> None:
    thinned = Thinned()
    for value in range(100_000):
        thinned.add(value)
    assert 500 <= len(thinned.values) <= 1024
    assert thinned.values[-1] >= 100_000 - thinned.stride


def test_losses_stay_beside_their_epochs() -> None:
    history = LossHistory()
    for epoch in range(1, 5001):
        history.add(epoch, 2.0 * epoch, 3.0 * epoch)
    assert len(history.epochs) <= 1024
    assert all(type(epoch) is int for epoch in history.epochs)
    assert list(history.reference) == [2.0 * epoch for epoch in history.epochs]
    assert list(history.torch) == [3.0 * epoch for epoch in history.epochs]
