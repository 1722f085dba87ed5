"""The gradients that a user's code computes, or those that its update step shows.

Plain gradient descent moves each parameter by −lr times its gradient, so that

    gradient = (before − after) / lr

The subtraction ``before − lr g`` is rounded to half a unit in the last place of its result. What
the quotient loses by that is at most ``u |after| / lr``, and is allowed on top of everything else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from compare.base.errors import CannotCompare, UsageError
from compare.base.quantities import Array
from compare.measure.rounding import unit_roundoff
from compare.own.user.attribute_paths import is_pointer, place
from compare.own.user.numbers import as_array, fill, without_ones
from compare.own.user.parameters import Parameters, first_bad
from compare.own.user.run import Runner
from compare.own.user.structure import Node, as_plain, take_apart

#: The second learning rate is the first divided by this, a power of two, so that it is exact.
SLOWER = 16.0


@dataclass(frozen=True)
class Seen:
    """What one run of the user's code showed.

    Attributes:
        gradients: of each parameter.
        slack: what the way in which they were read may have added, at most.
        lr: the learning rate, if they were read off a step.
        unmoved: parameters that the step left exactly as they were.
    """

    gradients: dict[str, Array]
    slack: dict[str, Array]
    lr: float | None = None
    unmoved: tuple[str, ...] = ()

    def moves_like(self, other: Seen) -> bool:
        """Whether the step of another run, with another rate, moved everything by the same."""
        if self.lr is None or other.lr is None or self.lr == other.lr:
            return False
        return any(map(np.any, self.gradients.values())) and all(
            np.array_equal(g * self.lr, other.gradients[name] * other.lr)
            for name, g in self.gradients.items()
        )

    @property
    def dtypes(self) -> dict[str, str]:
        """What each gradient is in."""
        return {name: value.dtype.name for name, value in self.gradients.items()}


class Source(Protocol):
    """Where gradients come from."""

    #: Names of the ways in which they can be had: the learning rates.
    rates: tuple[float | None, ...]

    #: That the learning rate is not read; empty if it is, or if there is none.
    unread: str

    def see(self, rate: float | None) -> Seen:
        """Run the user's code once."""


class Returned:
    """Gradients that a function returns or points at."""

    rates: tuple[float | None, ...] = (None,)
    unread = ""

    def __init__(self, grads: Callable[[], Any], parameters: Parameters, run: Runner) -> None:
        self.grads, self.parameters, self.run = grads, parameters, run

    def see(self, rate: float | None) -> Seen:
        shapes = {name: value.shape for name, value in self.parameters.read().items()}
        given = self.run("grads", self.grads)
        found = self.run("what grads returns", _as_given, given, self.parameters.tree, shapes)
        gradients = {}
        for name, value in found.items():
            what = f"the gradient of {name} that grads gives"
            gradients[name] = _fitted(_as_gradient(value, what), shapes[name])
            _require_finite(gradients[name], what)
        return Seen(gradients, {name: np.zeros(()) for name in gradients})


def _as_gradient(value: Any, what: str) -> Array:
    """An array of whole numbers may be a gradient if all are 0; all else as parameters."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and not np.any(value):
        return value.astype(float)  # zeros that nothing was added to
    return as_array(
        value, what, "compute it in one of them, as converting it later brings no digits back"
    )


def _as_given(value: Any, tree: Node, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """What ``grads`` returned, for each parameter.

    Raises:
        CannotCompare: it is nothing, or not one gradient for each parameter.
    """
    if value is None:
        raise CannotCompare(
            "grads returns None; it should return the gradients, or where they are: "
            "(network, 'dW1', 'db1')"
        )
    if is_pointer(value) and not _are_numbers(value[1:], len(shapes) - 1):
        root, *paths = value
        several = [place(root, path).get() for path in paths]
        value = several[0] if len(several) == 1 else several
    return take_apart(as_plain(value), tree, shapes)


def _are_numbers(paths: Sequence[Any], count: int) -> bool:
    """Whether what may be places in a list are the gradients themselves, as in (dW, 0)."""
    return len(paths) == count and all(isinstance(one, int) for one in paths)


def _fitted(gradient: Array, shape: tuple[int, ...]) -> Array:
    """The gradient in its parameter's shape, if they differ in axes of length 1 alone."""
    if without_ones(gradient.shape) == without_ones(shape):
        return gradient.reshape(shape)
    return gradient


