from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
from tests.support.layer_checks import assert_same, normal


@pytest.mark.parametrize("output_size", [1, 3, (2, 5), (None, 2), (4, None), (9, 11), (None, None)])
@pytest.mark.parametrize("shape", [(2, 3, 6, 7), (1, 1, 9, 4), (3, 5, 8)])
def test_adaptive_average(shape: tuple[int, ...], output_size: Any) -> None:
    assert_same("AdaptiveAvgPool2d", normal(*shape), output_size=output_size)


@pytest.mark.parametrize("output_size", [0, (2, 3, 4), (2, -1), 1.5, None])
def test_bad_options(output_size: Any) -> None:
    with pytest.raises(ValueError, match=r"^AdaptiveAvgPool2d: output_size is"):
        reference.AdaptiveAvgPool2d(output_size)


@pytest.mark.parametrize("shape", [(5, 5), (1, 1, 1, 5, 5), (1, 2, 0, 5)])
def test_bad_input(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^AdaptiveAvgPool2d: the input's shape is"):
        reference.AdaptiveAvgPool2d(2).forward({}, np.zeros(shape))
