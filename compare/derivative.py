"""Derivatives of a function by its values alone, as a referee needs them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from compare.noise import computational_noise
from compare.observation import Array

#: Step of the complex method; its square vanishes beside 1 in any precision.
TINY = 1e-30

#: Noise seldom goes so many times beyond its standard deviation.
FAR = 3.0

#: Slopes on two sides that are so many times their own errors apart speak of a corner nearby, or
#: of one at 0.
NEAR, CORNER = 4.0, 100.0


@dataclass(frozen=True)
class Derivative:
    """A derivative and how far it may be off.

    Attributes:
        value: the derivative.
        error: an estimate of its error.
        method: how it was found.
        jump: by how much the slopes on the two sides of a corner differ; 0 if there is no corner.
    """

    value: float
    error: float
    method: str
    jump: float = 0.0


def complex_step(function: Callable[[complex], complex]) -> Derivative:
    """The derivative at 0 of an analytic function, exact to rounding.

    f(ih) = f(0) + ih f'(0) − h²/2 f''(0) − …, so the imaginary part is h f'(0) up to h³, without
    any subtraction.

    Source:
        Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM
        Review 40 (1998).
    """
    value = float(function(1j * TINY).imag) / TINY
    return Derivative(value, 1e-13 * abs(value), "complex step")


def central(
    function: Callable[[float], float], start: float, precision: float, noise: float | None = None
) -> Derivative:
    """The derivative at 0 by central differences, extrapolated to a step of 0.

    (f(h) − f(−h))/2h = f'(0) + c₂ h² + c₄ h⁴ + …; halving h and combining neighbours removes one
    power after the other. Of the whole tableau the entry is taken whose neighbours differ least,
    of those from which smaller steps do not lead away again, as they do within a corner's distance.
    The slopes before and after 0 are found likewise. Where they differ by far more than their own
    errors, there is a corner at 0; by a little more, one nearby, and that is an error as well.

    Args:
        function: what to differentiate.
        start: the largest step.
        precision: unit roundoff of the arithmetic that ``function`` uses.
        noise: standard deviation of the noise in its values; measured along it if None.

    Source:
        Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Softw. 4 (1982).
    """
    if noise is None:
        noise = computational_noise(function, start, precision)
    rounding = _Rounding(precision, noise)
    value, error = _extrapolated(lambda h: (function(h), function(-h), 2 * h), start, rounding, 4)
    before, after, doubt = _sides(function, start, rounding)
    apart, jump = abs(after - before), 0.0
    if apart > max(CORNER * doubt, 1e-6 * (abs(after) + abs(before))):
        jump = apart
    elif apart > NEAR * doubt:
        error = max(error, apart)
    return Derivative(value, error, "central differences", jump)


def confirmed(exact: Derivative | None, rough: Derivative) -> Derivative:
    """The exact derivative if the rough one confirms it: not all operations are analytic.

    ``abs``, the larger of two complex numbers, or a cast to real ones give something else without
    an error; and at a corner the complex step sees one of two slopes.
    """
    if exact is None:
        return rough
    doubt = max(10 * rough.error, 1e-6 * abs(rough.value))
    return exact if max(abs(exact.value - rough.value), rough.jump) <= doubt else rough


def stride(point: Mapping[str, Array], direction: Mapping[str, Array], least: float) -> float:
    """A step that changes no entry by more than a hundredth of its tensor's largest.

    Args:
        point: where to start.
        direction: where to; tensors that are left out stay as they are.
        least: what is taken for a tensor's largest entry if that is smaller.
    """
    steps = [
        0.01 * max(float(np.abs(point[name]).max()), least) / float(np.abs(d).max())
        for name, d in direction.items()
        if d.any()
    ]
    return min(steps, default=1.0)


@dataclass(frozen=True)
class _Rounding:
    """How far values of a function may be off: by their last place, or by more if so measured."""

    precision: float
    noise: float

    def of(self, up: float, down: float, width: float) -> float:
        """The noise of a difference quotient."""
        places = 2 * self.precision * (abs(up) + abs(down))
        return max(places, math.sqrt(2) * self.noise) / abs(width)


def _sides(
    function: Callable[[float], float], start: float, rounding: _Rounding
) -> tuple[float, float, float]:
    """The slopes before and after 0, and how far both may be off together.

    (f(h) − f(0))/h = f'(0) + c₁ h + c₂ h² + … on either side.
    """
    origin = function(0.0)
    (before, doubt), (after, more_doubt) = (
        _extrapolated(lambda h: (function(h), origin, h), step, rounding, 2)
        for step in (-start, start)
    )
    return before, after, doubt + more_doubt


def _extrapolated(
    ends: Callable[[float], tuple[float, float, float]],
    start: float,
    rounding: _Rounding,
    ratio: int,
) -> tuple[float, float]:
    """The limit of a difference quotient for a step of 0, and an estimate of its error.

    Args:
        ends: for a step h, the function's values at two ends, and how far these are apart.
        start: the largest step.
        rounding: that of the values.
        ratio: by how much the first power of h that is wrong shrinks where h is halved, and each
            one after it once more.
    """
    quotients: list[float] = []
    noises: list[float] = []
    found: list[tuple[float, float, int, int]] = []
    before: list[float] = []
    for level in range(10):
        up, down, width = ends(start / 2**level)
        quotients.append((up - down) / width)
        noises.append(rounding.of(up, down, width))
        row = [quotients[-1]]
        for power, coarse in enumerate(before, start=1):
            row.append(row[-1] + (row[-1] - coarse) / (ratio**power - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - coarse)) + noises[-1]
            found.append((error, row[-1], level - power, level))
        before = row
    for error, value, first, last in sorted(found):  # nearer to 0, quotients come nearer, or noise
        farthest = max(abs(q - value) for q in quotients[first : last + 1]) + error
        later = zip(quotients[last + 1 :], noises[last + 1 :], strict=True)
        if all(abs(q - value) <= farthest + FAR * noise for q, noise in later):
            return float(value), float(error)
    return math.nan, math.inf


def extended_precision() -> bool:
    """Whether ``np.longdouble`` is more precise than float64 on this platform."""
    return bool(np.finfo(np.longdouble).eps < np.finfo(np.float64).eps)
