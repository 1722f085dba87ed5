"""One constant that makes one side of several tensors into the other.

For each entry ``y ≈ c x``, with an error of at most ``allowed``. So c lies between
``(y − allowed) / x`` and ``(y + allowed) / x``, for every entry, and in what all of these intervals
have in common: any c of it explains all entries, and if there is none, no c does. That is how far
the data determine c, without any assumption on how errors are distributed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence.gradient import ENOUGH, digits, remaining, rounding


@dataclass(frozen=True, eq=False)
class Line:
    """What one tensor says of the constant.

    Attributes:
        name: of the parameter.
        x: what is multiplied.
        y: what should come of it.
        error_x: how far each x may be off.
        error_y: how far each y may be off.
        size: what there is to explain of each y.
        combine: the two errors' sum; their maximum if ``error_x`` and ``error_y`` are one and
            the same error.
    """

    name: str
    x: Array
    y: Array
    error_x: Array
    error_y: Array
    size: Array
    combine: Callable[[Array, Array], Array] = np.add

    def allowed(self, constant: float) -> Array:
        """The largest allowed ``|y − constant x|``."""
        both = self.combine(abs(constant) * self.error_x, self.error_y)
        return both + rounding(constant * self.x)

    @cached_property
    def probe(self) -> Line:
        """The entries by which a wrong constant shows first."""
        told = np.abs(self.x).ravel() - self.error_x.ravel()
        entry = np.array([int(told.argmax())]) if told.size else np.array([], int)
        return Line(
            self.name,
            self.x.ravel()[entry],
            self.y.ravel()[entry],
            self.error_x.ravel()[entry],
            self.error_y.ravel()[entry],
            self.size.ravel()[entry],
            self.combine,
        )

    def explained(self, constant: float) -> bool:
        """Whether the constant explains every entry; as most do not, one entry is tried first."""
        return self.probe.match(constant) <= 1 and self.match(constant) <= 1

    def match(self, constant: float) -> float:
        return remaining(self.y, np.asarray(constant * self.x), self.allowed(constant))

    def moments(self) -> tuple[float, float]:
        """Σ x y / allowed² and Σ x² / allowed²."""
        error = np.maximum(self.error_y, 1e-70)  # its inverse squared must not overflow
        x, y = self.x / error, self.y / error
        return float((x * y).sum()), float((x * x).sum())

    def interval(self) -> tuple[float, float]:
        """The smallest and the largest constant that explains every entry."""
        xy, xx = self.moments()
        allowed = self.allowed(xy / xx if xx else 0.0)
        low, high = ends(self.x, self.y, allowed)
        return float(low.max(initial=-np.inf)), float(high.min(initial=np.inf))


def ends(x: Array, y: Array, allowed: Array) -> tuple[Array, Array]:
    """The smallest and the largest constant that explains each entry: none where only x is 0."""
    both = np.stack([(y - allowed) / x, (y + allowed) / x])
    free = (x == 0) & (np.abs(y) <= allowed)
    never = (x == 0) & ~free
    low = np.select([free, never], [-np.inf, np.inf], both.min(axis=0))
    return low, np.select([free, never], [np.inf, -np.inf], both.max(axis=0))


@dataclass(frozen=True)
class Fit:
    """A constant and the lines that it explains."""

    constant: float
    lines: tuple[Line, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(line.name for line in self.lines)

    @property
    def match(self) -> float:
        return max(line.match(self.constant) for line in self.lines)

    def worth(self, free: bool) -> float:
        """Digits of agreement; a free constant pays with the entry that says most."""
        c = self.constant
        told = np.concatenate([digits(line.size, line.allowed(c)) for line in self.lines])
        return float(told.sum() - (told.max(initial=0) if free else 0))


def at(constant: float, lines: Sequence[Line], price: float) -> Fit | None:
    """What a given constant explains, if that is worth more than so many digits."""
    fit = Fit(constant, tuple(line for line in lines if line.explained(constant)))
    return fit if fit.lines and fit.worth(free=False) - price >= ENOUGH else None


def free(lines: Sequence[Line]) -> list[Fit]:
    """Constants, each of which explains more than the one entry that it is read from."""
    known = [(line.interval(), line) for line in lines]
    known = sorted((k for k in known if k[0][0] <= k[0][1]), key=lambda k: k[0][1] - k[0][0])
    found = []
    while known:
        low, high = known[0][0]
        group = []
        for (start, end), line in known:
            if max(low, start) <= min(high, end):
                low, high = max(low, start), min(high, end)
                group.append(line)
        known = [k for k in known if k[1] not in group]
        ordered = tuple(line for line in lines if line in group)
        fit = Fit(_within(low, high, group), ordered)
        if np.isfinite(fit.constant) and fit.match <= 1 and fit.worth(free=True) >= ENOUGH:
            found.append(fit)
    return found


def _within(low: float, high: float, lines: Sequence[Line]) -> float:
    """The constant of least squares, or the nearest that explains every entry."""
    moments = np.array([line.moments() for line in lines]).sum(axis=0)
    return float(np.clip(moments[0] / moments[1] if moments[1] else 0.0, low, high))
