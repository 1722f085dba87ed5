"""How far rounding moves the values of a function, measured on those values alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from compare.base.errors import CannotCompare

#: So many equally spaced values, and differences up to the order that leaves four of them.
POINTS = 9
ORDERS = 5

#: Neighbouring orders must agree to within this factor.
AGREEMENT = 4.0

#: Where one side of 0 shows so many times the noise of the other, it has a corner or a jump.
APART = 8.0

#: Points that are so near that most values are the same are spaced wider by this factor.
WIDER = 16.0

#: Values that are multiples of a large unit may rise by just one of it from point to point; not so
#: at points that are farther apart by a factor that no fraction comes near, the golden ratio.
GOLDEN = (1 + math.sqrt(5)) / 2

#: Spacings at which a function that may jump is looked at: points within 1e-8 of the largest step.
NEARBY = 3

#: Rounding changes a value by a small share of what it is elsewhere; what changes it by more is a
#: jump.
JUMP = 1e-6

#: To find a change the largest step is doubled at most so often; to find where it begins, halved.
DOUBLINGS = 20
HALVINGS = 50


def computational_noise(
    function: Callable[[float], float], start: float, precision: float
) -> float:
    """The standard deviation of the noise in the values of a function near 0.

    Points lie so near to each other that the function itself is as good as a polynomial of a low
    degree; a high difference of its values is then that of their noise. A loss that comes out of
    a cancellation, log Σ eᶻ − z of a saturated softmax, has far more of it than its size tells.

    Where hardly anything changes even within the largest step, the first change there or farther on
    is taken: what is smaller cannot be seen.

    High differences of a corner are like those of noise. Corners are seldom on both sides of 0, so
    the points lie on each side in turn.

    Args:
        function: the function.
        start: the largest step that differences of it take.
        precision: unit roundoff of the arithmetic that ``function`` uses.

    Source:
        Moré and Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011).
    """
    if function(start) == function(0.0) == function(-start):
        return _resolution(function, start)
    spacing = min(2.0**14 * precision, 1 / 16) * start
    while spacing * 16 <= start:
        found = _noise_at(function, spacing)
        if found is not None:
            return found
        spacing *= WIDER
    return _resolution(function, start)


def noise_with_jumps(function: Callable[[float], float], start: float, precision: float) -> float:
    """The same of a function that may jump, such as the slope of one with corners.

    So only points that are very near together tell of noise, and a first change farther on only if
    it is as small as rounding makes it.
    """
    spacing = 2.0**14 * precision * start
    for _ in range(NEARBY):
        found = _noise_at(function, spacing)
        if found is not None:
            return found
        spacing *= WIDER
    change = _resolution(function, start)
    ends = (side * start * 2.0**k for k in range(DOUBLINGS) for side in (1, -1))
    sizes = [abs(value) for value in map(partial(_value, function), ends) if math.isfinite(value)]
    return change if change <= JUMP * max(sizes, default=0.0) else 0.0


def _noise_at(function: Callable[[float], float], spacing: float) -> float | None:
    """The noise in values at points about so far apart, None if it does not show."""
    sides = []
    for side in (spacing, -spacing):
        levels = (_level(function, one) for one in (side, side * GOLDEN))
        found = [level for level in levels if level is not None]
        if found:
            sides.append(max(found))
    if not sides:
        return None
    return min(sides) if max(sides) > APART * min(sides) else max(sides)


def _level(function: Callable[[float], float], spacing: float) -> float | None:
    """The noise in values at points so far apart, None if it does not show."""
    differences = np.array([function(i * spacing) for i in range(POINTS)])
    if np.count_nonzero(np.diff(differences)) <= POINTS // 2:
        return None
    levels, mixed = [], []
    for order in range(1, ORDERS + 2):
        differences = np.diff(differences)
        scale = math.factorial(order) ** 2 / math.factorial(2 * order)
        levels.append(math.sqrt(scale * float(np.mean(differences**2))))
        mixed.append(bool(differences.min() < 0 < differences.max()))
    for level, following, sign in zip(levels, levels[1:], mixed, strict=False):
        if sign and max(level, following) <= AGREEMENT * min(level, following):
            return level
    return None


def _resolution(function: Callable[[float], float], start: float) -> float:
    """The first change of a function, the smaller one of both sides; 0 if it is constant."""
    origin = function(0.0)

    def change(t: float) -> float:
        found = abs(_value(function, t) - origin)
        return float(found) if math.isfinite(found) else math.inf

    least = math.inf
    for side in (start, -start):
        near, far = 0.0, side
        for _ in range(DOUBLINGS):
            if change(far) > 0:
                least = min(least, _first(change, near, far))
                break
            near, far = far, 2 * far
    return least if math.isfinite(least) else 0.0


def _value(function: Callable[[float], float], t: float) -> float:
    try:
        return function(t)
    except CannotCompare:  # so far away that it is not finite
        return math.inf


def _first(change: Callable[[float], float], near: float, far: float) -> float:
    """How large a change is where it begins, between a point without one and a point with one."""
    least = change(far)
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        found = change(middle)
        if found > 0:
            far, least = middle, found
        else:
            near = middle
    return least
