"""What the tests of the command line share."""

from __future__ import annotations

import pytest

from compare.cases.registry import CASES
from compare.catalogue.table import CATALOGUE


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """All cases are four, one that can overflow among them, and the catalogue has two entries.

    For tests of what is said and written of all; that it is all, one test asserts without this.
    """
    cases, entries = ("line", "xor-relu", "xor", "digits"), ("Linear", "LSTM")
    monkeypatch.setattr("backproof.commands.CASES", {name: CASES[name] for name in cases})
    monkeypatch.setattr("backproof.commands.CATALOGUE", {name: CATALOGUE[name] for name in entries})
