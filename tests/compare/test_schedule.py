"""When lockstep looks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare import compare
from compare.training import checked_epochs


@given(last=st.integers(1, 100_000))
def test_first_epochs_and_the_last_are_looked_at(last: int) -> None:
    epochs = checked_epochs.epochs(last)
    assert set(range(1, min(last, 100) + 1)) | {last} <= epochs
    assert min(epochs) == 1
    assert max(epochs) == last


@pytest.mark.parametrize("last", [1_000, 10_000, 1_000_000])
def test_looks_become_rarer_but_never_stop(last: int) -> None:
    epochs = sorted(checked_epochs.epochs(last))
    assert len(epochs) < 250
    gaps = [later / earlier for earlier, later in pairwise(epochs) if earlier >= 100]
    assert max(gaps) < 1.2


@given(last=st.integers(1, 1000), every=st.integers(1, 1200))
def test_every_so_many_epochs(last: int, every: int) -> None:
    epochs = checked_epochs.epochs(last, every)
    assert epochs == {1, last} | {epoch for epoch in range(1, last + 1) if epoch % every == 0}


@given(batches=st.integers(1, 40), start=st.integers(1, 1000))
def test_each_batch_has_its_turn(batches: int, start: int) -> None:
    turns = [checked_epochs.batch(epoch, batches) for epoch in range(start, start + batches)]
    assert sorted(turns) == list(range(batches))
    assert checked_epochs.batch(1, batches) == 0
    assert checked_epochs.batch(2, batches) == batches - 1


@pytest.mark.parametrize(("every", "checks"), [(None, 10), (4, 4), (100, 2)])
def test_comparison_keeps_to_it(every: int | None, checks: int) -> None:
    report = compare("xor", epochs=10, lockstep_every=every)
    assert {metrics.checks for metrics in report.lockstep} == {checks}
    assert {metrics.checks for metrics in report.free_run} == {10}
