"""The derivative of a user's own loss, from its values alone.

Where the loss can be computed on complex numbers, by the complex step, exact to rounding; it is
believed only where central differences confirm it. Otherwise by those, extrapolated to a step of 0;
the noise that rounding puts into the loss is measured once, as all weights move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import Array
from compare.measure.rounding import unit_roundoff
from compare.own.user.numbers import is_number
from compare.referee.derivative import Derivative, complex_step, confirmed, stride
from compare.referee.differences import central
from compare.referee.function_noise import computational_noise, noise_with_jumps

Loss = Callable[[Mapping[str, Array]], Any]

#: At most so many entries of a tensor are looked at one by one.
ENTRIES = 64

#: Weights that are smaller still move by a hundredth of this: tensors of zeros have no size.
LEAST = 0.1


@dataclass
class Differentiator:
    """Differentiates a loss at some weights.

    Args:
        loss: the loss at given weights, which may be complex.
        point: the weights.

    Attributes:
        analytic: whether the complex step is to be had and right.
    """

    loss: Loss
    point: Mapping[str, Array]
    analytic: bool = field(init=False)
    _noise: float = field(init=False)
    _doubt: float = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        every = {name: rng.standard_normal(value.shape) for name, value in self.point.items()}
        self._noise = computational_noise(self._line(every), *self._steps(every))
        rough = self._central(every)
        exact = self._complex(every)
        self._doubt = 0.0
        self.analytic = exact is not None and confirmed(exact, rough) is exact
        if self.analytic:
            self._measure(every)

    def along(self, direction: Mapping[str, Array]) -> Derivative:
        """The derivative of the loss as the parameters named move along a direction."""
        if self.analytic:
            exact = self._complex(direction)
            if exact is not None:
                return replace(exact, error=max(exact.error, self._doubt))
        return self._central(direction)

    def _central(self, direction: Mapping[str, Array]) -> Derivative:
        return central(self._line(direction), *self._steps(direction), self._noise)

    def _line(self, direction: Mapping[str, Array]) -> Callable[[float], float]:
        return lambda t: as_loss(self.loss(self._moved(direction, t)))

    def _steps(self, direction: Mapping[str, Array]) -> tuple[float, float]:
        """The largest step, and the precision of the parameters."""
        precision = max(unit_roundoff(value.dtype) for value in self.point.values())
        return stride(self.point, direction, LEAST), precision

    def _measure(self, direction: Mapping[str, Array]) -> None:
        """The noise of the complex step, which has its own where the loss is a cancellation."""

        def slope(t: float) -> float:
            found = self._complex(direction, t)
            if found is None:
                raise CannotCompare("there is no complex step here")
            return found.value

        step, _ = self._steps(direction)
        try:
            self._doubt = noise_with_jumps(slope, step, unit_roundoff(np.dtype(float)))
        except CannotCompare:
            self.analytic = False

    def _complex(self, direction: Mapping[str, Array], at: float = 0.0) -> Derivative | None:
        def function(t: complex) -> complex:
            return complex(_scalar(self.loss(self._moved(direction, at + t))))

        try:
            found = complex_step(function)
        except (CannotCompare, TypeError, ValueError):
            return None
        return found if np.isfinite(found.value) else None

    def _moved(self, direction: Mapping[str, Array], t: complex) -> dict[str, Array]:
        """The weights a little off.

        If any is complex, all are: code may make room for results with zeros_like(parameter).
        """
        if isinstance(t, complex):
            wide = {name: value.astype(complex) for name, value in self.point.items()}
            return wide | {name: wide[name] + t * d for name, d in direction.items()}
        return dict(self.point) | {
            name: (self.point[name].astype(np.float64) + t * d).astype(self.point[name].dtype)
            for name, d in direction.items()
        }


def entries(name: str, value: Array, seed: int = 0) -> list[tuple[int, ...]]:
    """Which entries of a tensor to look at: all of a small one, some of a large one."""
    if value.size <= ENTRIES:
        return list(np.ndindex(value.shape))
    rng = np.random.default_rng(seed + len(name))
    places = np.sort(rng.choice(value.size, ENTRIES, replace=False))
    return [tuple(int(i) for i in np.unravel_index(place, value.shape)) for place in places]


def unit_vector(value: Array, index: tuple[int, ...]) -> Array:
    """The direction of one entry."""
    direction = np.zeros(value.shape)
    direction[index] = 1.0
    return direction


def sampled(
    differentiator: Differentiator, name: str, places: list[tuple[int, ...]]
) -> Iterator[Derivative]:
    """The derivatives by some entries of one parameter, one after the other."""
    value = differentiator.point[name]
    for index in places:
        yield differentiator.along({name: unit_vector(value, index)})


def as_loss(value: Any) -> float:
    """A loss as one real number.

    Raises:
        CannotCompare: it is none, or not finite.
    """
    number = _scalar(value)
    if isinstance(number, complex) or np.iscomplexobj(number):
        raise CannotCompare(
            f"loss returns {number}, a complex number, but should return a real one"
        )
    if not np.isfinite(number):
        raise CannotCompare(f"loss returns {number}, which is not finite")
    return float(number)


def _scalar(value: Any) -> Any:
    if is_number(value):
        return value
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iufc":
        return value.item()
    told = "None" if value is None else f"a {type(value).__name__}"
    shape = f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""
    raise CannotCompare(f"loss returns {told}{shape}, but should return one number")
