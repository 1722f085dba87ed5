"""The comparison, as the one that has to notice each mutation of the reference.

Not collected with the other tests, which compare all of this and more. ``mutmut run`` takes it for
each mutant anew, and of it only what runs the mutated function; CONTRIBUTING.md tells the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings

from compare import CASES, compare
from compare.cases.registry import DTYPES
from compare.catalogue import backward_against_forward, layer_against_torch, rule_against_torch
from compare.catalogue.entries.entry import Entry
from compare.catalogue.table import CATALOGUE
from compare.results.checked import Checked

# That an example fails is enough: no time for the simplest one.
settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutation")


def comparisons(entry: Entry) -> Iterator[Checked]:
    """One by one, so that the first to differ ends it: the quickest and most telling first."""
    for dtype in reversed(DTYPES):
        for variant in entry.variants:
            if entry.kind == "schedule":
                yield rule_against_torch.check_schedule(entry, variant)
            elif entry.kind == "optimizer":
                yield rule_against_torch.check(entry, variant, dtype)
            else:
                yield layer_against_torch.check(entry, variant, dtype)
    if entry.kind not in ("optimizer", "schedule"):
        for variant in entry.variants:
            yield backward_against_forward.check(entry, variant)


@pytest.mark.parametrize("name", CATALOGUE)
def test_entry_agrees(name: str) -> None:
    for checked in comparisons(CATALOGUE[name]):
        assert not checked.failures, checked.title


@pytest.mark.parametrize("name", CASES)
def test_case_agrees(name: str) -> None:
    report = compare(name, epochs=1)
    assert report.agrees, str(report.first_divergence)
