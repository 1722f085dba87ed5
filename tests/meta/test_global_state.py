"""The fixture that guards global state notices each change, and undoes it."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.support.global_state import SETTINGS, changes, restore, snapshot

CHANGES: dict[str, Callable[[], object]] = {
    "NumPy's errstate": lambda: np.seterr(under="raise"),
    "NumPy's legacy random state": lambda: np.random.seed(1),  # noqa: NPY002
    "Python's random state": random.random,
    "PyTorch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "PyTorch's random state": lambda: torch.rand(1),
    "PyTorch's thread count": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "PyTorch's grad mode": lambda: torch.set_grad_enabled(False),
    "the warnings filters": lambda: warnings.simplefilter("ignore"),
}


def test_every_setting_is_changed_here() -> None:
    assert CHANGES.keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", CHANGES)
def test_change_is_noticed_and_undone(name: str) -> None:
    before = snapshot()
    assert changes(before) == []
    CHANGES[name]()
    assert changes(before) == [name]
    restore(before)
    assert changes(before) == []


def test_restored_generators_go_on_as_they_would_have() -> None:
    before = snapshot()
    drawn = np.random.rand(), random.random(), torch.rand(1).item()  # noqa: NPY002, S311
    restore(before)
    again = np.random.rand(), random.random(), torch.rand(1).item()  # noqa: NPY002, S311
    restore(before)
    assert again == drawn
