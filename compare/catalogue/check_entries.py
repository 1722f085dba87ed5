"""Comparing entries of the catalogue as a whole: every variant, both dtypes, and the referee."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from compare.cases.registry import DTYPES
from compare.catalogue import backward_against_forward, layer_against_torch, rule_against_torch
from compare.catalogue.entries.entry import Entry
from compare.catalogue.table import CATALOGUE
from compare.measure.tolerances import Tolerance
from compare.results.checked import Checked, Row


def check(entry: Entry, tolerance: Tolerance | None = None, seed: int = 0) -> Row:
    """Compare every variant of an entry.

    Args:
        entry: what to compare.
        tolerance: how far the two may differ; None computes it.
        seed: of all that is random.
    """
    return Row(entry.name, tuple(_lockstep(entry, tolerance, seed)), tuple(_referee(entry, seed)))


def check_all(
    names: Iterable[str] = CATALOGUE,
    tolerance: Tolerance | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Row]:
    """Compare several entries, by default all.

    Args:
        names: which.
        tolerance: how far the two may differ; None computes it.
        seed: of all that is random.
        progress: called with the name of each when it is done.
    """
    rows = []
    for name in names:
        rows.append(check(CATALOGUE[name], tolerance, seed))
        progress(name)
    return rows


def _lockstep(entry: Entry, tolerance: Tolerance | None, seed: int) -> Iterator[Checked]:
    for variant in entry.variants:
        if entry.kind == "schedule":
            yield rule_against_torch.check_schedule(entry, variant, seed)
            continue
        compare = (
            rule_against_torch.check if entry.kind == "optimizer" else layer_against_torch.check
        )
        for dtype in DTYPES:
            yield compare(entry, variant, dtype, tolerance, seed)


def _referee(entry: Entry, seed: int) -> Iterator[Checked]:
    if entry.kind not in ("optimizer", "schedule"):
        for variant in entry.variants:
            if not variant.undefined:  # what is no number has no derivative
                yield backward_against_forward.check(entry, variant, seed)
