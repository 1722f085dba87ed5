from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import reference
from tests.support.layer_checks import assert_same, normal


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kernel_size", [(3, 2), (1, 3)])
@pytest.mark.parametrize("stride", [1, (2, 3)])
@pytest.mark.parametrize("padding", [0, (1, 2)])
@pytest.mark.parametrize("dilation", [1, (2, 1)])
@pytest.mark.parametrize("batch", [1, 3])
def test_conv2d(
    batch: int, groups: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> None:
    assert_same(
        "Conv2d",
        normal(batch, 4, 9, 6),
        in_channels=4,
        out_channels=6,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


@st.composite
def convolutions(draw: st.DrawFn, axes: int) -> tuple[tuple[int, ...], dict[str, Any]]:
    """The shape of an input and options of a convolution that has an output for it."""

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    groups = draw(st.integers(1, 3))
    kernel, dilation, padding = each(1, 3), each(1, 3), each(0, 3)
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = [
        draw(st.integers(max(1, e - 2 * p), e + 5)) for e, p in zip(extents, padding, strict=True)
    ]
    options: dict[str, Any] = {
        "in_channels": groups * draw(st.integers(1, 2)),
        "out_channels": groups * draw(st.integers(1, 2)),
        "kernel_size": kernel,
        "stride": each(1, 4),
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    batch = draw(st.sampled_from([(), (1,), (2,)]))
    return (*batch, options["in_channels"], *sizes), options


@settings(max_examples=60, deadline=None, derandomize=True)
@given(convolutions(2))
def test_conv2d_any(case: tuple[tuple[int, ...], dict[str, Any]]) -> None:
    shape, options = case
    assert_same("Conv2d", normal(*shape), **options)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(convolutions(1))
def test_conv1d_any(case: tuple[tuple[int, ...], dict[str, Any]]) -> None:
    shape, options = case
    assert_same("Conv1d", normal(*shape), **options)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dilation", [1, (2, 3)])
@pytest.mark.parametrize("kernel_size", [3, (4, 2)])
def test_named_padding(padding: str, dilation: Any, kernel_size: Any) -> None:
    options: dict[str, Any] = {"kernel_size": kernel_size, "padding": padding, "dilation": dilation}
    assert_same("Conv2d", normal(2, 3, 9, 7), in_channels=3, out_channels=2, **options)


def test_zero_input_and_dilation_past_the_next_stride() -> None:
    options: dict[str, Any] = {
        "in_channels": 2,
        "out_channels": 3,
        "kernel_size": 2,
        "dilation": 5,
        "stride": 2,
    }
    assert_same("Conv2d", np.zeros((2, 2, 9, 8)), **options)
    assert_same("Conv2d", normal(2, 2, 9, 8), **options)


@pytest.mark.parametrize("size", [1e3, 1e-30])
def test_extreme_input(size: float) -> None:
    options: dict[str, Any] = {"in_channels": 2, "out_channels": 3, "kernel_size": 3}
    assert_same("Conv2d", normal(2, 2, 5, 6) * size, **options)


def test_empty_batch() -> None:
    layer = reference.Conv2d(2, 3, 3)
    params = layer.init(np.random.default_rng(0))
    y, cache = layer.forward(params, np.zeros((0, 2, 5, 6)))
    dx, grads = layer.backward(params, cache, y)
    assert (y.shape, dx.shape) == ((0, 3, 3, 4), (0, 2, 5, 6))
    assert not grads["weight"].any()


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "ConvTranspose2d"])
def test_init_is_pytorchs(name: str) -> None:
    """Uniform within the same bound, which a few thousand draws come close to."""
    options: dict[str, Any] = {"in_channels": 8, "out_channels": 500, "kernel_size": 3, "groups": 2}
    theirs = {k: v.detach().numpy() for k, v in getattr(nn, name)(**options).named_parameters()}
    ours = getattr(reference, name)(**options).init(np.random.default_rng(0))
    for key, value in theirs.items():
        assert np.max(np.abs(ours[key])) == pytest.approx(np.max(np.abs(value)), rel=0.03)
        assert np.std(ours[key]) == pytest.approx(np.std(value), rel=0.1)


@pytest.mark.parametrize(
    ("into", "out", "kernel_size", "stride"),
    [(16, 32, 3, 1), (32, 16, 3, 1), (16, 32, 3, 2), (3, 8, 5, 1)],
)
def test_memory(into: int, out: int, kernel_size: int, stride: int) -> None:
    """At most 12 times the output beside the columns."""
    layer = reference.Conv2d(into, out, kernel_size, stride, padding=kernel_size // 2)
    params = {k: v.astype(np.float32) for k, v in layer.init(np.random.default_rng(0)).items()}
    x = normal(8, into, 28, 28).astype(np.float32)
    tracemalloc.start()
    y, cache = layer.forward(params, x)
    layer.backward(params, cache, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    columns = cache[0]
    assert columns.size == kernel_size**2 * x.size / stride**2
    assert peak - columns.nbytes <= 12 * y.nbytes


BAD_OPTIONS = [
    ({"groups": 3}, "in_channels is 4, but should be a multiple of the 3 groups"),
    ({"groups": 0}, "groups is 0"),
    ({"kernel_size": 0}, "kernel_size is 0"),
    ({"kernel_size": (3, 3, 3)}, "kernel_size is"),
    ({"kernel_size": 2.0}, "kernel_size is 2.0"),
    ({"stride": 0}, "stride is 0"),
    ({"padding": -1}, "padding is -1"),
    ({"padding": "half"}, "padding is 'half'"),
    ({"padding": "same", "stride": 2}, "stride is .2, 2., but should be 1 where padding"),
    ({"padding_mode": "circular"}, "padding_mode is 'circular'"),
    ({"out_channels": 0}, "out_channels is 0"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^Conv2d: {message}"):
        reference.Conv2d(**({"in_channels": 4, "out_channels": 4, "kernel_size": 3} | options))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 9), "the input's shape is"),
        ((1, 1, 4, 9, 9), "the input's shape is"),
        ((2, 3, 9, 9), "the input's number of channels is 3, but should be 4"),
        ((2, 4, 9, 2), "the padded input's size is .9, 2., but should be at least the kernel's"),
    ],
)
def test_bad_input(shape: tuple[int, ...], message: str) -> None:
    layer = reference.Conv2d(4, 4, 3)
    with pytest.raises(ValueError, match=f"^Conv2d: {message}"):
        layer.forward(layer.init(np.random.default_rng(0)), np.zeros(shape))


def test_integers_are_refused() -> None:
    layer = reference.Conv2d(1, 1, 1)
    with pytest.raises(ValueError, match="dtype is int64"):
        layer.forward(layer.init(np.random.default_rng(0)), np.zeros((1, 1, 2, 2), int))


def test_taps_cover_the_kernel() -> None:
    """What is read tap by tap is what the view shows."""
    window = reference.Conv2d(1, 1, (3, 2), stride=(2, 1), dilation=(1, 2)).window
    x = normal(2, 8, 9)
    view = window.view(x)
    for tap in itertools.product(range(3), range(2)):
        np.testing.assert_array_equal(window.read(x, tap), view[(..., *tap)])
