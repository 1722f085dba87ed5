"""How long forward and backward take, as a ratio to PyTorch: ``python -m benchmarks.layers``.

Both sides compute the same in float32, on one thread each: from the same input and the same random
gradient at the output, PyTorch in eager mode, the output, the gradient of every parameter and at
the input. No loss and no update rule is in it. Exit code 1 if a ratio is above its limit.
"""

# ruff: noqa: I001 (NumPy and PyTorch read the number of threads once, when they are loaded)

from __future__ import annotations

import benchmarks.one_thread  # noqa: F401

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import reference
from benchmarks.timing import Ratio, medians, show

ROUNDS = 100


@dataclass(frozen=True)
class Measure:
    """One row: a layer on both sides, the shape of its input, and the ratio that is allowed."""

    name: str
    theirs: nn.Module
    ours: reference.Module
    shape: tuple[int, ...]
    limit: float | None = None


MEASURES = [
    Measure(
        "Conv2d 16→32, 3×3, 28×28, batch 32",
        nn.Conv2d(16, 32, 3, padding=1),
        reference.Conv2d(16, 32, 3, padding=1),
        (32, 16, 28, 28),
        limit=4,
    ),
    Measure(
        "64-128-10, sigmoid, batch 256",
        nn.Sequential(nn.Linear(64, 128), nn.Sigmoid(), nn.Linear(128, 10)),
        reference.Sequential(
            reference.Linear(64, 128), reference.Sigmoid(), reference.Linear(128, 10)
        ),
        (256, 64),
        limit=1,
    ),
    Measure(
        "MaxPool2d 2, 16 channels, 28×28, batch 32",
        nn.MaxPool2d(2),
        reference.MaxPool2d(2),
        (32, 16, 28, 28),
    ),
    Measure(
        "BatchNorm2d, 16 channels, 28×28, batch 32",
        nn.BatchNorm2d(16),
        reference.BatchNorm2d(16),
        (32, 16, 28, 28),
    ),
    Measure(
        "LayerNorm 128, batch 16×64", nn.LayerNorm(128), reference.LayerNorm(128), (16, 64, 128)
    ),
]


def passes(measure: Measure) -> tuple[Callable[[], None], Callable[[], None]]:
    """One pass forward and back of PyTorch, and one of the reference, on the same numbers."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(measure.shape).astype(np.float32)
    state = {name: value.detach().numpy() for name, value in measure.theirs.state_dict().items()}
    params = {name: value.copy() for name, value in state.items()}
    inputs = torch.tensor(x, requires_grad=True)
    y = measure.theirs(inputs)
    dy = rng.standard_normal(tuple(y.shape)).astype(np.float32)
    upstream = torch.tensor(dy)

    def theirs() -> None:
        measure.theirs.zero_grad()
        inputs.grad = None
        measure.theirs(inputs).backward(upstream)

    def ours() -> None:
        _, cache = measure.ours.forward(params, x)
        measure.ours.backward(params, cache, dy)

    return theirs, ours


def ratio(measure: Measure) -> Ratio:
    """Time both sides."""
    theirs, ours = medians(*passes(measure), rounds=ROUNDS, warm_up=5)
    return Ratio(measure.name, ours, theirs, measure.limit)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(show("forward + backward of the reference and of PyTorch", map(ratio, MEASURES)))
