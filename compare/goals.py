"""Whether a task was learned: a matter apart from whether the two sides agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def _binary(outputs: Array, targets: Array) -> tuple[bool, str]:
    right = int(np.sum((outputs > 0.5) == (targets > 0.5)))
    return right == targets.size, f"{right} of {targets.size} outputs right"


def _classes(outputs: Array, targets: Array) -> tuple[bool, str]:
    accuracy = float(np.mean(outputs.argmax(axis=1) == targets.argmax(axis=1)))
    return accuracy >= 0.9, f"training accuracy {accuracy:.2%}"


def _value(outputs: Array, targets: Array) -> tuple[bool, str]:
    error = float(np.max(np.abs(outputs - targets)))
    return error <= 0.01, f"outputs within {error:.2g} of their targets"


def _none(outputs: Array, targets: Array) -> tuple[bool, str]:
    return True, "no goal"


GOALS: dict[str, Callable[[Array, Array], tuple[bool, str]]] = {
    "binary": _binary,
    "classes": _classes,
    "none": _none,
    "value": _value,
}
