"""Slips of the backward pass are named in networks of any size and style, and never for another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compare.own.explain.slips import EARLY
from tests.support.planted_layers import SIZES, Layers, Size, causes, sigmoid

LACKING = "error carried back before the derivative of its layer"

#: The last layer, or the first, by what is done there.
FAULTS: dict[str, dict[str, Any]] = {
    LACKING: {"lacking": -1},
    f"{EARLY} and {LACKING}": {"lacking": -1, "early": True},
    "missing derivative": {"slope": lambda k, x, y: y * (1 - y) if k > 1 else np.ones_like(y)},
    "derivative applied twice": {"slope": lambda k, x, y: (y * (1 - y)) ** (1 if k > 1 else 2)},
    "derivative of another activation": {
        "slope": lambda k, x, y: y * (1 - y) if k > 1 else 1 - y**2
    },
    "derivative taken at the wrong place": {
        "slope": lambda k, x, y: y * (1 - y) if k > 1 else sigmoid(y) * (1 - sigmoid(y))
    },
}


def planted(size: Size, **fault: Any) -> Layers:
    if "lacking" in fault:
        fault = {**fault, "lacking": len(size.widths) - 1}
    return Layers(size, **fault)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_is_named_without_a_fault(size: Size) -> None:
    report = planted(size).check()
    assert report.agrees
    assert (report.causes, report.where) == ((), "")


@pytest.mark.parametrize("size", SIZES[:4], ids=str)
@pytest.mark.parametrize("name", FAULTS)
def test_slip_is_named(size: Size, name: str) -> None:
    report = planted(size, **FAULTS[name]).check()
    assert not report.agrees
    assert causes(report) == [name]
    assert all(cause.match <= 1 for cause in report.causes)


@pytest.mark.parametrize("name", FAULTS)
def test_slip_is_named_in_a_deep_network(name: str) -> None:
    assert sorted(causes(planted(SIZES[4], **FAULTS[name]).check())[0].split(" and ")) == sorted(
        name.split(" and ")
    )


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_early_update_is_named(size: Size) -> None:
    assert causes(planted(size, early=True).check()) == [EARLY]


@pytest.mark.parametrize(
    "size", [Size(widths=(3, 4, 4)), Size(3, (2, 4, 4), columns=True)], ids=str
)
def test_weight_that_is_not_transposed_is_named(size: Size) -> None:
    assert causes(planted(size, turned=True).check()) == ["weight not transposed"]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_slip_is_named_for_a_fault_that_is_none(size: Size) -> None:
    """The error that is carried back is clipped, which is none of them."""
    report = planted(size, carried=lambda k, error: np.clip(error, -0.02, 0.03)).check()
    assert not report.agrees
    assert not set(causes(report)) & {*FAULTS, EARLY, "missing factor", "weight not transposed"}


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_two_slips_in_two_layers_are_both_named(size: Size) -> None:
    """With the one nearer to the loss accounted for, the other is found."""
    last = len(size.widths) - 1

    def slope(k: int, x: Any, y: Any) -> Any:
        right = y * (1 - y)
        return {1: np.ones_like(y), last: 1 - y**2}.get(k, right)

    found = causes(planted(size, slope=slope).check())
    assert found == ["derivative of another activation and missing derivative"]
