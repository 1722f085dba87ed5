"""The derivative of a function by differences of its values, near its corners as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from compare.referee.derivative import Derivative
from compare.referee.function_noise import computational_noise

#: Noise seldom goes so many times beyond its standard deviation.
FAR = 3.0

#: Slopes on two sides that are so many times their own errors apart speak of a corner nearby, or
#: of one at 0.
NEAR, CORNER = 4.0, 100.0

#: So many steps, each half of the one before; if they do not settle, more, each a quarter.
HALVED, QUARTERED = 10, 20

#: A derivative is settled if its error is at most this share of it; a step is too small if noise
#: may be as large as that one.
SETTLED, BLIND = 1e-7, 0.03


def central(
    function: Callable[[float], float], start: float, precision: float, noise: float | None = None
) -> Derivative:
    """The derivative at 0 by central differences, extrapolated to a step of 0.

    (f(h) − f(−h))/2h = f'(0) + c₂ h² + c₄ h⁴ + …; making h smaller and combining neighbours removes
    one power after the other. Of the whole tableau the entry is taken whose neighbours differ
    least, of those from which smaller steps do not lead away again, as they do within a corner's
    distance. By how much the slopes before and after 0 differ, (f(h) − 2f(0) + f(−h))/h, is found
    likewise: it goes to 0 with h, unless there is a corner. Where it does not by far more than its
    own error, the corner is at 0; by a little more, nearby, and that is an error as well.

    Near a corner steps are made smaller until all of them are on one side of it, as far as noise
    allows.

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
    origin = function(0.0)
    levels: list[_Level] = []
    found = Derivative(math.nan, math.inf, "central differences")
    for h in _steps(start):
        levels.append(_Level(h, function(h), function(-h), origin, precision, noise))
        if len(levels) < HALVED:
            continue
        found = _judged(levels)
        settled = found.error <= SETTLED * abs(found.value) and found.jump == 0
        if settled or not levels[-1].doubt < BLIND * max(abs(one.slope) for one in levels):
            break
    return found


def _steps(start: float) -> Iterator[float]:
    yield from (start / 2**level for level in range(HALVED))
    yield from (start / (2 ** (HALVED - 1) * 4**level) for level in range(1, QUARTERED + 1))


@dataclass(frozen=True)
class _Level:
    """The values of a function at ±h."""

    h: float
    up: float
    down: float
    origin: float
    precision: float
    noise: float

    @property
    def slope(self) -> float:
        """The slope through both values."""
        return (self.up - self.down) / (2 * self.h)

    @property
    def doubt(self) -> float:
        """How far noise may put that off: the last place of the values, or more if so measured."""
        places = self.precision * (abs(self.up) + abs(self.down))
        return max(places, math.sqrt(2) * self.noise) / (2 * self.h)

    @property
    def bend(self) -> float:
        """By how much the slope after 0 is larger than the one before it."""
        return ((self.up - self.origin) + (self.down - self.origin)) / self.h

    @property
    def bend_doubt(self) -> float:
        """How far noise may put that off."""
        places = self.precision * (abs(self.up) + 2 * abs(self.origin) + abs(self.down))
        return max(places, math.sqrt(6) * self.noise) / self.h


def _judged(levels: Sequence[_Level]) -> Derivative:
    """The derivative as some steps show it."""
    value, error = _limit(
        [one.h**2 for one in levels], [one.slope for one in levels], [one.doubt for one in levels]
    )
    apart, doubt = _limit(
        [one.h for one in levels],
        [one.bend for one in levels],
        [one.bend_doubt for one in levels],
    )
    size, jump = max(abs(one.slope) for one in levels), 0.0
    if abs(apart) > max(CORNER * doubt, 1e-6 * size):
        jump = abs(apart)
    elif abs(apart) > NEAR * doubt:
        error = max(error, abs(apart))
    return Derivative(value, error, "central differences", jump)


def _limit(
    steps: Sequence[float], values: Sequence[float], noises: Sequence[float]
) -> tuple[float, float]:
    """The limit of some values for a step of 0, and an estimate of its error.

    Args:
        steps: what the values are polynomials of, from the largest on.
        values: at each step.
        noises: standard deviations of their noise.
    """
    found: list[tuple[float, float, int]] = []
    before: list[float] = []
    for level, value, noise in zip(count(), values, noises, strict=False):
        row = [value]
        for power, coarse in enumerate(before, start=1):
            share = steps[level] / (steps[level - power] - steps[level])
            row.append(row[-1] + (row[-1] - coarse) * share)
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - coarse)) + noise
            found.append((error, row[-1], level))
        before = row
    for error, value, last in sorted(found):  # nearer to 0, values come nearer, or noise
        farthest = abs(values[last] - value) + error
        later = zip(values[last + 1 :], noises[last + 1 :], strict=True)
        if all(abs(one - value) <= farthest + FAR * noise for one, noise in later):
            return float(value), float(error)
    return math.nan, math.inf
