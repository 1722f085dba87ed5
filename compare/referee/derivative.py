"""Derivatives of a function by its values alone, as a referee needs them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from compare.base.quantities import Array

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


def confirmed(exact: Derivative | None, rough: Derivative) -> Derivative:
    """The exact derivative if the rough one confirms it: not all operations are analytic.

    ``abs``, the larger of two complex numbers, or a cast to real ones give something else without
    an error; and at a corner the complex step sees one of two slopes.
    """
    if exact is None:
        return rough
    doubt = max(10 * rough.error, 1e-6 * abs(rough.value))
    apart = max(abs(exact.value - rough.value), rough.jump)
    return exact if apart <= doubt < math.inf else rough


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


def extended_precision() -> bool:
    """Whether ``np.longdouble`` is more precise than float64 on this platform."""
    return bool(np.finfo(np.longdouble).eps < np.finfo(np.float64).eps)
