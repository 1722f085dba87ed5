"""What the tests of planted faults share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from compare.catalogue import layer_against_torch, rule_against_torch
from compare.catalogue.entries.entry import Entry, Variant


def _once(ask: Callable[..., Any]) -> Callable[..., Any]:
    found: dict[tuple[str, str, str], Any] = {}

    def asked(entry: Entry, variant: Variant, dtype: str, *more: Any) -> Any:
        key = entry.name, variant.label, dtype
        if key not in found:
            found[key] = ask(entry, variant, dtype, *more)
        return found[key]

    return asked


#: By where they are: what PyTorch is asked, which is the same whatever is planted in the reference.
ONCE = {
    (layer_against_torch, "ask"): _once(layer_against_torch.ask),
    (rule_against_torch, "record"): _once(rule_against_torch.record),
}


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch solves each problem of the catalogue once for all faults."""
    for (module, name), once in ONCE.items():
        monkeypatch.setattr(module, name, once)
