"""What the tests of the reference share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _modules_may_draw() -> Iterator[None]:
    """PyTorch's layers draw weights when they are built, from the random state of the process."""
    with torch.random.fork_rng(devices=[]):
        yield
