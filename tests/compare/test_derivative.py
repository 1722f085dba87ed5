"""Derivatives by values alone, against those that are known."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.referee.derivative import complex_step, extended_precision
from compare.referee.differences import central

#: Functions of a complex number with their derivatives.
ANALYTIC: dict[str, tuple[Callable[[complex], complex], Callable[[float], float]]] = {
    "exp": (cmath.exp, math.exp),
    "sine": (cmath.sin, math.cos),
    "tanh": (cmath.tanh, lambda x: 1 - math.tanh(x) ** 2),
    "cubic": (lambda z: z**3 - 2 * z + 5, lambda x: 3 * x * x - 2),
    "logistic": (
        lambda z: 1 / (1 + cmath.exp(-z)),
        lambda x: 1 / (2 + math.exp(x) + math.exp(-x)),
    ),
    "steep": (lambda z: cmath.atan(10 * z), lambda x: 10 / (1 + 100 * x * x)),
    "constant": (lambda z: 3 + 0 * z, lambda x: 0.0),
}

points = st.floats(-3, 3)

each_function = pytest.mark.parametrize(
    ("function", "slope"), ANALYTIC.values(), ids=ANALYTIC.keys()
)


@each_function
@given(at=points)
def test_complex_step_is_exact_to_rounding(
    function: Callable[[complex], complex], slope: Callable[[float], float], at: float
) -> None:
    found = complex_step(lambda t: function(at + t))
    scale = max(abs(slope(at)), abs(3 * at * at), 1e-3)
    assert abs(found.value - slope(at)) <= 1e-14 * scale
    assert found.method == "complex step"
    assert found.error <= 1e-12 * abs(found.value)


@each_function
@given(at=points, start=st.floats(-6, -1).map(lambda power: 10**power))
def test_error_of_central_differences_is_not_understated(
    function: Callable[[complex], complex],
    slope: Callable[[float], float],
    at: float,
    start: float,
) -> None:
    found = central(lambda t: function(at + t).real, start, 2.0**-52)
    assert found.method == "central differences"
    assert abs(found.value - slope(at)) <= 10 * found.error + 1e-300
    assert found.jump == 0
    assert math.isfinite(found.error)


@given(
    before=st.floats(-3, 3),
    after=st.floats(-3, 3),
    start=st.floats(-6, -1).map(lambda power: 10**power),
)
def test_corner_is_seen(before: float, after: float, start: float) -> None:
    def corner(t: float) -> float:
        return 1 + math.sin(t) * (after if t > 0 else before)

    jump = central(corner, start, 2.0**-52).jump
    if abs(after - before) > 1e-3:
        assert jump == pytest.approx(abs(after - before), rel=1e-3)
    elif after == before:
        assert jump == 0


@each_function
@given(at=points)
def test_central_differences_from_a_sensible_step_are_good(
    function: Callable[[complex], complex], slope: Callable[[float], float], at: float
) -> None:
    found = central(lambda t: function(at + t).real, 0.05, 2.0**-52)
    scale = max(abs(function(at)), abs(slope(at)), 1)
    assert abs(found.value - slope(at)) <= 1e-10 * scale
    assert found.error <= 1e-9 * scale


@given(at=points)
def test_more_precision_gives_more_digits(at: float) -> None:
    """Where there is no more, it is not claimed."""
    wide = np.longdouble
    precision = float(np.finfo(wide).eps)
    found = central(lambda t: np.exp(wide(at) + wide(t)), 0.05, precision)
    exact = math.exp(at)
    assert abs(found.value - exact) <= max(10 * found.error, 4e-16 * exact)
    assert found.error <= (1e-13 if extended_precision() else 1e-10) * max(exact, 1)


@given(coefficients=st.lists(st.floats(-10, 10), min_size=1, max_size=6), at=points)
def test_polynomials(coefficients: list[float], at: float) -> None:
    polynomial = np.polynomial.Polynomial(coefficients)
    exact = float(polynomial.deriv()(at))
    size = float(np.polynomial.Polynomial(np.abs(coefficients))(abs(at) + 1)) + 1
    by_complex: Any = complex_step(lambda t: complex(polynomial(at + t)))
    assert abs(by_complex.value - exact) <= 1e-13 * size
    by_difference = central(lambda t: float(polynomial(at + t)), 0.1, 2.0**-52)
    assert abs(by_difference.value - exact) <= 1e-10 * size
    assert abs(by_difference.value - exact) <= 10 * by_difference.error + 1e-14 * size


def test_corner_and_jump_have_no_small_error() -> None:
    """A step that reaches over a corner is seen, unless all of them do alike."""
    corner = central(lambda t: abs(t - 1e-3), 0.05, 2.0**-52)
    assert abs(corner.value + 1) <= 10 * corner.error + 1e-12
    jump = central(lambda t: float(t > 0), 0.05, 2.0**-52)
    assert jump.error > 0.5


def test_nonsense_is_not_called_precise() -> None:
    found = central(lambda t: math.nan, 0.05, 2.0**-52)
    assert not found.error <= 1e300
    found = complex_step(lambda t: complex(math.nan, math.nan))
    assert not found.error <= 1e300


@pytest.mark.parametrize("precision", [2.0**-24, 2.0**-53])
@pytest.mark.parametrize("bend", [0.03, 0.3, 3.0])
@pytest.mark.parametrize("share", [2.0**-power for power in range(1, 12)])
def test_corner_within_the_step_is_in_the_error(
    precision: float, bend: float, share: float
) -> None:
    """A ReLU whose input is small: larger steps bend, smaller ones drown in noise."""
    start, dtype = 0.01, np.float32 if precision > 1e-10 else np.float64

    def bent(t: float) -> float:
        return float(dtype(15 + 2 * t + bend * max(t - 0.9 * share * start, 0.0)))

    found = central(bent, start, precision)
    assert found.jump > 0 or abs(found.value - 2) <= 16 * found.error


@pytest.mark.parametrize("share", [2.0**-power for power in range(1, 8)])
def test_smaller_steps_do_not_reach_a_corner(share: float) -> None:
    """Then the derivative is there all the same, and is not called a corner."""

    def bent(t: float) -> float:
        return float(np.float32(15 + 2 * t + max(3 * t - 0.027 * share, 0.0)))

    found = central(bent, 0.01, 2.0**-24)
    assert found.jump == 0
    assert found.error < 0.2
    assert abs(found.value - 2) <= found.error


@pytest.mark.parametrize("curved", [0.0, 1.0])
@pytest.mark.parametrize("corners", [1, 3, 20])
@pytest.mark.parametrize("seed", range(20))
def test_corners_however_near_do_not_blur_the_derivative(
    seed: int, corners: int, curved: float
) -> None:
    """Sums of ReLUs whose inputs are from 1e-7 to 1 of the step: each piece is seen by itself."""
    rng = np.random.default_rng(seed)
    bends = rng.standard_normal(corners)
    places = rng.choice([-1.0, 1.0], corners) * 0.01 * 10 ** rng.uniform(-7, 0, corners)

    def bent(t: float) -> float:
        return float(15 + 2 * t + bends @ np.maximum(t - places, 0) + curved * math.sin(3 * t))

    exact = 2 + bends[places < 0].sum() + 3 * curved
    found = central(bent, 0.01, 2.0**-53)
    assert found.jump == 0
    assert abs(found.value - exact) <= 8 * found.error
    assert found.error <= 1e-3


def test_smooth_function_takes_few_calls() -> None:
    calls: list[float] = []

    def smooth(t: float) -> float:
        calls.append(t)
        return math.exp(t)

    central(smooth, 0.01, 2.0**-53, noise=0.0)
    assert len(calls) == len(set(calls)) == 21
