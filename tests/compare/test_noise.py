"""The noise of a function, measured on its values, against noise that is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compare.base.errors import CannotCompare
from compare.referee.differences import central
from compare.referee.function_noise import computational_noise, noise_with_jumps

U = 2.0**-53


def rounded(t: float) -> float:
    """Multiples of a thousandth: the standard deviation of their rounding is 1/√12 of that."""
    return round(1000 * (3 + math.sin(t))) / 1000


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-6])
@pytest.mark.parametrize("smooth", [math.exp, math.sin, lambda t: 1e3 * t, lambda t: 1e-3 + t * t])
def test_noise_is_measured(smooth: Callable[[float], float], size: float) -> None:
    rng = np.random.default_rng(0)
    found = computational_noise(lambda t: smooth(t) + size * rng.standard_normal(), 0.01, U)
    assert size / 4 < found < 4 * size


def test_smooth_function_has_the_noise_of_its_last_place() -> None:
    assert 0.05 * U < computational_noise(lambda t: math.exp(t), 0.01, U) < 4 * U


@pytest.mark.parametrize("slope", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_cancellation_is_measured(slope: float) -> None:
    """Steps of one unit from point to point, as regular as a line, hide nothing."""
    unit = 2.0**-52
    spacing = 2.0**14 * U * 0.01
    found = computational_noise(lambda t: (1.0 + 1e-9 + slope * unit * t / spacing) - 1.0, 0.01, U)
    assert unit / 12 < found < 4 * unit


def test_what_does_not_change_is_unknown_by_its_first_change() -> None:
    assert computational_noise(rounded, 1e-5, U) == pytest.approx(1e-3)
    found = central(rounded, 1e-5, U)
    assert found.value == 0
    assert abs(found.value - 1) <= found.error


def test_constant_function_has_no_noise() -> None:
    assert computational_noise(lambda t: 3.0, 0.01, U) == 0


def test_far_away_a_function_may_end() -> None:
    def ends(t: float) -> float:
        if abs(t) > 0.02:
            raise CannotCompare("not finite")
        return 1.0

    assert computational_noise(ends, 0.01, U) == 0


@pytest.mark.parametrize("start", [0.05, 0.01, 0.002])
@pytest.mark.parametrize("offset", [1e-16, 1e-13, 1e-10, 1e-6])
def test_derivative_of_a_cancellation_is_not_called_precise(offset: float, start: float) -> None:
    """log(1 + exp(−z)) of a large z comes out of a cancellation; its own size tells nothing."""
    z = -math.log(offset)
    found = central(lambda t: math.log(1 + math.exp(-(z + t))), start, U)
    exact = -1 / (1 + math.exp(z))
    assert abs(found.value - exact) <= 10 * found.error


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("place", [1e-3, 1e-2, 0.1, -1e-3, -1e-2, -0.1])
def test_corner_on_one_side_is_no_noise(dtype: type[np.floating[Any]], place: float) -> None:
    """Values that hardly change but at the corner, which the points must not lie across."""
    u = float(np.finfo(dtype).eps) / 2

    def bent(t: float) -> float:
        return float(dtype(1) + dtype(3e-3 * t) + dtype(max(t - place * 0.01, 0.0)))

    assert computational_noise(bent, 0.01, u) < 10 * u


@pytest.mark.parametrize("corners", [0, 1, 1000])
def test_slope_of_straight_pieces_has_no_noise(corners: int) -> None:
    places = np.random.default_rng(0).uniform(-0.05, 0.05, corners)
    assert noise_with_jumps(lambda t: 2.0 + float(np.sum(places < t)), 0.01, U) == 0


def test_slope_between_jumps_has_the_noise_that_it_has() -> None:
    rng = np.random.default_rng(0)
    found = noise_with_jumps(
        lambda t: 2.0 + (t > 1e-3) - (t < -2e-3) + 1e-9 * rng.standard_normal(), 0.01, U
    )
    assert 1e-9 / 4 < found < 4e-9


def test_saturated_slope_is_known_to_its_first_change() -> None:
    """p − 1 of a saturated softmax, which is 0 to the last digit."""
    found = noise_with_jumps(lambda t: 1 / (1 + math.exp(-max(50 + t, -50))) - 1, 0.01, U)
    assert found == pytest.approx(2.0**-53)
