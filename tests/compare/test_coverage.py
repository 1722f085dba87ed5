"""The table of what there is tells the truth."""

from __future__ import annotations

import pytest
import torch.fx.experimental.symbolic_shapes  # noqa: F401 - adds warnings filters: now, not later

import reference
from compare.catalogue.table import CATALOGUE
from docs import coverage


def test_the_file_is_current() -> None:
    message = "docs/coverage.md is not current; run: python -m docs.coverage"
    assert coverage.FILE.read_text(encoding="utf-8") == coverage.text(), message


def test_every_entry_of_the_catalogue_is_in_it() -> None:
    rows = coverage.text().splitlines()
    for name, entry in CATALOGUE.items():
        found = [row for row in rows if f"| `reference.{name}` |" in row]
        assert len(found) == 1, name
        assert f"| {len(entry.variants)} |" in found[0]


def test_what_is_missing_is_shown_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "| CTCLoss | | | |" in coverage.text()
    monkeypatch.delattr(reference, "GELU")
    assert "| GELU | | | |" in coverage.text()
