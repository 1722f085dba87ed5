"""What one training step shows of itself, in the order in which it is computed.

Both sides name their quantities alike: ``activation 1`` is the output of layer 1, ``gradient at
1`` the gradient of the loss there, ``gradient 0.weight`` that of a parameter, ``clipped 0.weight``
the same after clipping, ``state …`` what the optimizer remembers and ``parameter …`` a parameter
after the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Observation: TypeAlias = dict[str, Array]
OptimizerState: TypeAlias = Mapping[str, Mapping[str, Array]]

LOSS = "loss"
NORM = "norm of gradients"
RATES = "learning rate"
AT_INPUT = "gradient at input"


def activation(path: str) -> str:
    """Name of the output of the layer at ``path``."""
    return f"activation {path}"


def gradient_at(path: str) -> str:
    """Name of the gradient of the loss with respect to the output of the layer at ``path``."""
    return f"gradient at {path}"


def gradient(parameter: str) -> str:
    """Name of the gradient of the loss with respect to a parameter."""
    return f"gradient {parameter}"


def clipped(parameter: str) -> str:
    """Name of the gradient of a parameter after clipping."""
    return f"clipped {parameter}"


def state(parameter: str, name: str) -> str:
    """Name of one thing that the optimizer remembers of a parameter, after the step."""
    return f"state {parameter}.{name}"


def parameter(name: str) -> str:
    """Name of a parameter after the step."""
    return f"parameter {name}"


def buffer(name: str) -> str:
    """Name of a buffer after the step."""
    return f"buffer {name}"


@dataclass(frozen=True)
class Snapshot:
    """Copies of all that a training step starts from.

    Attributes:
        weights: the parameters, by name.
        state: what the optimizer remembers, by parameter and then by its own names.
        buffers: what is not learned, such as running statistics, by name.
    """

    weights: Mapping[str, Array]
    state: OptimizerState
    buffers: Mapping[str, Array] = field(default_factory=dict)
