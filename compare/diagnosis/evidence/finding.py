"""What was found of one tensor by itself, and how findings of several become one cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence.gradient import ENOUGH, Gradient, digits, remaining
from compare.results.cause import Cause, listed


@dataclass(frozen=True)
class Finding:
    """One tensor, and what makes PyTorch's gradient of it into the actual one.

    Attributes:
        tensor: the parameter.
        name: of the cause, in a few words.
        told: what the actual gradient is, for a sentence.
        remedy: what to change.
        match: see :class:`Cause`.
    """

    tensor: str
    name: str
    told: str
    remedy: str
    match: float


def merged(findings: Iterable[Finding]) -> list[Cause]:
    """One cause for all tensors of which the same was found."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one.name, one.told, one.remedy), []).append(one)
    return [
        Cause(
            name,
            f"{listed([one.tensor for one in group])}: {told}",
            remedy,
            max(one.match for one in group),
            tuple(one.tensor for one in group),
        )
        for (name, told, remedy), group in groups.items()
    ]


def explains(gradient: Gradient, predicted: Array, allowed: Array, price: float = 0.0) -> float:
    """How well a prediction matches the actual gradient; infinite if it says no more than it costs.

    Args:
        gradient: both sides.
        predicted: what the actual gradient would be.
        allowed: how far the prediction may be off, entry by entry.
        price: the decimal logarithm of how many predictions of the kind were tried.
    """
    if predicted.shape != gradient.actual.shape:
        return np.inf
    if gradient.same_shape:
        allowed = np.maximum(allowed, gradient.allowed)
    worth = digits(gradient.unexplained, allowed)
    match = remaining(gradient.actual, predicted, allowed)
    return match if worth.sum() - price >= ENOUGH else np.inf
