"""The activations' values, at the extremes and at the corner."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import Array, Identity, Module, ReLU, Sigmoid, Tanh
from tests.support.strategies import DTYPES

EXTREMES = {
    Identity: ([-1000.0, 1000.0], [1.0, 1.0]),
    Sigmoid: ([0.0, 1.0], [0.0, 0.0]),
    Tanh: ([-1.0, 1.0], [0.0, 0.0]),
    ReLU: ([0.0, 1000.0], [0.0, 1.0]),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", EXTREMES)
def test_extreme_inputs(activation: type[Module], dtype: str) -> None:
    values, slopes = EXTREMES[activation]
    x = np.array([[-1000.0, 1000.0]], dtype)
    with np.errstate(all="raise", under="ignore"):
        y, cache = activation().forward({}, x)
        dx, _ = activation().backward({}, cache, np.ones_like(y))
    if dtype == "longdouble" and activation is Sigmoid:  # e⁻¹⁰⁰⁰ is no zero there
        np.testing.assert_allclose(y, [values], rtol=0, atol=1e-300)
        np.testing.assert_allclose(dx, [slopes], rtol=0, atol=1e-300)
    else:
        np.testing.assert_array_equal(y, np.array([values], dtype))
        np.testing.assert_array_equal(dx, np.array([slopes], dtype))


@pytest.mark.parametrize("activation", EXTREMES)
def test_infinite_inputs(activation: type[Module]) -> None:
    x = np.array([[-np.inf, np.inf]])
    with np.errstate(all="raise", under="ignore"):
        y, _ = activation().forward({}, x)
    expected = {Sigmoid: [0.0, 1.0], Tanh: [-1.0, 1.0], ReLU: [0.0, np.inf]}
    np.testing.assert_array_equal(y, [expected.get(activation, [-np.inf, np.inf])])


def exact_sigmoid(x: float) -> mpmath.mpf:
    with mpmath.workdps(60):
        return 1 / (1 + mpmath.exp(-mpmath.mpf(x)))


def ulps(actual: Array, x: Array) -> float:
    """The largest error of ``actual``, in units in its last place, against σ(x) to 60 digits."""
    errors = [
        abs(mpmath.mpf(float(a)) - exact_sigmoid(float(b))) / float(np.spacing(a))
        for a, b in zip(actual.ravel(), x.ravel(), strict=True)
    ]
    return float(max(errors))


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 700.0), ("float32", 100.0)])
@given(data=st.data())
def test_sigmoid_is_accurate_everywhere(dtype: str, limit: float, data: st.DataObject) -> None:
    numbers = st.floats(-limit, limit, width=32, allow_subnormal=False)
    x = np.array([data.draw(st.lists(numbers, min_size=1, max_size=8))], dtype)
    assert ulps(Sigmoid().forward({}, x)[0], x) <= 4


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 700.0), ("float32", 100.0)])
def test_sigmoid_is_accurate_on_a_grid(dtype: str, limit: float) -> None:
    x = np.concatenate([np.linspace(-limit, limit, 1001), np.linspace(-2, 2, 401)]).astype(dtype)
    assert ulps(Sigmoid().forward({}, x)[0], x) <= 4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_slope_of_relu_at_its_corner_is_0(zero: float, dtype: str) -> None:
    tiny = float(np.finfo(np.float32).tiny)
    y, cache = ReLU().forward({}, np.array([[-tiny, zero, tiny]], dtype))
    dx, _ = ReLU().backward({}, cache, np.array([[2.0, 3.0, 5.0]], dtype))
    np.testing.assert_array_equal(y, np.array([[0, 0, tiny]], dtype))
    np.testing.assert_array_equal(dx, np.array([[0, 0, 5]], dtype))
