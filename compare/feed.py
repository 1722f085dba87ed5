"""The order in which samples are shown, the same to both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compare import data
from compare.cases import LOSSES, Case
from compare.observation import Array


class Feed:
    """A case's data, shuffled anew each epoch and cut into batches, a last partial one included.

    Args:
        case: its seed fixes the order.
        dataset: the data; None is the case's own.

    Raises:
        CannotCompare: the data cannot be had.
    """

    def __init__(self, case: Case, dataset: data.Dataset | None = None) -> None:
        dataset = dataset or data.load(case)
        self.inputs = dataset.inputs
        self.targets = dataset.targets
        samples = len(self.inputs)
        size = min(case.batch_size or samples, samples)
        self.parts = [slice(start, min(start + size, samples)) for start in range(0, samples, size)]
        self._seed = case.seed
        self._summed = LOSSES[case.loss] == "sum"

    def epoch(self, number: int) -> tuple[Array, Array]:
        """Inputs and targets in the order of one epoch; a full batch keeps its order."""
        if len(self.parts) == 1:
            return self.inputs, self.targets
        order = np.random.default_rng((self._seed, number)).permutation(len(self.inputs))
        return self.inputs[order], self.targets[order]

    def loss(self, losses: Sequence[float] | Sequence[Array]) -> Array:
        """The losses of an epoch's batches as one, in which each sample counts alike."""
        each = np.asarray(losses)
        if len(each) == 1:
            return each[0]
        if self._summed:
            return np.asarray(each.sum(axis=0))
        sizes = [part.stop - part.start for part in self.parts]
        return np.asarray(np.average(each, axis=0, weights=sizes))
