"""Every fault of a layer, activation or loss is caught by its entry and located where it is."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
import torch.fx.experimental.symbolic_shapes  # noqa: F401 - adds warnings filters: now, not later

from compare.catalogue import backward_against_forward, layer_against_torch
from compare.catalogue.entries.entry import Entry, Variant, variant
from compare.catalogue.subject import Subject, subject_of
from compare.catalogue.table import CATALOGUE
from compare.faults import Fault
from compare.faults.all_layers import LAYERS
from compare.results.checked import Checked
from reference import Linear, Module, Residual, Sequential, Tanh, Tied

KINDS = ("layer", "activation", "loss")

OF_LAYERS = {
    fault.name: fault
    for fault in LAYERS
    if fault.owner in CATALOGUE and CATALOGUE[fault.owner].kind in KINDS
}

PLACES = {"output": "output", "dx": "gradient at input"}


@functools.cache
def right(owner: str, number: int, dtype: str) -> bool:
    """Whether the reference itself agrees on this variant."""
    entry = CATALOGUE[owner]
    return layer_against_torch.check(entry, entry.variants[number], dtype).agrees


def planted(fault: Fault, variant: Variant, dtype: str) -> Checked:
    entry = CATALOGUE[fault.owner]
    subject = subject_of(entry, variant, dtype)
    wrong = dataclasses.replace(subject, module=fault.plant(subject.module))
    checked = layer_against_torch.check(entry, variant, dtype, subject=wrong)
    assert subject.module.__class__.__module__.startswith("reference"), "planting leaked"
    return checked


def shown(fault: Fault, dtype: str, at_most: float = float("inf")) -> dict[str, bool]:
    """The variants that show a fault, and whether they locate it where it is."""
    entry = CATALOGUE[fault.owner]
    places = tuple(PLACES.get(place, place) for place in fault.spoils.split(" or "))
    found: dict[str, bool] = {}
    for number, one in enumerate(entry.variants):
        checked = planted(fault, one, dtype)
        if checked.failures:
            found[one.label] = str(checked.failures[0].quantity).startswith(places)
            assert right(fault.owner, number, dtype)
        if sum(found.values()) >= at_most:
            break
    return found


@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("name", OF_LAYERS)
def test_fault_is_caught_and_located(name: str) -> None:
    fault = OF_LAYERS[name]
    found = shown(fault, "float64")
    assert found, f"no variant shows it, needs {fault.needs or 'nothing'}"
    assert all(found.values()), f"should be located at {fault.spoils}: {found}"


@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("name", OF_LAYERS)
def test_fault_is_caught_and_located_in_float32(name: str) -> None:
    """By one variant at least: another may see a fault of 1e-4 in a later quantity alone."""
    found = shown(OF_LAYERS[name], "float32", at_most=1)
    assert any(found.values()), f"should be located at {OF_LAYERS[name].spoils}: {found}"


#: What is no class of PyTorch, and so no entry of the catalogue.
STRUCTURE: dict[str, Module] = {
    "Residual": Residual(Sequential(Linear(4, 3), Tanh(), Linear(3, 4))),
    "Tied": Tied(Sequential(Linear(4, 4), Tanh(), Linear(4, 4)), {"2.weight": "0.weight"}),
}

OF_STRUCTURE = {fault.name: fault for fault in LAYERS if fault.owner in STRUCTURE}


@pytest.mark.parametrize("name", OF_STRUCTURE)
def test_fault_of_a_connection_is_caught_by_its_own_forward(name: str) -> None:
    fault = OF_STRUCTURE[name]
    module = STRUCTURE[fault.owner]
    entry = Entry(fault.owner, "layer", "", (variant((5, 4)),))
    wrong = fault.plant(module)
    if fault.spoils == "output":
        rng = np.random.default_rng(0)
        params, x = module.init(rng), rng.standard_normal((5, 4))
        assert not np.allclose(wrong.forward(params, x)[0], module.forward(params, x)[0])
    checked = backward_against_forward.check(entry, entry.variants[0], subject=Subject(wrong))
    assert checked.failures
    place = {"gradient": "gradient 0.weight", "dx": "gradient at input"}.get(fault.spoils, "")
    assert str(checked.failures[0].quantity).startswith(place)
    assert backward_against_forward.check(entry, entry.variants[0], subject=Subject(module)).agrees


def test_every_fault_is_told_in_full() -> None:
    """Names are unique: FAULTS is made of as many as there are."""
    owners = {*CATALOGUE, *STRUCTURE}
    for name, fault in (OF_LAYERS | OF_STRUCTURE).items():
        assert fault.owner in owners
        assert name == fault.name == f"{fault.owner}: {name.split(': ', 1)[1]}"
        assert fault.told
        assert fault.remedy
    assert len({fault.name for fault in LAYERS}) == len(LAYERS)
