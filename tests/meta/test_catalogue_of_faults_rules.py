"""Each fault of an update rule or a layer of sequences shows where it should, nowhere before.

In float64 that is asked of every variant, in float32 of the first one that shows it.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import reference
from compare.cases.registry import DTYPES
from compare.catalogue import layer_against_torch, rule_against_torch
from compare.catalogue.subject import subject_of
from compare.catalogue.table import find
from compare.faults import FAULTS, SCHEDULES, SEQUENCES, UPDATES, WHOLE, Fault
from compare.faults.all_layers import LAYERS
from reference.module import Params
from reference.optim.optimizer import State
from tests.support.planted import first_wrong, spoils

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.mark.usefixtures("asked_once")
@each_dtype
@pytest.mark.parametrize("fault", UPDATES, ids=lambda fault: fault.name)
def test_update_shows(fault: Fault, dtype: str) -> None:
    entry = find(fault.owner)
    shown = set()
    for variant in entry.variants:
        rule = getattr(reference, entry.name)(**variant.options)
        wrong = fault.plant(rule)
        checked = rule_against_torch.check(entry, variant, dtype, rule=wrong, to_the_first=True)
        first = first_wrong(checked)
        assert not first or spoils(fault, first), f"{variant.label}: {first}"
        shown.add(first)
        if first and dtype == "float32":  # once will do
            break
    assert shown != {""}, f"no variant shows it; it needs: {fault.needs}"


@pytest.mark.usefixtures("asked_once")
@each_dtype
@pytest.mark.parametrize("fault", SEQUENCES, ids=lambda fault: fault.name)
def test_layer_shows(fault: Fault, dtype: str) -> None:
    entry = find(fault.owner)
    shown = set()
    for variant in entry.variants:
        right = subject_of(entry, variant, dtype)
        planted = dataclasses.replace(right, module=fault.plant(right.module))
        checked = layer_against_torch.check(entry, variant, dtype, subject=planted)
        first = first_wrong(checked)
        assert not first or spoils(fault, first), f"{variant.label}: {first}"
        shown.add(first)
        if first and dtype == "float32":  # once will do
            break
    assert shown != {""}, f"no variant shows it; it needs: {fault.needs}"


@pytest.mark.parametrize("fault", SCHEDULES, ids=lambda fault: fault.name)
def test_schedule_shows(fault: Fault) -> None:
    entry = find(fault.owner)
    shown = set()
    for variant in entry.variants:
        first = first_wrong(rule_against_torch.check_schedule(entry, variant, plant=fault.plant))
        assert not first or spoils(fault, first), f"{variant.label}: {first}"
        shown.add(first)
    assert shown != {""}, f"no variant shows it; it needs: {fault.needs}"


def test_names_are_unique() -> None:
    assert len(FAULTS) == sum(map(len, (LAYERS, UPDATES, SCHEDULES, SEQUENCES, WHOLE)))


def test_a_wrong_start_shows_before_the_first_step() -> None:
    class FromZero(reference.Adagrad):
        def init(self, params: Params) -> State:
            fresh = super().init(params).items()
            return {n: held | {"sum": np.zeros_like(held["sum"])} for n, held in fresh}

    entry = find("Adagrad")
    variant = next(one for one in entry.variants if "initial_accumulator_value" in one.options)
    checked = rule_against_torch.check(entry, variant, "float64", rule=FromZero(**variant.options))
    assert {one.quantity.split(".")[-1] for one in checked.failures} == {"sum"}
    assert {one.epoch for one in checked.failures} == {0}


def test_every_fault_says_what_to_write() -> None:
    for fault in (*UPDATES, *SCHEDULES, *SEQUENCES, *WHOLE):
        assert fault.told, fault.name
        assert fault.remedy, fault.name
        assert fault.changes, fault.name


@pytest.mark.parametrize("owner", sorted({fault.owner for fault in (*UPDATES, *SEQUENCES)}))
def test_planting_leaves_the_right_one_right(owner: str) -> None:
    entry = find(owner)
    faults = [fault for fault in FAULTS.values() if fault.owner == owner]
    for variant in entry.variants:
        if entry.kind == "optimizer":
            rule = getattr(reference, owner)(**variant.options)
            wrong = [fault.plant(rule) for fault in faults]
            checked = rule_against_torch.check(entry, variant, "float64", rule=rule)
        else:
            right = subject_of(entry, variant, "float64")
            wrong = [fault.plant(right.module) for fault in faults]
            checked = layer_against_torch.check(entry, variant, "float64", subject=right)
        assert checked.agrees
        assert all(fault.fits(one) for fault, one in zip(faults, wrong, strict=True))


@pytest.mark.parametrize("owner", sorted({fault.owner for fault in SCHEDULES}))
def test_planting_leaves_the_right_schedule_right(owner: str) -> None:
    entry = find(owner)

    def plant(schedule: object) -> object:
        assert all(f.plant(schedule) is not schedule for f in SCHEDULES if f.owner == owner)
        return schedule

    for variant in entry.variants:
        assert rule_against_torch.check_schedule(entry, variant, plant=plant).agrees
