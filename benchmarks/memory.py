"""The peak memory of convolution, forward and backward: ``python -m benchmarks.memory``.

NumPy tells tracemalloc of every array, so what is measured does not depend on the machine. The
columns that the input is laid out in are stated apart: they are what the method itself needs. Exit
code 1 if the rest is above its limit.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

import reference
from reference.layers.convolution import Convolution

#: How many times the output's size is allowed beside the columns.
LIMIT = 12


@dataclass(frozen=True)
class Memory:
    """What one pass forward and backward needs, in bytes.

    Attributes:
        peak: at the worst moment, beside input, parameters and upstream gradient.
        columns: of the input, laid out.
        output: of the output.
    """

    peak: int
    columns: int
    output: int

    @property
    def rest(self) -> float:
        """The peak without the columns, in outputs."""
        return (self.peak - self.columns) / self.output


def measure(layer: Convolution, shape: tuple[int, ...]) -> Memory:
    """Measure one pass in float32, all gradients included."""
    rng = np.random.default_rng(0)
    params = {name: value.astype(np.float32) for name, value in layer.init(rng).items()}
    x = rng.standard_normal(shape).astype(np.float32)
    y, cache = layer.forward(params, x)
    columns = cache[0].nbytes
    dy = rng.standard_normal(y.shape).astype(np.float32)
    del cache

    def run() -> None:
        _, cache = layer.forward(params, x)
        layer.backward(params, cache, dy)

    return Memory(peak(run), columns, y.nbytes)


def peak(run: Callable[[], object]) -> int:
    """The most bytes that are held at once while it runs, beyond those before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def main() -> int:
    """Print the table; give the exit code."""
    layers = {
        "Conv2d 16→32, 3×3, 28×28, batch 32": (
            reference.Conv2d(16, 32, 3, padding=1),
            (32, 16, 28, 28),
        ),
        "Conv2d 16→32, 5×5, stride 2": (reference.Conv2d(16, 32, 5, 2, 2), (32, 16, 28, 28)),
        "Conv1d 16→32, 3, 784, batch 32": (reference.Conv1d(16, 32, 3, padding=1), (32, 16, 784)),
    }
    table = Table("forward + backward", "peak", "columns", "output", "rest / output", "limit")
    over = 0
    for name, (layer, shape) in layers.items():
        one = measure(layer, shape)
        over += not one.rest <= LIMIT
        sizes = (f"{size / 1e6:.1f} MB" for size in (one.peak, one.columns, one.output))
        table.add_row(name, *sizes, f"{one.rest:.1f}", str(LIMIT))
    Console().print(table)
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
