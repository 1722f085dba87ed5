"""The verdict on what was measured: what failed, and what could have."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from compare.base.quantities import gradient
from compare.measure.metrics import Difference, Metrics


class Verdict(Enum):
    """What came out; the values are the exit codes."""

    AGREE = 0
    DISAGREE = 1
    NOTHING = 4


@dataclass(frozen=True)
class Failure:
    """A quantity on which the two sides differ by more than is allowed.

    Attributes:
        check: ``lockstep`` or ``free run``.
        quantity: its name.
        epoch: when it was first seen to differ; 0 where there are no epochs.
        difference: the numbers; None where there was nothing to compare.
        allowed: the largest difference that would have passed, at that entry.
        metrics: all that was measured of the quantity.
        reason: why there was nothing to compare.
    """

    check: str
    quantity: str
    epoch: int
    difference: Difference | None
    allowed: float
    metrics: Metrics
    reason: str | None = None

    def __str__(self) -> str:
        when = f", epoch {self.epoch}" if self.epoch else ""
        where = f"{self.check}{when}: {self.quantity}"
        if self.difference is None:
            return f"{where}: {self.reason}"
        worst = self.difference
        index = list(worst.index) if worst.index else ""
        actual, expected = _apart(worst.actual, worst.expected)
        allowed = f"allowed is {self.allowed:.2g}"
        if not 0 <= self.allowed < math.inf:
            allowed = "what is allowed could not be computed"
        return (
            f"{where}{index} = {actual}, but should be {expected}; they differ "
            f"by {worst.error:.2g}, {allowed} "
            f"({_mismatch(worst)})"
        )


def _mismatch(difference: Difference) -> str:
    """How much of the tensor differs by more than is allowed, in the words of torch.testing."""
    share = difference.beyond / difference.size
    told = f"mismatched elements: {difference.beyond} of {difference.size}, {share:.1%}"
    if difference.relative is None:
        return told
    return f"{told}; greatest relative difference: {difference.relative:.2g}"


def _apart(actual: float, expected: float) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to tell them apart."""
    if f"{actual:.9g}" != f"{expected:.9g}":
        return f"{actual:.9g}", f"{expected:.9g}"
    return f"{actual:.17g}", f"{expected:.17g}"


def is_gradient(metrics: Metrics) -> bool:
    """Whether the quantity is the gradient of a parameter, or the one at the input."""
    return metrics.quantity.startswith(gradient(""))


def unjudged(several: Iterable[Metrics]) -> tuple[str, ...]:
    """The names of quantities of which it could not always be computed what is allowed."""
    return tuple(dict.fromkeys(metrics.quantity for metrics in several if metrics.unjudged))


def verdict_of(failed: bool, every: Iterable[Metrics], needed: Iterable[Metrics]) -> Verdict:
    """Disagree on any failure; agree only on what could have failed, all of which was judged.

    Args:
        failed: whether anything failed.
        every: all that was measured; nothing of it may be unjudged.
        needed: at least one of these must have been compared so that it could have failed.
    """
    if failed:
        return Verdict.DISAGREE
    if unjudged(every) or not any(metrics.decided for metrics in needed):
        return Verdict.NOTHING
    return Verdict.AGREE


def judge(check: str, metrics: Metrics, multiple: float) -> Failure | None:
    """The first failure of one quantity, if so many units are allowed."""
    if metrics.structure is not None:
        epoch, reason = metrics.structure_epoch, metrics.structure
        return Failure(check, metrics.quantity, epoch, None, 0.0, metrics, reason)
    beyond = metrics.first_beyond(multiple)
    if beyond is None:
        return None
    allowed = multiple * beyond.unit
    return Failure(check, metrics.quantity, beyond.epoch, beyond, allowed, metrics)
