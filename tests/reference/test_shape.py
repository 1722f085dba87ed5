from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
from tests.support.layer_checks import assert_same, normal


@pytest.mark.parametrize("dims", [(1, -1), (0, -1), (1, 2), (-2, -1), (2, 2), (0, 1)])
@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 3, 4, 5)])
def test_flatten(shape: tuple[int, ...], dims: tuple[int, int]) -> None:
    assert_same("Flatten", normal(*shape), start_dim=dims[0], end_dim=dims[1])


@pytest.mark.parametrize(
    ("dim", "sizes"), [(1, (2, 3)), (1, (-1, 3)), (-2, [3, -1, 1]), (0, (1, 5)), (2, (2, 2))]
)
def test_unflatten(dim: int, sizes: Any) -> None:
    assert_same("Unflatten", normal(5, 6, 4), dim=dim, unflattened_size=sizes)


@pytest.mark.parametrize("sizes", [(-1,), (-1, 1), (1, -1)])
def test_unflatten_by_one(sizes: Any) -> None:
    assert_same("Unflatten", normal(5, 6), dim=1, unflattened_size=sizes)


@pytest.mark.parametrize("sizes", [(0,), (-1,), (0, 3), (2, 0)])
def test_unflatten_nothing(sizes: Any) -> None:
    assert_same("Unflatten", normal(5, 0), dim=1, unflattened_size=sizes)


def test_identity() -> None:
    assert_same("Identity", normal(5, 6, 4))


@pytest.mark.parametrize("dims", [(3, -1), (2, 1), (-4, -1)])
def test_bad_flatten(dims: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"^Flatten: .* is -?\d, but should be"):
        reference.Flatten(*dims).forward({}, np.zeros((2, 3, 4)))


def test_bad_unflatten() -> None:
    with pytest.raises(ValueError, match=r"^Unflatten: unflattened_size is \(-1, -1\)"):
        reference.Unflatten(1, (-1, -1))
    with pytest.raises(ValueError, match=r"^Unflatten: unflattened_size is \(\)"):
        reference.Unflatten(1, ())
    for sizes in ((4, 2), (4, -1)):
        with pytest.raises(ValueError, match=r"^Unflatten: the input's shape is \(2, 6\)"):
            reference.Unflatten(1, sizes).forward({}, np.zeros((2, 6)))
