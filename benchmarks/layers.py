"""How long forward and backward take, as a ratio to PyTorch: ``python benchmarks/layers.py``.

Both sides compute the same pass in float32, on one thread each, turn by turn, so that whatever
else the machine does slows both of them alike. The ratio is that of the medians. Exit code 1 if a
ratio is above its limit.
"""

# ruff: noqa: E402 (NumPy and PyTorch read the number of threads once, when they are loaded)

from __future__ import annotations

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

import reference

REPETITIONS = 30


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


def medians(*functions: Callable[[], Any]) -> list[float]:
    """Milliseconds that each function takes, run in turn."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(REPETITIONS):
        for function, taken in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            taken.append(1000 * (time.perf_counter() - start))
    return [statistics.median(taken[REPETITIONS // 5 :]) for taken in times]


def main() -> int:
    """Print the table; give the exit code."""
    torch.set_num_threads(1)
    table = Table("forward + backward", "PyTorch", "reference", "ratio", "limit")
    over = 0
    for measure in MEASURES:
        theirs, ours = medians(*passes(measure))
        ratio = ours / theirs
        over += measure.limit is not None and not ratio <= measure.limit
        limit = "" if measure.limit is None else f"{measure.limit:g}"
        table.add_row(measure.name, f"{theirs:.2f} ms", f"{ours:.2f} ms", f"{ratio:.2f}", limit)
    Console().print(table)
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
