"""What is known of the set-up in which two sides disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compare.base.quantities import Array


@dataclass(frozen=True)
class Other:
    """The same quantities, observed a second time.

    Attributes:
        actual: the numbers in question, by parameter.
        expected: PyTorch's.
        allowed: the largest allowed difference, of each entry or of all.
        lr: the learning rate, if it is known.
        step: which step it was, counted from 1, if it is known.
    """

    actual: Mapping[str, Array]
    expected: Mapping[str, Array]
    allowed: Mapping[str, Array]
    lr: float | None = None
    step: int | None = None


@dataclass(frozen=True)
class Facts:
    """What may be known of the set-up; what is None is not known, and no cause needs it.

    Attributes:
        batch_size: the number of samples whose loss was differentiated.
        outputs: how many numbers the network gives for each sample.
        lr: the learning rate of this step.
        step: which step this is, counted from 1.
        weights: the parameters at which the gradients were taken.
        other: a second observation. At another learning rate and otherwise the same, it shows
            whether the difference depends on it; the step before this one, with the same
            learning rate or another, shows what is carried from step to step.
        units: along which axis of each matrix its units lie; the first, as in PyTorch, for others.
    """

    batch_size: int | None = None
    outputs: int | None = None
    lr: float | None = None
    step: int | None = None
    weights: Mapping[str, Array] | None = None
    other: Other | None = None
    units: Mapping[str, int] = field(default_factory=dict)
