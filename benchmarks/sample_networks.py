"""Random networks without a fault, as different from each other as networks are.

Widths 1 to 1024, depths 1 to 8, batches 1 to 512, weights from tiny to saturating, inputs from 1e-3
to 1e3, learning rates from 1e-4 to far beyond stable. Most train for up to 20 steps, some small
ones for 600.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from compare.cases.datasets import Dataset
from compare.cases.registry import ACTIVATIONS, Case

Array = npt.NDArray[Any]

#: Multiplications per step that a sample may take, so that none takes seconds.
WORK = 4e6

#: Steps that a sample may train.
STEPS = 20

#: Every so many samples one trains for long, with so many steps, if a step of it is little work.
LONG_EVERY = 20
LONG_STEPS = 600
LITTLE = 1e5


@dataclass(frozen=True)
class Sample:
    """A case with weights and data of its own.

    Attributes:
        case: network, loss, learning rate and dtype.
        weights: the first weights.
        dataset: inputs and targets.
    """

    case: Case
    weights: dict[str, Array]
    dataset: Dataset


def draw(seed: int) -> Sample:
    """The random network of that seed."""
    rng = np.random.default_rng((seed, 0))
    sizes, samples = _shape(rng)
    long = seed % LONG_EVERY == 1 and _work(sizes, samples) <= LITTLE
    batches = int(rng.integers(1, 9)) if rng.random() < 0.5 else 1
    case = Case(
        name=f"sample-{seed}",
        summary="",
        network="MLP",
        arguments={
            "sizes": sizes,
            "activation": str(rng.choice(ACTIVATIONS)),
            "output_activation": str(rng.choice(ACTIVATIONS)),
        },
        loss=str(rng.choice(["HalfSquaredErrorLoss", "MSELoss"])),
        lr=_log_uniform(rng, 1e-4, 10),
        data="",
        goal="none",
        epochs=LONG_STEPS // batches if long else int(rng.integers(2, 2 + STEPS // batches)),
        batch_size=math.ceil(samples / batches),
        dtype=str(rng.choice(["float32", "float64"])),
        seed=seed,
    )
    weights = _weights(rng, case)
    inputs, targets = _data(rng, samples, sizes[0], sizes[-1])
    return Sample(case, weights, Dataset(inputs.astype(case.dtype), targets.astype(case.dtype)))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


def _shape(rng: np.random.Generator) -> tuple[tuple[int, ...], int]:
    """Widths and batch size, drawn again until the network is not too much work."""
    while True:
        depth = int(rng.integers(1, 9))
        sizes = tuple(round(_log_uniform(rng, 1, 1024)) for _ in range(depth + 1))
        samples = round(_log_uniform(rng, 1, 512))
        if _work(sizes, samples) <= WORK:
            return sizes, samples


def _work(sizes: tuple[int, ...], samples: int) -> int:
    """Multiplications of one step forward."""
    return samples * sum(a * b for a, b in pairwise(sizes))


def _weights(rng: np.random.Generator, case: Case) -> dict[str, Array]:
    """From tiny to saturating: PyTorch's default times 1e-4 to 100, or the tutorial's [0, 1)."""
    from compare.sides.reference_side import network_of

    network = network_of(case)
    if rng.random() < 0.1:
        drawn = {name: rng.random(shape) for name, shape in network.parameter_shapes().items()}
    else:
        gain = _log_uniform(rng, 1e-4, 1) if rng.random() < 0.3 else _log_uniform(rng, 0.3, 100)
        drawn = {name: gain * value for name, value in network.init(rng).items()}
    return {name: value.astype(case.dtype) for name, value in drawn.items()}


def _data(rng: np.random.Generator, samples: int, inputs: int, outputs: int) -> tuple[Array, Array]:
    """Inputs from 1e-3 to 1e3, some columns constant, some entries exactly zero."""
    x = rng.normal(size=(samples, inputs)) * _log_uniform(rng, 1e-3, 1e3)
    kind = rng.random()
    if kind < 0.15:
        x = np.abs(x)
    elif kind < 0.3:
        x = np.sort(x, axis=0)
    if rng.random() < 0.3:
        constant = rng.random(inputs) < 0.3
        x[:, constant] = x[0, constant]
    if rng.random() < 0.3:
        x[rng.random(x.shape) < rng.random()] = 0
    if rng.random() < 0.2:
        x[rng.integers(samples, size=samples // 2)] = x[0]
    classes = rng.integers(outputs, size=samples)
    one_hot = np.eye(outputs)[classes]
    targets = one_hot if rng.random() < 0.5 else rng.normal(size=one_hot.shape)
    return x, targets
