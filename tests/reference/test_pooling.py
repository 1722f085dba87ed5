from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from tests.support.layer_checks import assert_same, normal


@st.composite
def poolings(draw: st.DrawFn, axes: int, dilated: bool) -> tuple[tuple[int, ...], dict[str, Any]]:
    """The shape of an input and options of a pooling whose windows all hold an entry of it."""

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    kernel = each(1, 4)
    dilation = each(1, 3) if dilated else (1,) * axes
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    sizes = [draw(st.integers(e, e + 6)) for e in extents]
    options: dict[str, Any] = {
        "kernel_size": kernel,
        "stride": draw(st.one_of(st.none(), st.just(each(1, 5)))),
        "padding": padding,
        "ceil_mode": draw(st.booleans()),
    }
    if dilated:
        options["dilation"] = dilation
    batch = draw(st.sampled_from([(), (1,), (2,)]))
    return (*batch, draw(st.integers(1, 3)), *sizes), options


Case = tuple[tuple[int, ...], dict[str, Any]]


def rounded(shape: tuple[int, ...]) -> Any:
    """Few different numbers, so that many windows have ties."""
    return np.round(normal(*shape))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(poolings(2, dilated=True))
def test_max_pool2d(case: Case) -> None:
    shape, options = case
    assert_same("MaxPool2d", rounded(shape), **options)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(poolings(1, dilated=True))
def test_max_pool1d(case: Case) -> None:
    shape, options = case
    assert_same("MaxPool1d", rounded(shape), **options)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(poolings(2, dilated=False), st.booleans(), st.sampled_from([None, 1, 7, -3]))
def test_avg_pool2d(case: Case, count_include_pad: bool, divisor_override: int | None) -> None:
    shape, options = case
    options |= {"count_include_pad": count_include_pad, "divisor_override": divisor_override}
    assert_same("AvgPool2d", normal(*shape), **options)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(poolings(1, dilated=False), st.booleans())
def test_avg_pool1d(case: Case, count_include_pad: bool) -> None:
    shape, options = case
    assert_same("AvgPool1d", normal(*shape), count_include_pad=count_include_pad, **options)


@pytest.mark.parametrize("value", [0.0, -5.0, 1e3, -1e3, 1e-30])
def test_all_entries_tied(value: float) -> None:
    """The first of equals; the padding is not among them, also where all entries are negative."""
    x = np.full((2, 3, 5, 6), value)
    assert_same("MaxPool2d", x, kernel_size=3, stride=2, padding=1)


def test_minus_infinity_and_nan() -> None:
    x = normal(1, 1, 4, 6)
    x[0, 0, 0, 0], x[0, 0, :, 4:], x[0, 0, 3, 1] = np.inf, -np.inf, np.nan
    y, _ = reference.MaxPool2d(2).forward({}, x)
    assert y[0, 0, 0, 0] == np.inf
    assert np.all(y[0, 0, :, 2] == -np.inf)
    assert np.isnan(y[0, 0, 1, 0])


@pytest.mark.parametrize(
    ("layer", "options", "message"),
    [
        ("MaxPool2d", {"padding": 2}, "padding is .2, 2., but should be at most half the kernel"),
        ("AvgPool2d", {"padding": (2, 0)}, "padding is"),
        ("AvgPool1d", {"kernel_size": 0}, "kernel_size is 0"),
        ("MaxPool1d", {"stride": 0}, "stride is 0"),
        ("MaxPool2d", {"return_indices": True}, "return_indices is True"),
        ("AvgPool2d", {"divisor_override": 0}, "divisor_override is 0"),
    ],
)
def test_bad_options(layer: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{layer}: {message}"):
        getattr(reference, layer)(**({"kernel_size": 3} | options))


@pytest.mark.parametrize("layer", ["MaxPool2d", "AvgPool2d"])
@pytest.mark.parametrize("shape", [(5, 5), (1, 1, 2, 5), (1, 1, 1, 5, 5)])
def test_bad_input(layer: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"^{layer}: the (padded )?input's s"):
        getattr(reference, layer)(3).forward({}, np.zeros(shape))


def test_window_without_an_entry() -> None:
    layer = reference.MaxPool1d(2, stride=1, padding=1, dilation=5)
    with pytest.raises(ValueError, match="every window holds an entry"):
        layer.forward({}, np.zeros((1, 1, 4)))


def test_integers_are_refused() -> None:
    with pytest.raises(ValueError, match="dtype is int64"):
        reference.MaxPool1d(2).forward({}, np.zeros((1, 1, 4), int))
