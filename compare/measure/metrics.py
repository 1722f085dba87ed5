"""What was measured, kept apart from what is allowed, so that it can be judged again."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """The entry of one quantity at which the two sides differ most, in units of its tolerance.

    Attributes:
        epoch: when, counted from 1.
        index: where in the tensor; empty for a scalar.
        actual: the reference's number.
        expected: PyTorch's number.
        unit: the unit of the tolerance there.
        beyond: how many entries of the tensor differed by more than the run's tolerance.
        size: of how many; a batch that is not full has fewer than the others.
        relative: the greatest |actual − expected| / |expected| of those entries; None if there are
            none.
    """

    epoch: int
    index: tuple[int, ...]
    actual: float
    expected: float
    unit: float
    beyond: int = 0
    size: int = 1
    relative: float | None = None

    @property
    def error(self) -> float:
        """|actual − expected|, 0 between equal infinities; not finite if only one of them is."""
        return 0.0 if self.actual == self.expected else abs(self.actual - self.expected)

    @property
    def ratio(self) -> float:
        """The error in units of the tolerance, see :func:`ratio`."""
        return ratio(self.error, self.unit)


def ratio(error: float, unit: float) -> float:
    """An error in units of the tolerance; infinite if the two are not finite numbers of 0 or more.

    No error at all is 0 of any unit.
    """
    if error == 0:
        return 0.0
    return error / unit if error < math.inf and 0 < unit < math.inf else math.inf


@dataclass(frozen=True)
class Metrics:
    """All comparisons of one quantity.

    Attributes:
        quantity: its name, see :mod:`compare.base.quantities`.
        shape: of the tensor when it was last compared.
        checks: how many times it was compared.
        vacuous: how many of those a tensor of zeros, a permuted one or one scaled by 1.05 would
            have passed as well.
        detectable: the median over all checks of the smallest relative change of the whole tensor
            that would have failed.
        records: each difference that was larger, in units, than all before it; the last is
            the largest of all, and the first beyond a limit is the first beyond it.
        structure: why the tensors could not be compared at all, if they could not.
        structure_epoch: when that was.
        unjudged: how many of the checks had entries of which it is not known what is allowed, as
            that is not a finite number; they are vacuous, too.
    """

    quantity: str
    shape: tuple[int, ...]
    checks: int
    vacuous: int
    detectable: float
    records: tuple[Difference, ...]
    structure: str | None = None
    structure_epoch: int = 0
    unjudged: int = 0

    @property
    def worst(self) -> Difference | None:
        """The largest difference, in units; None if nothing was compared."""
        return self.records[-1] if self.records else None

    @property
    def decided(self) -> bool:
        """Whether at least one comparison could have failed on a wrong tensor."""
        return self.checks > self.vacuous

    def first_beyond(self, multiple: float) -> Difference | None:
        """The first difference of more than ``multiple`` units."""
        return next((record for record in self.records if not record.ratio <= multiple), None)
