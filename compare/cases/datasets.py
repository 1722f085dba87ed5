"""Data sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from compare.base.errors import CannotCompare
from compare.cases.registry import Case
from compare.cases.text import numbered, windows, zen
from compare.process.loading import install

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Dataset:
    """Inputs and targets, a sample to each entry of the first axis.

    Most are ``(N, in)`` and ``(N, out)`` in float64. What is counted, such as classes and
    characters, is int64.
    """

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
    pixels, digits = _sklearn("digits")
    return Dataset(pixels / 16.0, np.eye(10)[digits])


@cache
def _digit_images() -> Dataset:
    """The digits as images ``(N, 1, 8, 8)``; targets are the digits shown, ``(N,)``.

    A grey value from 0 to 16 stands for all brightness that was rounded to it, so each is moved to
    a place of its own within its step. Else the empty parts of an image would all be the same,
    and a max-pool would have several maxima that differ by rounding alone, or not at all.

    Source:
        Uniform dequantisation: Theis, van den Oord and Bethge, A note on the evaluation of
        generative models, https://arxiv.org/abs/1511.01844, section 3.1.
    """
    pixels, digits = _sklearn("digits")
    within = np.random.default_rng(0).random(pixels.shape)
    return Dataset(
        ((pixels + within) / 17.0).reshape(-1, *SHAPES["digit-images"]), digits.astype(np.int64)
    )


@cache
def _digit_pixels() -> Dataset:
    """The digits' grey values, ``(N, 64)``, as inputs and as targets, for an autoencoder."""
    pixels, _ = _sklearn("digits")
    return Dataset(pixels / 16.0, pixels / 16.0)


@cache
def _characters() -> Dataset:
    """Pieces of 32 characters of the Zen of Python; targets are the next characters."""
    return Dataset(*windows(numbered(zen()), length=32, stride=8))


@cache
def _diabetes() -> Dataset:
    """Ten measurements of 442 patients, and how the disease went on; mean 0 and variance 1."""
    measured, progress = _sklearn("diabetes")
    return Dataset(_standardised(measured), _standardised(progress[:, None]))


def _standardised(columns: Array) -> Array:
    """Each column with mean 0 and variance 1."""
    result: Array = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return result


def _sklearn(name: str) -> tuple[Array, Array]:
    """Data and target of a data set that scikit-learn ships.

    Raises:
        CannotCompare: it is not installed.
    """
    try:
        import sklearn.datasets
    except ImportError as error:
        raise CannotCompare(
            f"the {name} come with scikit-learn, which is not installed; "
            f"install it with: {install('data')}"
        ) from error
    bunch = getattr(sklearn.datasets, f"load_{name}")()
    return bunch.data, bunch.target


#: Shapes of samples that are more than a row of numbers.
SHAPES = {"digit-images": (1, 8, 8)}

DATASETS: dict[str, Callable[[], Dataset]] = {
    "characters": _characters,
    "diabetes": _diabetes,
    "digit-pixels": _digit_pixels,
    "digit-images": _digit_images,
    "digits": _digits,
    "line": _line,
    "xor": _xor,
}


def load(case: Case) -> Dataset:
    """The case's data, rounded to its dtype; whole numbers stay what they are.

    Raises:
        CannotCompare: the package that ships the data is not installed.
    """
    data = DATASETS[case.data]()
    return Dataset(_rounded(data.inputs, case.dtype), _rounded(data.targets, case.dtype))


def _rounded(array: Array, dtype: str) -> Array:
    return array.astype(dtype) if array.dtype.kind == "f" else array.copy()
