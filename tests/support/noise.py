"""A case on which faults show: layers not square, batches of 3, 3 and 1, random inputs and targets.

Every fault's condition is met: more than one sample and more than one unit, biases that are not 0,
a learning rate that is not 1, negative inputs, a last partial batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compare import CASES, Case
from compare.cases.datasets import DATASETS, Dataset

SAMPLES = 7

SIZES = (3, 4, 2)


def dataset(samples: int = SAMPLES) -> Dataset:
    rng = np.random.default_rng(1)
    return Dataset(rng.normal(size=(samples, SIZES[0])), rng.random((samples, SIZES[-1])))


def noise_case(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Case:
    """The case, with its data where cases find theirs."""
    monkeypatch.setitem(DATASETS, "noise", dataset)
    case = replace(
        CASES["xor"],
        name="noise",
        data="noise",
        arguments={"sizes": SIZES, "activation": "tanh"},
        init="default",
        lr=0.3,
        batch_size=3,
        epochs=3,
    )
    return replace(case, **changes)
