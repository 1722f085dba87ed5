"""Gradients of a batch from those of its parts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from reference import (
    MLP,
    HalfSquaredErrorLoss,
    Loss,
    MSELoss,
    Params,
    gradients,
    mean_gradients,
    sum_gradients,
)

NETWORK = MLP((3, 4, 2))
RNG = np.random.default_rng(0)
PARAMS = NETWORK.init(RNG)
X, TARGET = RNG.normal(size=(11, 3)), RNG.normal(size=(11, 2))


def parts(loss: Loss, *cuts: int) -> list[tuple[int, Params]]:
    """Size and gradients of each part of the batch, cut at these samples."""
    ends = [0, *cuts, len(X)]
    return [
        (end - start, gradients(NETWORK, loss, PARAMS, X[start:end], TARGET[start:end])[1])
        for start, end in pairwise(ends)
    ]


def assert_close(actual: Params, expected: Params) -> None:
    assert set(actual) == set(expected)
    for name, value in actual.items():
        size = np.abs(expected[name]).max()
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-14 * size, err_msg=name)


def whole(loss: Loss) -> Params:
    return gradients(NETWORK, loss, PARAMS, X, TARGET)[1]


@pytest.mark.parametrize("cuts", [(), (4, 8), (1, 2, 10), (5,)])
def test_mean_over_parts_of_any_size(cuts: tuple[int, ...]) -> None:
    assert_close(mean_gradients(parts(MSELoss(), *cuts)), whole(MSELoss()))


@pytest.mark.parametrize("cuts", [(), (4, 8), (1, 2, 10)])
def test_sum_over_parts(cuts: tuple[int, ...]) -> None:
    loss = HalfSquaredErrorLoss()
    assert_close(sum_gradients(g for _, g in parts(loss, *cuts)), whole(loss))


def test_mean_of_means_is_the_mean_for_parts_of_one_size_only() -> None:
    equal = [(1, g) for _, g in parts(MSELoss(), *range(1, 11))]
    assert_close(mean_gradients(equal), whole(MSELoss()))
    unequal = [(1, g) for _, g in parts(MSELoss(), 4, 8)]
    with pytest.raises(AssertionError):
        assert_close(mean_gradients(unequal), whole(MSELoss()))


def test_sum_is_what_torch_accumulates() -> None:
    rng = np.random.default_rng(1)
    weight, batches = rng.normal(size=(2, 3)), rng.normal(size=(3, 5, 3))
    tensor = torch.nn.Parameter(torch.tensor(weight))
    upstream = rng.normal(size=(3, 5, 2))
    for x, dy in zip(batches, upstream, strict=True):
        (torch.tensor(x) @ tensor.T).backward(torch.tensor(dy))  # type: ignore[no-untyped-call]
    ours = sum_gradients({"w": dy.T @ x} for x, dy in zip(batches, upstream, strict=True))
    assert tensor.grad is not None
    assert_close(ours, {"w": tensor.grad.numpy()})


def test_what_a_part_has_no_gradient_for() -> None:
    total = sum_gradients([{"a": np.ones(2)}, {"a": np.ones(2), "b": np.ones(1)}, {}])
    assert_close(total, {"a": np.full(2, 2.0), "b": np.ones(1)})


def test_gradients_stay_as_they_are() -> None:
    g = np.ones(2)
    g.flags.writeable = False
    for total in (sum_gradients([{"w": g}]), mean_gradients([(2, {"w": g})])):
        assert not np.shares_memory(total["w"], g)
    assert sum_gradients([]) == {}


def test_refuses_empty_parts() -> None:
    with pytest.raises(ValueError, match="mean_gradients: the size of a part is 0"):
        mean_gradients([(0, {"w": np.ones(1)})])
    with pytest.raises(ValueError, match="mean_gradients: the number of samples is 0"):
        mean_gradients([])