def _require_finite(gradient: Array, what: str) -> None:
    if not np.isfinite(gradient).all():
        raise CannotCompare(f"{what} is not finite{first_bad(gradient)}")


class Stepped:
    """Gradients that are read off an update step.

    Args:
        step: makes one step; if it takes an argument, that is the learning rate.
        lr: the learning rate, or where it is kept: ``(network, "lr")``.
        parameters: what it updates.
        run: runs it.
    """

    def __init__(
        self, step: Callable[..., Any], lr: Any, parameters: Parameters, run: Runner
    ) -> None:
        self.step, self.parameters, self.run = step, parameters, run
        self.place = place(*lr) if is_pointer(lr) and len(lr) == 2 else None
        self.takes_rate = _takes_argument(step)
        self.unread = ""
        first = _rate(self.place.get() if self.place else lr)
        settable = self.takes_rate or self.place is not None
        self.rates: tuple[float | None, ...] = (first, first / SLOWER) if settable else (first,)

    def see(self, rate: float | None) -> Seen:
        if rate is None:
            raise UsageError("step needs lr")
        if self.place is not None:
            fill(self.place.get(), np.asarray(rate), self.place.set)
        before = self.parameters.read()
        self.run("step", self.step, *([rate] if self.takes_rate else []))
        after = self.parameters.read()
        gradients, slack = {}, {}
        for name, start in before.items():
            if after[name].shape != start.shape:
                raise CannotCompare(
                    f"step changes the shape of {name} from {start.shape} to {after[name].shape}: "
                    f"something is broadcast into it"
                )
            _require_finite(after[name], f"parameter {name} after the step")
            gradients[name], slack[name] = quotient(start, after[name], rate)
        unmoved = tuple(name for name in before if np.array_equal(before[name], after[name]))
        return Seen(gradients, slack, rate, unmoved)

    def only_first_rate(self) -> None:
        """Try no other learning rate, as the step moves by the same with each."""
        first, other = self.rates
        self.rates = (first,)
        where = "it is handed" if self.place is None else "is kept where lr says"
        self.unread = (
            f"step does not use the learning rate that {where}: with {other:g} it moves the "
            f"parameters exactly as with {first:g}; something has a copy of its own, such as a "
            f"layer that was given the rate when it was made; only {first:g} was tried"
        )


def quotient(before: Array, after: Array, lr: float) -> tuple[Array, Array]:
    """The gradient that a step of plain descent shows, and what rounding may have added to it.

    ``after = fl(before − fl(lr g))``: the subtraction is off by u |after| at most, which is divided
    by lr; the product, and the difference and the quotient here, by u |g| each.
    """
    gradient = (before.astype(np.float64) - after.astype(np.float64)) / lr
    u = unit_roundoff(after.dtype)
    slack = u * np.abs(after.astype(np.float64)) / abs(lr) + 4 * u * np.abs(gradient)
    return gradient, slack


def _takes_argument(step: Callable[..., Any]) -> bool:
    """Whether a function cannot be called without an argument."""
    try:
        parameters = inspect.signature(step).parameters.values()
    except Exception:  # it has none, or says something else
        return False
    return any(
        one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        for one in parameters
    )


def _rate(value: Any) -> float:
    if not isinstance(value, int | float | np.number | np.ndarray) or np.size(value) != 1:
        raise UsageError(
            f"lr is {value!r}, but should be a number, or where it is kept: (network, 'lr')"
        )
    rate = float(np.asarray(value).item())
    if not np.isfinite(rate) or rate == 0:
        raise UsageError(f"lr is {rate:g}, but should be a finite number other than 0")
    return rate
