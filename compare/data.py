"""Data sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from compare.cases import Case
from compare.errors import CannotCompare

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Dataset:
    """Inputs ``(N, in)`` and targets ``(N, out)``, in float64."""

    inputs: Array
    targets: Array


def _xor() -> Dataset:
    rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float64)
    return Dataset(rows, rows.sum(axis=1, keepdims=True) % 2)


def _line() -> Dataset:
    return Dataset(np.array([[5.0]]), np.array([[21.0]]))


@cache
def _digits() -> Dataset:
    """Grey values from 0 to 1; targets are 1 for the digit shown and 0 for the other nine."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise CannotCompare(
            "the digits come with scikit-learn, which is not installed; "
            "install it with: pip install -c constraints.txt -e '.[data]'"
        ) from error
    bunch = load_digits()
    return Dataset(bunch.data / 16.0, np.eye(10)[bunch.target])


DATASETS: dict[str, Callable[[], Dataset]] = {"digits": _digits, "line": _line, "xor": _xor}


def load(case: Case) -> Dataset:
    """The case's data, rounded to its dtype.

    Raises:
        CannotCompare: the package that ships the data is not installed.
    """
    data = DATASETS[case.data]()
    return Dataset(data.inputs.astype(case.dtype), data.targets.astype(case.dtype))
