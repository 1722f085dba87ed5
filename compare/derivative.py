"""Derivatives of a function by its values alone, as a referee needs them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from compare.observation import Array

#: Step of the complex method; its square vanishes beside 1 in any precision.
TINY = 1e-30


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


def central(function: Callable[[float], float], start: float, precision: float) -> Derivative:
    """The derivative at 0 by central differences, extrapolated to a step of 0.

    (f(h) − f(−h))/2h = f'(0) + c₂ h² + c₄ h⁴ + …; halving h and combining neighbours removes one
    power after the other. Of the whole tableau the entry is taken whose neighbours differ least.

    Args:
        function: what to differentiate.
        start: the largest step.
        precision: unit roundoff of the arithmetic that ``function`` uses.

    Source:
        Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Softw. 4 (1982).
    """
    value, error = _extrapolated(lambda h: (function(h), function(-h), 2 * h), start, precision, 4)
    jump = _jump(function, start, precision)
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


def _jump(function: Callable[[float], float], start: float, precision: float) -> float:
    """By how much the slopes before and after 0 differ, if clearly they do.

    (f(h) − f(0))/h = f'(0) + c₁ h + c₂ h² + … on either side.
    """
    origin = function(0.0)
    (after, doubt), (before, more_doubt) = (
        _extrapolated(lambda h: (function(h), origin, h), step, precision, 2)
        for step in (start, -start)
    )
    least = max(100 * (doubt + more_doubt), 1e-6 * (abs(after) + abs(before)))
    return abs(after - before) if abs(after - before) > least else 0.0


def _extrapolated(
    ends: Callable[[float], tuple[float, float, float]], start: float, precision: float, ratio: int
) -> tuple[float, float]:
    """The limit of a difference quotient for a step of 0, and an estimate of its error.

    Args:
        ends: for a step h, the function's values at two ends, and how far these are apart.
        start: the largest step.
        precision: unit roundoff of the values.
        ratio: by how much the first power of h that is wrong shrinks where h is halved, and each
            one after it once more.
    """
    best, smallest = math.nan, math.inf
    before: list[float] = []
    for level in range(10):
        up, down, width = ends(start / 2**level)
        row = [(up - down) / width]
        noise = 2 * precision * (abs(up) + abs(down)) / abs(width)
        for power, coarse in enumerate(before, start=1):
            row.append(row[-1] + (row[-1] - coarse) / (ratio**power - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - coarse)) + noise
            if error < smallest:
                best, smallest = row[-1], error
        before = row
    return float(best), float(smallest)


def extended_precision() -> bool:
    """Whether ``np.longdouble`` is more precise than float64 on this platform."""
    return bool(np.finfo(np.longdouble).eps < np.finfo(np.float64).eps)
