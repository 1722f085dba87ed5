"""The user's side: each run starts from the very same state, whatever the last one left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from compare.base.errors import CannotCompare
from compare.base.quantities import Array
from compare.own.isolation.restore_methods import Restore
from compare.own.isolation.snapshot_and_restore import Memento
from compare.own.user.gradients import Seen, Source, Stepped
from compare.own.user.own_loss import as_loss
from compare.own.user.parameters import Parameters
from compare.own.user.randomness import Generators
from compare.own.user.repeats import Repeats
from compare.own.user.run import Runner


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

    def see_all(self, weights: Mapping[str, Array]) -> Iterator[Seen]:
        """The gradients at some weights with each learning rate, if the code reads it."""
        first: Seen | None = None
        for rate in self.source.rates:
            seen = self.see(weights, rate)
            if isinstance(self.source, Stepped) and first is not None and seen.moves_like(first):
                self.source.only_first_rate()
                return
            first = first or seen
            yield seen

    def loss(self, weights: Mapping[str, Array]) -> Any:
        """The loss at some weights, whatever the user's code makes of it."""
        if self._loss is None:
            raise CannotCompare("there is no loss")
        self.start(weights)
        return self.run("loss", self._loss)

    def reads_more(self, weights: Mapping[str, Array]) -> bool:
        """Whether the loss depends on more than the parameters of what has moved until now.

        All is put back as it was found for that.

        Args:
            weights: where the parameters are.
        """
        if self._loss is None:
            return False
        here = as_loss(self.run("loss", self._loss))
        return here != as_loss(self.loss(weights))

    def titled(self, title: str, rate: float | None) -> str:
        """What a comparison at some weights is called, with the learning rate if there are two."""
        return title if len(self.source.rates) == 1 else f"{title}, lr {rate:g}"

    @property
    def has_loss(self) -> bool:
        return self._loss is not None

    def repeat(self, weights: Mapping[str, Array], rate: float | None) -> Repeats:
        """Run twice from the same start.

        Raises:
            CannotCompare: what comes out has hardly anything to do with one another.
        """
        self.start(weights)
        generators = Generators(self._memento.reached)
        first = self.source.see(rate)
        drew = generators.drawn()
        second = self.see(weights, rate)
        losses = None
        if self.has_loss:
            losses = as_loss(self.loss(weights)), as_loss(self.loss(weights))
        found = Repeats(first, second, losses, drew)
        found.require_near()
        return found
