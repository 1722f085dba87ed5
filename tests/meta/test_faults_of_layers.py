"""Every fault of a layer, activation or loss is caught by its entry and located where it is."""

from __future__ import annotations

import dataclasses
import functools

import pytest
import torch.fx.experimental.symbolic_shapes  # noqa: F401 - adds warnings filters: now, not later

from compare import layer_check
from compare.cases import DTYPES
from compare.catalogue import CATALOGUE
from compare.checked import Checked
from compare.entries.entry import Variant
from compare.faults import FAULTS, Fault
from compare.subject import subject_of

KINDS = ("layer", "activation", "loss")

OF_LAYERS = {
    name: fault
    for name, fault in FAULTS.items()
    if fault.owner in CATALOGUE and CATALOGUE[fault.owner].kind in KINDS
}

PLACES = {"output": "output", "dx": "gradient at input"}


@functools.cache
def right(owner: str, number: int, dtype: str) -> bool:
    """Whether the reference itself agrees on this variant."""
    entry = CATALOGUE[owner]
    return layer_check.check(entry, entry.variants[number], dtype).agrees


def planted(fault: Fault, variant: Variant, dtype: str) -> Checked:
    entry = CATALOGUE[fault.owner]
    subject = subject_of(entry, variant, dtype)
    wrong = dataclasses.replace(subject, module=fault.plant(subject.module))
    checked = layer_check.check(entry, variant, dtype, subject=wrong)
    assert subject.module.__class__.__module__.startswith("reference"), "planting leaked"
    return checked


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OF_LAYERS)
def test_fault_is_caught_and_located(name: str, dtype: str) -> None:
    fault = OF_LAYERS[name]
    entry = CATALOGUE[fault.owner]
    found = {}
    for number, variant in enumerate(entry.variants):
        checked = planted(fault, variant, dtype)
        if checked.failures:
            found[variant.label] = str(checked.failures[0].quantity)
        assert right(fault.owner, number, dtype)
    assert found, f"{name}: no variant shows it, needs {fault.needs or 'nothing'}"
    place = PLACES.get(fault.spoils, fault.spoils)
    elsewhere = {label: first for label, first in found.items() if not first.startswith(place)}
    if dtype == "float64":
        assert not elsewhere, f"{name}: should be located at {place}"
    else:  # a fault of 1e-4 may be below what float32 can tell in one quantity, not in the next
        assert len(elsewhere) < len(found), f"{name}: should be located at {place}"
