"""The elementary functions are as accurate as the tolerances take them to be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from compare.cases.registry import DTYPES
from compare.measure.rounding import Rigorous, Rounded, smallest_normal
from compare.measure.rounding.accuracy import ULPS
from reference import Sigmoid
from tests.support.ulps import EXPONENTS, FUNCTIONS, measured, off, points, truth

POINTS = 2000

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@each_dtype
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "sigmoid"])
def test_both_libraries_are_within_the_constant(name: str, dtype: str) -> None:
    allowed = ULPS[name.split()[0]][dtype]
    found = measured(name, dtype, POINTS)
    assert len(found) == 6
    told = ", ".join(f"{way} {ulps:.3f}" for way, ulps in found.items())
    assert max(found.values()) <= allowed, f"{name} {dtype}, in ulp: {told}; allowed is {allowed}"
    assert max(found.values()) >= 0.4  # or it was not a measurement


def test_every_constant_is_measured() -> None:
    assert {name.split()[0] for name in FUNCTIONS} == {*ULPS, "sigmoid"}
    assert len(EXPONENTS) > 10
    for constants in ULPS.values():
        assert constants.keys() == set(DTYPES)


@each_dtype
def test_sigmoid_of_pytorch_is_within_the_bound_of_our_own(dtype: str) -> None:
    """It is one function there, and made of exp, a sum and a quotient here."""
    x = points("sigmoid", dtype, POINTS)
    high, low = truth("sigmoid", x)
    y, _ = Sigmoid().forward({}, Rounded(x, Rigorous(2.0)))  # type: ignore[arg-type]
    for theirs in (torch.sigmoid(torch.from_numpy(x)).numpy(), y.value):  # type: ignore[attr-defined]
        error = np.abs((theirs.astype(np.float64) - high) - low)
        least = smallest_normal(np.dtype(dtype))
        assert (error <= y.error + least).all()  # type: ignore[attr-defined]
        ulps = off(theirs, high, low).max()
        assert ulps > 0.4
        assert ulps < 4, f"{dtype}: {ulps}"


def test_measure_of_an_error() -> None:
    """Two units too high at 1, one too low at 3, and what is too small to tell."""
    eps = np.finfo(np.float32).eps
    y = np.array([1 + 2 * eps, 3 - 2 * eps, 0], np.float32)
    true = np.array([1.0, 3.0, 1e-40])
    assert off(y, true, np.zeros(3)).tolist() == [2.0, 1.0]
