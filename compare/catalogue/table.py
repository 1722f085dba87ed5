"""The catalogue: every layer, activation, loss, update rule and schedule that is compared.

Plain data, so that it can be listed without loading NumPy or PyTorch. What a comparison does is in
:mod:`compare.catalogue.layer_against_torch` and :mod:`compare.catalogue.rule_against_torch`.
"""

from __future__ import annotations

from compare.base.errors import UsageError
from compare.catalogue.entries.activations import ACTIVATIONS
from compare.catalogue.entries.entry import Entry
from compare.catalogue.entries.layers import LAYERS
from compare.catalogue.entries.losses import LOSSES
from compare.catalogue.entries.optimizers import OPTIMIZERS, SCHEDULES
from compare.catalogue.entries.sequences import SEQUENCES

CATALOGUE: dict[str, Entry] = {
    entry.name: entry
    for entry in (*LAYERS, *SEQUENCES, *ACTIVATIONS, *LOSSES, *OPTIMIZERS, *SCHEDULES)
}


def find(name: str) -> Entry:
    """The entry of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in CATALOGUE:
        raise UsageError(f"the catalogue has no {name!r}, but {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def lines() -> list[str]:
    """The catalogue, a line for each entry: its name, and what its comparison varies."""
    width = max(map(len, CATALOGUE))
    return [
        f"{entry.name:<{width}}  {entry.kind}: {entry.varies} ({len(entry.variants)} variants)"
        for entry in CATALOGUE.values()
    ]
