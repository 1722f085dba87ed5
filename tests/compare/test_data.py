"""The data sets that packages ship."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compare.cases.datasets import DATASETS, load
from compare.cases.registry import CASES
from compare.cases.text import numbered, windows, zen


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_rounded_and_counts_are_not(name: str, dtype: str) -> None:
    case = replace(CASES["xor"], data=name, dtype=dtype)
    data, exact = load(case), DATASETS[name]()
    assert len(data.inputs) == len(data.targets)
    for found, expected in ((data.inputs, exact.inputs), (data.targets, exact.targets)):
        floating = expected.dtype == np.float64
        assert found.dtype == (np.dtype(dtype) if floating else np.int64)
        np.testing.assert_array_equal(found, expected.astype(found.dtype))
        assert not np.shares_memory(found, expected)


def test_digits_as_images() -> None:
    images, rows = DATASETS["digit-images"](), DATASETS["digits"]()
    assert images.inputs.shape == (1797, 1, 8, 8)
    greys = np.floor(17 * images.inputs.reshape(1797, 64))
    np.testing.assert_array_equal(greys, 16 * rows.inputs)
    assert len(np.unique(images.inputs)) == images.inputs.size
    assert 0 < images.inputs.min() < images.inputs.max() < 1
    np.testing.assert_array_equal(images.targets, rows.targets.argmax(axis=1))


def test_digits_are_their_own_targets() -> None:
    pixels, rows = DATASETS["digit-pixels"](), DATASETS["digits"]()
    np.testing.assert_array_equal(pixels.inputs, rows.inputs)
    np.testing.assert_array_equal(pixels.targets, rows.inputs)


def test_characters() -> None:
    data = DATASETS["characters"]()
    assert data.inputs.shape == data.targets.shape == (103, 32)
    np.testing.assert_array_equal(data.inputs[:, 1:], data.targets[:, :-1])
    np.testing.assert_array_equal(data.inputs[1:, :24], data.inputs[:-1, 8:])
    left_out = sorted(set(zen())).index("!")  # the last character, after the last whole piece
    assert {*np.unique([data.inputs, data.targets])} == {*range(45)} - {left_out}


def test_zen(capsys: pytest.CaptureFixture[str]) -> None:
    text = zen()
    assert len(text) == 856
    assert text.startswith("The Zen of Python, by Tim Peters\n\nBeautiful is better than ugly.")
    assert capsys.readouterr().out == ""


def test_windows() -> None:
    tokens = numbered("abcab")
    np.testing.assert_array_equal(tokens, [0, 1, 2, 0, 1])
    inputs, targets = windows(tokens, length=2, stride=2)
    np.testing.assert_array_equal(inputs, [[0, 1], [2, 0]])
    np.testing.assert_array_equal(targets, [[1, 2], [0, 1]])


def test_diabetes() -> None:
    data = DATASETS["diabetes"]()
    assert data.inputs.shape == (442, 10)
    assert data.targets.shape == (442, 1)
    for array in (data.inputs, data.targets):
        np.testing.assert_allclose(array.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(array.std(axis=0), 1, rtol=1e-12)
