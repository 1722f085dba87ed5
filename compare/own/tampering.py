"""Which slip in a backward pass gives the user's gradients: each is tried on PyTorch's own.

PyTorch's backward pass of the user's ``torch_loss`` is run again and again, each time with one
operation replaced by what a person might have written. If that gives the user's gradients, all of
them, to within what is allowed, the mistake is found, with its place. Operations that the user
composed of others, such as 1 / (1 + exp(−x)), are not recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from compare.diagnosis import Cause
from compare.observation import Array
from compare.own.autograd import Autograd
from compare.own.slips import CALLED, SLIPS, Known, Slip

#: So many places are tried one by one.
PLACES = 40


class Tampering(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Makes a slip at one place of the backward pass, or at all.

    Args:
        slip: what to do.
        place: at which of its places, counted from the output; None is all of them.
        late: the parameters after a step, by where in memory they are now.

    Attributes:
        operations: those of its places, counted from the output.
        changed: whether anything was changed.
    """

    def __init__(
        self, slip: Slip, place: int | None, late: Callable[[], Mapping[int, Tensor]]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.slip, self.place, self._late = slip, place, late
        self.operations: list[str] = []
        self.changed = False
        self._backward = False
        self._inputs: dict[int, Tensor] = {}
        self._held: list[Tensor] = []  # so that no place in memory is used again

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.partition("::")[2]
        operation = partial(func, **(kwargs or {}))
        result = operation(*args)
        self._backward |= name == "ones_like"
        if not self._backward:
            self._remember(result, args)
            return result
        if name not in self.slip.operations:
            return result
        changed = self.slip.change(operation, args, Known(self._input(args), self._late()))
        if changed is None:
            return result
        here = len(self.operations)
        self.operations.append(name)
        if self.place not in (None, here):
            return result
        self.changed = True
        return changed

    def _remember(self, result: Any, args: Any) -> None:
        if isinstance(result, Tensor) and args and isinstance(args[0], Tensor):
            self._inputs.setdefault(result.data_ptr(), args[0])
            self._held += [result, args[0]]

    def _input(self, args: Any) -> Tensor | None:
        """What the forward pass had put in where the backward pass has the output."""
        second = args[1] if len(args) > 1 and isinstance(args[1], Tensor) else None
        return None if second is None else self._inputs.get(second.data_ptr())


@dataclass(frozen=True)
class Suspect:
    """What is to be explained.

    Attributes:
        weights: where the gradients differ.
        actual: the user's.
        expected: PyTorch's.
        allowed: the largest allowed difference of each entry.
        lr: the learning rate, if the gradients were read off a step.
    """

    weights: Mapping[str, Array]
    actual: Mapping[str, Array]
    expected: Mapping[str, Array]
    allowed: Mapping[str, Array]
    lr: float | None = None
    wrong: tuple[str, ...] = ()

    @property
    def after_step(self) -> dict[str, Array]:
        """The weights after a step of plain descent."""
        lr = self.lr or 0.0
        return {name: w - lr * self.expected[name] for name, w in self.weights.items()}

    def match(self, predicted: Mapping[str, Array]) -> float:
        """The largest difference that a slip leaves, over what is allowed."""
        return max(self._ratio(name, predicted[name]) for name in self.actual)

    def _ratio(self, name: str, predicted: Array) -> float:
        if predicted.shape != self.actual[name].shape:
            return np.inf
        error = np.abs(predicted - self.actual[name].astype(np.float64))
        size = max(float(np.abs(self.expected[name]).max()), np.finfo(np.float64).tiny)
        grown = max(1.0, float(np.abs(predicted).max()) / size)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(error == 0, 0, error / (grown * self.allowed[name]))
        largest = float(ratio.max(initial=0))
        return largest if np.isfinite(largest) else np.inf


def slipped(autograd: Autograd, suspect: Suspect) -> list[Cause]:
    """The slips that explain all of the user's gradients."""
    found = []
    for slip in SLIPS:
        for place, count, operation, predicted in _tries(autograd, suspect, slip):
            match = suspect.match(predicted)
            if match <= 1:
                where = _where(operation, place, count)
                told = f"{slip.told}, {where}"
                found.append(Cause(slip.name, told, slip.remedy, match, suspect.wrong))
                break
    return found


def _tries(
    autograd: Autograd, suspect: Suspect, slip: Slip
) -> Iterator[tuple[int | None, int, str, dict[str, Array]]]:
    """The gradients with a slip at all of its places, then at each."""
    values = suspect.after_step
    everywhere = Tampering(slip, None, lambda: autograd.beside(values))
    predicted = autograd.gradients(suspect.weights, everywhere)
    count = len(everywhere.operations)
    if not everywhere.changed:
        return
    yield (0 if count == 1 else None), count, everywhere.operations[0], predicted
    for place in range(min(count, PLACES) if count > 1 else 0):
        once = Tampering(slip, place, lambda: autograd.beside(values))
        predicted = autograd.gradients(suspect.weights, once)
        yield place, count, everywhere.operations[place], predicted


def _where(operation: str, place: int | None, count: int) -> str:
    """Where it is, in the order of the forward pass."""
    called = CALLED.get(operation, "product with a weight")
    if count == 1:
        return f"at the only {called}"
    if place is None:
        return f"at every one of {count} places"
    return f"at place {count - place} of {count} in the order of the forward pass ({called})"
