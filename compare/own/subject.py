"""The user's side: each run starts from the very same state, whatever the last one left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from compare.errors import CannotCompare
from compare.observation import Array
from compare.own.gradients import Seen, Source
from compare.own.keepers import Restore
from compare.own.memento import Memento
from compare.own.numeric import as_loss
from compare.own.parameters import Parameters
from compare.own.running import Runner

#: Two runs of the same code may differ by so many units in the last place: sums in several threads.
REPEATABLE = 64.0


class Subject:
    """Runs the user's network at given weights.

    Args:
        parameters: where its parameters are.
        source: where its gradients come from.
        loss: its own loss, if there is one.
        reset: what the user wants done before each run.
        run: runs the user's functions.
        memento: all that they can reach, as it was found.
        world: puts the process's own state back.
    """

    def __init__(
        self,
        parameters: Parameters,
        source: Source,
        loss: Callable[[], Any] | None,
        reset: Callable[[], Any] | None,
        run: Runner,
        memento: Memento,
        world: Restore,
    ) -> None:
        self.parameters, self.source, self.run = parameters, source, run
        self._loss, self._reset = loss, reset
        self._memento, self._world = memento, world

    def start(self, weights: Mapping[str, Array]) -> None:
        """Put everything as it was found, and the parameters at these weights."""
        self._memento.restore()
        self._world()
        if self._reset is not None:
            self.run("reset", self._reset)
        self.parameters.write(weights)

    def see(self, weights: Mapping[str, Array], rate: float | None) -> Seen:
        """The gradients at some weights."""
        self.start(weights)
        return self.source.see(rate)

    def loss(self, weights: Mapping[str, Array]) -> Any:
        """The loss at some weights, whatever the user's code makes of it."""
        if self._loss is None:
            raise CannotCompare("there is no loss")
        self.start(weights)
        return self.run("loss", self._loss)

    @property
    def has_loss(self) -> bool:
        return self._loss is not None

    def require_repeatable(self, weights: Mapping[str, Array], rate: float | None) -> None:
        """Make sure that the same start gives the same numbers.

        Raises:
            CannotCompare: it does not.
        """
        first, second = self.see(weights, rate), self.see(weights, rate)
        for name, gradient in first.gradients.items():
            again = second.gradients[name]
            if again.shape != gradient.shape:
                raise _not_repeatable(name, f"shape {gradient.shape}, then {again.shape}")
            size = float(np.abs(gradient).max(initial=0))
            eps = float(np.finfo(gradient.dtype).eps)
            error = np.abs(again.astype(float) - gradient.astype(float))
            allowed = REPEATABLE * eps * size + np.max(first.slack[name], initial=0)
            if not np.all(error <= allowed):
                index = np.unravel_index(int(np.argmax(error)), error.shape)
                place = list(map(int, index)) or ""
                told = f"{gradient[index]:.9g} at first, then {again[index]:.9g}"
                raise _not_repeatable(f"{name}{place}", told)
        if self.has_loss:
            pair = as_loss(self.loss(weights)), as_loss(self.loss(weights))
            if not np.isclose(*pair, rtol=1e-6 if self._is_single(weights) else 1e-12, atol=0):
                raise CannotCompare(
                    _UNREPEATABLE.format("loss", f"{pair[0]:.9g}, then {pair[1]:.9g}")
                )

    @staticmethod
    def _is_single(weights: Mapping[str, Array]) -> bool:
        return any(value.dtype == np.float32 for value in weights.values())


_UNREPEATABLE = (
    "not deterministic: from the same start, the {} was {}; random numbers or state are in play "
    "that the check cannot reach: set them in reset, a function that is called before each run"
)


def _not_repeatable(name: str, told: str) -> CannotCompare:
    return CannotCompare(_UNREPEATABLE.format(f"gradient of {name}", told))
