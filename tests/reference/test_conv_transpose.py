from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import reference
from tests.support.layer_checks import assert_same, normal


def pair(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    batch=st.sampled_from([(), (1,), (3,)]),
    sizes=pair(1, 5),
    channels=pair(1, 2),
    groups=st.integers(1, 3),
    kernel_size=pair(1, 4),
    stride=pair(1, 3),
    padding=pair(0, 2),
    output_padding=pair(0, 2),
    dilation=pair(1, 3),
    bias=st.booleans(),
)
def test_any(
    batch: tuple[int, ...],
    sizes: tuple[int, int],
    channels: tuple[int, int],
    groups: int,
    **options: Any,
) -> None:
    for axis in range(2):
        at = {name: value[axis] for name, value in options.items() if name != "bias"}
        assume(at["output_padding"] < max(at["stride"], at["dilation"]))
        reach = (sizes[axis] - 1) * at["stride"] + at["dilation"] * (at["kernel_size"] - 1) + 1
        assume(reach + at["output_padding"] > 2 * at["padding"])
    into, out = (groups * count for count in channels)
    options |= {"in_channels": into, "out_channels": out, "groups": groups}
    assert_same("ConvTranspose2d", normal(*batch, into, *sizes), **options)


def test_undoes_the_sizes_of_a_convolution() -> None:
    options: dict[str, Any] = {
        "kernel_size": (3, 4),
        "stride": (2, 3),
        "padding": 1,
        "output_padding": (0, 1),
    }
    assert_same("ConvTranspose2d", normal(2, 3, 4, 5), in_channels=3, out_channels=2, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_padding": 1}, "output_padding is .1, 1., but should be less than .1, 1."),
        ({"padding": "same"}, "padding is"),
        ({"groups": 2}, "in_channels is 3"),
        ({"padding_mode": "reflect"}, "padding_mode is 'reflect'"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^ConvTranspose2d: {message}"):
        reference.ConvTranspose2d(3, 4, 3, **options)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 4, 5, 5), "the input's number of channels is 4, but should be 3"),
        ((2, 3, 5), "the input's number of channels is 2|the input's shape"),
        ((2, 3, 0, 5), "the input's size is .0, 5."),
        ((2, 3, 1, 5), "the output's size is .-1, 3., but should be at least .1, 1."),
    ],
)
def test_bad_input(shape: tuple[int, ...], message: str) -> None:
    layer = reference.ConvTranspose2d(3, 4, 1, padding=1)
    with pytest.raises(ValueError, match=f"^ConvTranspose2d: {message}"):
        layer.forward(layer.init(np.random.default_rng(0)), np.zeros(shape))
