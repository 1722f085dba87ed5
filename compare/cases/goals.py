"""Whether a task was learned: a matter apart from whether the two sides agree.

A goal gets the outputs in evaluation for all samples, and the targets; its words say how close to
the goal the outputs are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Goal: TypeAlias = Callable[[Array, Array], tuple[bool, str]]


def _binary(outputs: Array, targets: Array) -> tuple[bool, str]:
    right = int(np.sum((outputs > 0.5) == (targets > 0.5)))
    return right == targets.size, f"{right} of {targets.size} outputs right"


def _classes(outputs: Array, targets: Array) -> tuple[bool, str]:
    return _accuracy(outputs, targets.argmax(axis=1), 0.9)


def _class_indices(outputs: Array, targets: Array) -> tuple[bool, str]:
    return _accuracy(outputs, targets, 0.95)


def _accuracy(outputs: Array, targets: Array, least: float) -> tuple[bool, str]:
    accuracy = float(np.mean(outputs.argmax(axis=1) == targets))
    return accuracy >= least, f"training accuracy {accuracy:.2%}"


def _next_character(outputs: Array, targets: Array) -> tuple[bool, str]:
    """At most a third of what it costs to foretell each character by how often it occurs.

    Args:
        outputs: logits ``(N, V, T)``.
        targets: characters ``(N, T)``.
    """
    largest = outputs.max(axis=1, keepdims=True)
    logs = outputs - largest - np.log(np.exp(outputs - largest).sum(axis=1, keepdims=True))
    cost = -float(np.take_along_axis(logs, targets[:, None], axis=1).mean())
    shares = np.unique(targets, return_counts=True)[1] / targets.size
    by_frequency = -float((shares * np.log(shares)).sum())
    right = float(np.mean(outputs.argmax(axis=1) == targets))
    words = f"{right:.2%} of next characters right, {cost:.2g} nats each"
    return cost <= by_frequency / 3, f"{words}; by frequency alone {by_frequency:.3g}"


def _reconstruction(outputs: Array, targets: Array) -> tuple[bool, str]:
    """At most 0.3 of the error of everybody's mean for a reconstruction."""
    left = 1 - _explained(outputs, targets)
    return left <= 0.3, f"{left:.2%} of the variance lost"


def _variance_explained(outputs: Array, targets: Array) -> tuple[bool, str]:
    explained = _explained(outputs, targets)
    return explained >= 0.5, f"R² {explained:.3g}"


def _explained(outputs: Array, targets: Array) -> float:
    """R²: how much less than that of the mean the squared error is."""
    spread = float(((targets - targets.mean(axis=0)) ** 2).sum())
    return 1 - float(((outputs - targets) ** 2).sum()) / spread


def _value(outputs: Array, targets: Array) -> tuple[bool, str]:
    error = float(np.max(np.abs(outputs - targets)))
    return error <= 0.01, f"outputs within {error:.2g} of their targets"


def _none(outputs: Array, targets: Array) -> tuple[bool, str]:
    return True, "no goal"


GOALS: dict[str, Goal] = {
    "binary": _binary,
    "class indices": _class_indices,
    "classes": _classes,
    "next character": _next_character,
    "none": _none,
    "reconstruction": _reconstruction,
    "value": _value,
    "variance explained": _variance_explained,
}
