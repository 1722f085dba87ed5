from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch import nn

import reference
from tests.support.layer_checks import assert_same, normal


@pytest.mark.parametrize("shape", [(), (1,), (20,), (4, 6), (2, 3, 4), (0,)])
def test_embedding(shape: tuple[int, ...]) -> None:
    """With seven rows for up to 24 indices, most occur more than once, or not at all."""
    indices = np.random.default_rng(0).integers(0, 7, shape)
    assert_same("Embedding", indices, num_embeddings=7, embedding_dim=3)


def test_all_indices_equal() -> None:
    assert_same("Embedding", np.full((5, 2), 3), num_embeddings=4, embedding_dim=3)


@pytest.mark.parametrize("padding_idx", [0, 2, -1, -4])
def test_padding(padding_idx: int) -> None:
    indices = np.array([[2, 0, 3, 2], [1, 0, 0, 3]])
    row = np.arange(4)[:, None] == padding_idx % 4
    assert_same(
        "Embedding",
        indices,
        unlearned={"weight": row},
        num_embeddings=4,
        embedding_dim=3,
        padding_idx=padding_idx,
    )


def test_padding_row_starts_at_zero() -> None:
    theirs = nn.Embedding(6, 50, padding_idx=-2).weight.detach().numpy()
    ours = reference.Embedding(6, 50, padding_idx=-2).init(np.random.default_rng(0))["weight"]
    np.testing.assert_array_equal(np.all(ours == 0, axis=1), np.all(theirs == 0, axis=1))
    assert np.std(ours) == pytest.approx(np.std(theirs), rel=0.2)


def test_ensemble() -> None:
    layer = reference.Embedding(5, 3)
    weight, indices = normal(2, 5, 3), np.array([[4, 1, 1], [0, 4, 4]])
    y, cache = layer.forward({"weight": weight}, indices)
    dy = normal(*y.shape)
    _, grads = layer.backward({"weight": weight}, cache, dy)
    for network in range(2):
        own = {"weight": weight[network]}
        expected, own_cache = layer.forward(own, indices)
        np.testing.assert_array_equal(y[network], expected)
        _, own_grads = layer.backward(own, own_cache, dy[network])
        np.testing.assert_allclose(grads["weight"][network], own_grads["weight"], rtol=1e-14)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (np.array([0, 4]), r"an index is \[4\], but should be from 0 to 3"),
        (np.array([0, -1]), r"an index is \[-1\]"),
        (np.array([0.0, 1.0]), "the indices' dtype is float64, but should be an integer type"),
        (np.array([True]), "the indices' dtype is bool"),
    ],
)
def test_bad_indices(indices: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^Embedding: {message}"):
        reference.Embedding(4, 2).forward({"weight": normal(4, 2)}, indices)


@pytest.mark.parametrize("padding_idx", [4, -5])
def test_bad_padding(padding_idx: int) -> None:
    with pytest.raises(ValueError, match=f"^Embedding: padding_idx is {padding_idx}, but should"):
        reference.Embedding(4, 2, padding_idx)
