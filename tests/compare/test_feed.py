"""The samples: each exactly once per epoch, in the same order for both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import reference
from compare import CASES, Case, compare
from compare.cases.datasets import DATASETS, Dataset
from compare.sides.feed import Feed
from tests.support.noise import SAMPLES, noise_case


def numbered(monkeypatch: pytest.MonkeyPatch, samples: int, **changes: Any) -> Case:
    """A case whose samples are numbered, in their inputs and in their targets."""
    rows = np.arange(samples, dtype=np.float64)[:, None]
    monkeypatch.setitem(DATASETS, "numbered", lambda: Dataset(rows, -rows))
    return replace(CASES["xor"], data="numbered", **changes)


def batches(feed: Feed, epoch: int) -> list[tuple[list[float], list[float]]]:
    x, target = feed.epoch(epoch)
    return [(x[part].ravel().tolist(), target[part].ravel().tolist()) for part in feed.parts]


@given(samples=st.integers(1, 20), size=st.integers(1, 25), seed=st.integers(0, 1000))
def test_each_sample_once_per_epoch(samples: int, size: int, seed: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        feed = Feed(numbered(monkeypatch, samples, batch_size=size, seed=seed))
        for epoch in (1, 2, 3):
            found = batches(feed, epoch)
            assert Counter(row for x, _ in found for row in x) == Counter(range(samples))
            assert all(target == [-row for row in x] for x, target in found)
            assert [len(x) for x, _ in found[:-1]] == [size] * (len(found) - 1)
            assert len(found[-1][0]) == (samples % size or min(samples, size))


def test_order_changes_with_epoch_and_seed_and_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    def order(seed: int, epoch: int) -> list[Any]:
        return batches(Feed(numbered(monkeypatch, 50, batch_size=8, seed=seed)), epoch)

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


def test_full_batch_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (None, 5, 100):
        feed = Feed(numbered(monkeypatch, 5, batch_size=size))
        assert batches(feed, 3) == [([0, 1, 2, 3, 4], [0, -1, -2, -3, -4])]


@pytest.mark.parametrize(("loss", "expected"), [("HalfSquaredErrorLoss", 9.0), ("MSELoss", 2.5)])
def test_loss_of_an_epoch_counts_each_sample_alike(
    monkeypatch: pytest.MonkeyPatch, loss: str, expected: float
) -> None:
    """Three batches of 4, 4 and 2 samples."""
    feed = Feed(numbered(monkeypatch, 10, batch_size=4, loss=loss))
    assert float(feed.loss([1.0, 3.0, 4.5 if loss == "MSELoss" else 5.0])) == expected


def recording(seen: list[Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a layer, its first input being written down."""

    def record(layer: Any, *args: Any) -> Any:
        x = args[-1]
        width = x.shape[-1]
        if width == 3 and x.ndim == 2 and len(x) < SAMPLES:
            rows = x.detach() if isinstance(x, torch.Tensor) else getattr(x, "value", x)
            seen.append(np.asarray(rows).tolist())
        return method(layer, *args)

    return record


def once(several: list[Any]) -> list[Any]:
    """Without what is the same as the one before."""
    return [one for n, one in enumerate(several) if n == 0 or one != several[n - 1]]


def test_both_sides_see_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    ours: list[Any] = []
    theirs: list[Any] = []
    case = noise_case(monkeypatch, epochs=4)
    forward = reference.Linear.forward
    monkeypatch.setattr(reference.Linear, "forward", recording(ours, forward))
    forward_torch = torch.nn.Linear.forward
    monkeypatch.setattr(torch.nn.Linear, "forward", recording(theirs, forward_torch))
    assert compare(case).agrees
    assert once(theirs) == once(ours)
    assert [len(rows) for rows in once(theirs)] == [3, 3, 1] * 4
