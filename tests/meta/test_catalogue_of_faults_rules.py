"""Each fault of update rules and schedules shows where it should, and nowhere before."""

from __future__ import annotations

import pytest

import reference
from compare.cases import DTYPES
from compare.catalogue import find
from compare.checked import Checked
from compare.faults import UPDATES, Fault
from compare.rule_check import check


def first_wrong(checked: Checked) -> str:
    """What is the first to fail at the first step at which anything fails; nothing if nothing."""
    failures = checked.failures
    if not failures:
        return ""
    earliest = min(failure.epoch for failure in failures)
    return next(failure.quantity for failure in failures if failure.epoch == earliest)


def fits(quantity: str, spoils: str, checked: Checked) -> bool:
    """Whether a quantity is of the kind that a fault spoils, or the parameter without a state."""
    kind, _, key = spoils.partition(" ")
    kinds = [metrics.quantity for metrics in checked.metrics]
    if kind == "state" and not any(name.endswith(f".{key}") for name in kinds):
        return quantity.startswith("parameter ")
    return quantity.startswith(f"{kind} ") and quantity.endswith(f".{key}" if key else "")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fault", UPDATES, ids=lambda fault: fault.name)
def test_update_shows(fault: Fault, dtype: str) -> None:
    entry = find(fault.owner)
    shown = 0
    for variant in entry.variants:
        rule = getattr(reference, entry.name)(**variant.options)
        checked = check(entry, variant, dtype, rule=fault.plant(rule))
        first = first_wrong(checked)
        shown += bool(first)
        assert not first or fits(first, fault.spoils, checked), f"{variant.label}: {first}"
        assert fault.fits(rule)
    assert shown, f"no variant shows it: {fault.needs}"
