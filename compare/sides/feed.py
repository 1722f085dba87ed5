"""The order in which samples are shown, the same to both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import Array
from compare.cases import datasets
from compare.cases.case import LOSSES, Case
from compare.sides.side import Side


class Feed:
    """A case's data, shuffled anew each epoch and cut into batches, a last partial one included.

    Args:
        case: its seed fixes the order.
        dataset: the data; None is the case's own.
        summed: whether the loss of a batch is a sum, not a mean; None asks the case.

    Raises:
        CannotCompare: the data cannot be had, or are not finite.
    """

    def __init__(
        self, case: Case, dataset: datasets.Dataset | None = None, summed: bool | None = None
    ) -> None:
        dataset = dataset or datasets.load(case)
        self.inputs = dataset.inputs
        self.targets = dataset.targets
        samples = len(self.inputs)
        size = min(case.batch_size or samples, samples)
        self.parts = [slice(start, min(start + size, samples)) for start in range(0, samples, size)]
        for what, array in (("inputs", self.inputs), ("targets", self.targets)):
            if not np.isfinite(array).all():
                place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
                raise CannotCompare(
                    f"the data cannot be used: {what}{place} is {array[tuple(place)]}, but all "
                    f"should be finite"
                )
        self._kept: dict[tuple[str, int], Any] = {}
        self._seed = case.seed
        self._summed = LOSSES[case.loss] == "sum" if summed is None else summed

    def epoch(self, number: int) -> tuple[Array, Array]:
        """Inputs and targets in the order of one epoch; a full batch keeps its order."""
        if len(self.parts) == 1:
            return self.inputs, self.targets
        order = np.random.default_rng((self._seed, number)).permutation(len(self.inputs))
        return self.inputs[order], self.targets[order]

    def batches(self, number: int, *sides: Side) -> Iterator[list[tuple[Any, Any]]]:
        """One epoch's batches of inputs and targets, as each side's own kind of data."""
        shuffled = self.epoch(number)
        whole = [[self._loaded(side, array) for array in shuffled] for side in sides]
        for part in self.parts:
            yield [(x[part], target[part]) for x, target in whole]

    def _loaded(self, side: Side, array: Array) -> Any:
        """The array as the side's own kind of data; what stays the same is loaded but once."""
        if len(self.parts) > 1:
            return side.load(array)
        key = (side.name, id(array))
        if key not in self._kept:
            self._kept[key] = side.load(array)
        return self._kept[key]

    def loss(self, losses: Sequence[float] | Sequence[Array]) -> Array:
        """The losses of an epoch's batches as one, in which each sample counts alike."""
        each = np.asarray(losses)
        if len(each) == 1:
            return np.asarray(each[0])
        if self._summed:
            return np.asarray(each.sum(axis=0))
        sizes = [part.stop - part.start for part in self.parts]
        return np.asarray(np.average(each, axis=0, weights=sizes))
