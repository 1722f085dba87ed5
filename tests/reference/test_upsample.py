from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
from tests.support.layer_checks import assert_same, normal

FACTORS = [2, 3.0, 1.7, (2.5, 1.3), (1, 4), (0.5, 0.9)]
SIZES = [7, (10, 14), (11, 3), (1, 1), (5, 7), (1, 9)]


@pytest.mark.parametrize("align_corners", [True, False, None])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 1, 4, 1), (1, 2, 1, 6)])
def test_bilinear_to_size(shape: tuple[int, ...], size: Any, align_corners: bool | None) -> None:
    x = normal(*shape)
    assert_same("Upsample", x, size=size, mode="bilinear", align_corners=align_corners)


@pytest.mark.parametrize("recompute", [None, True])
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("factor", FACTORS)
def test_bilinear_by_factor(factor: Any, align_corners: bool, recompute: bool | None) -> None:
    assert_same(
        "Upsample",
        normal(2, 3, 5, 7),
        scale_factor=factor,
        mode="bilinear",
        align_corners=align_corners,
        recompute_scale_factor=recompute,
    )


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [1, 4, 7, 13])
def test_linear(size: int, align_corners: bool) -> None:
    options: dict[str, Any] = {"mode": "linear", "align_corners": align_corners}
    assert_same("Upsample", normal(2, 3, 7), size=size, **options)


@pytest.mark.parametrize("size", SIZES)
def test_nearest_to_size(size: Any) -> None:
    assert_same("Upsample", normal(2, 3, 5, 7), size=size)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("recompute", [None, True])
def test_nearest_by_factor(factor: Any, recompute: bool | None) -> None:
    x = normal(2, 3, 5, 7)
    assert_same("Upsample", x, scale_factor=factor, recompute_scale_factor=recompute)


@pytest.mark.parametrize("factor", [1.1, 1.4, 2.3, (2.4, 1.2)])
def test_nearest_where_the_size_stays_or_doubles(factor: Any) -> None:
    """PyTorch then ignores the factor; in its pass forward along one axis alone it does not."""
    assert_same("Upsample", normal(2, 3, 2, 2), scale_factor=factor)


@pytest.mark.parametrize("size", [(46, 74), (29, 31)])
def test_nearest_of_larger_images(size: tuple[int, int]) -> None:
    """Places that are whole numbers but for rounding."""
    assert_same("Upsample", normal(1, 2, 14, 12), size=size)


@pytest.mark.parametrize(("n", "m"), [(14, 20), (7, 30), (9, 60), (21, 90)])
def test_nearest_is_a_matter_of_precision(n: int, m: int) -> None:
    """10 times 14/20, rounded to float32, is 7 in float32 and below 7 in float64."""
    assert_same("Upsample", normal(1, 2, n), size=m)


@pytest.mark.parametrize("shape", [(2, 3, 5), (1, 2, 3, 4, 5)])
def test_nearest_of_other_axes(shape: tuple[int, ...]) -> None:
    assert_same("Upsample", normal(*shape), scale_factor=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "the choice of size and scale_factor is size=None, scale_factor=None"),
        (
            {"size": 3, "scale_factor": 2},
            "the choice of size and scale_factor is size=3, scale_factor=2",
        ),
        ({"size": 3, "mode": "bicubic"}, "mode is 'bicubic'"),
        ({"size": 3, "align_corners": False}, "align_corners is False, but should be None"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^Upsample: {message}"):
        reference.Upsample(**options)


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({"size": 3, "mode": "bilinear"}, (1, 2, 5), "the input's shape is"),
        ({"size": 3}, (2, 5), "the input's shape is"),
        ({"size": (3, 3)}, (1, 2, 5), "size is .3, 3."),
        ({"size": 0}, (1, 2, 5), "size is 0"),
        ({"scale_factor": (2, 2)}, (1, 2, 5), "scale_factor is .2, 2."),
        ({"scale_factor": -1.0}, (1, 2, 5), "scale_factor is -1.0"),
        ({"scale_factor": 0.1}, (1, 2, 5), "the output's size is .0,."),
        ({"size": 3}, (1, 2, 0), "the input's shape is"),
    ],
)
def test_bad_input(options: dict[str, Any], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=f"^Upsample: {message}"):
        reference.Upsample(**options).forward({}, np.zeros(shape))
