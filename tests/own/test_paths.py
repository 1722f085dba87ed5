"""Paths lead to attributes, items and keys, and say where they end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from compare import CannotCompare, UsageError
from compare.own.user.attribute_paths import is_pointer, place

ROOT = SimpleNamespace(layers=[SimpleNamespace(weight=1.0)], params={"W1": 2.0, "a b": 3.0})


@pytest.mark.parametrize(
    ("root", "path", "value"),
    [
        (ROOT, "layers[0].weight", 1.0),
        (ROOT, "layers[-1].weight", 1.0),
        (ROOT, "params['W1']", 2.0),
        (ROOT, 'params["a b"]', 3.0),
        (ROOT, "params.W1", 2.0),
        (ROOT.params, "W1", 2.0),
        ([5.0, 6.0], 1, 6.0),
        ([[5.0, 6.0]], "[0][1]", 6.0),
    ],
)
def test_path_is_read_and_written(root: Any, path: str | int, value: float) -> None:
    where = place(root, path)
    assert where.get() == value
    where.set(9.0)
    assert where.get() == 9.0
    where.set(value)


@pytest.mark.parametrize("path", ["", "a b", "layers[", "layers[x]", "a..b", "1a"])
def test_path_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        place(ROOT, path)


@pytest.mark.parametrize("path", ["layer", "layers[1]", "layers[0].bias", "params['W2']"])
def test_path_to_nowhere_says_where_it_ends(path: str) -> None:
    with pytest.raises(CannotCompare, match=r"there is no .* has no"):
        place(ROOT, path).get()


def test_what_is_a_pointer() -> None:
    assert is_pointer((ROOT, "layers"))
    assert is_pointer(([1.0], 0))
    assert not is_pointer((1.0, 2))
    assert not is_pointer([ROOT, "layers"])
    assert not is_pointer((ROOT,))
