"""What the tests of the PyTorch side share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def drawing() -> Iterator[None]:
    """For tests that build layers, which draw from PyTorch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
