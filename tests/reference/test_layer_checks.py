"""The checks of layers fail where a layer is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from torch import nn

import reference
from reference.module import Array, Module, Params
from tests.support.layer_checks import assert_gradients_of_forward, assert_layer, normal
from tests.support.strict_array import StrictArray

X = normal(3, 2, 6, 5)


def conv(layer: type[reference.Conv2d] = reference.Conv2d) -> tuple[nn.Conv2d, Module]:
    options = {"in_channels": 2, "out_channels": 3, "kernel_size": (3, 2), "padding": 1}
    return nn.Conv2d(**options), layer(**options)  # type: ignore[arg-type]


def norm(layer: type[reference.BatchNorm2d]) -> tuple[nn.BatchNorm2d, Module]:
    return nn.BatchNorm2d(2), layer(2)


class Faulty(reference.Conv2d):
    """A convolution whose gradients are tampered with."""

    tamper: Callable[[Array, Params], tuple[Array, Params]]

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        return type(self).tamper(*super().backward(params, cache, dy))


FAULTS: dict[str, Callable[[Array, Params], tuple[Array, Params]]] = {
    "scaled weight": lambda dx, g: (dx, g | {"weight": g["weight"] * (1 + 1e-9)}),
    "flipped weight": lambda dx, g: (dx, g | {"weight": g["weight"][..., ::-1]}),
    "mean for sum": lambda dx, g: (dx, g | {"bias": g["bias"] / 3}),
    "no bias": lambda dx, g: (dx, {"weight": g["weight"]}),
    "zero dx": lambda dx, g: (dx * 0, g),
    "permuted dx": lambda dx, g: (dx[::-1], g),
    "NaN dx": lambda dx, g: (dx * np.nan, g),
    "another dtype": lambda dx, g: (dx.astype(np.float32), g),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_backward_is_found(fault: str) -> None:
    assert_layer(*conv(), X)
    wrong = type("Wrong", (Faulty,), {"tamper": staticmethod(FAULTS[fault])})
    with pytest.raises(AssertionError):
        assert_layer(*conv(wrong), X)


@pytest.mark.parametrize("fault", [f for f in FAULTS if f not in ("no bias", "another dtype")])
def test_wrong_backward_is_found_without_pytorch(fault: str) -> None:
    """A mistake that both sides shared would not survive the layer's own forward."""
    _, layer = conv()
    params = layer.init(np.random.default_rng(0))
    y, cache = layer.forward(params, X)
    dy = normal(*y.shape)
    dx, grads = layer.backward(params, cache, dy)
    assert_gradients_of_forward(layer, params, (X,), dy, dx, grads)
    with pytest.raises(AssertionError):
        assert_gradients_of_forward(layer, params, (X,), dy, *FAULTS[fault](dx, grads))


class ConstantStatistics(reference.BatchNorm2d):
    """Takes the batch's mean and variance for constants."""

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        *kept, _ = cache
        return super().backward(params, (*kept, None), dy)


class BiasedVariance(reference.BatchNorm2d):
    """Keeps the biased variance."""

    def buffers(self, params: Params, cache: Any) -> Params:
        moved = super().buffers(params, cache)
        n = 3 * 6 * 5
        newest = moved["running_var"] - 0.9 * params["running_var"]
        return moved | {"running_var": moved["running_var"] - newest / n}


class Writing(reference.BatchNorm2d):
    """Changes what it was given."""

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        y = super().forward(params, x)
        params["running_mean"] += 1
        return y


@pytest.mark.parametrize("wrong", [ConstantStatistics, BiasedVariance, Writing])
def test_wrong_norm_is_found(wrong: type[reference.BatchNorm2d]) -> None:
    assert_layer(*norm(reference.BatchNorm2d), X)
    with pytest.raises(AssertionError):
        assert_layer(*norm(wrong), X)


def writes(x: Any) -> Any:
    x += 1
    return x


def assigns(x: Any) -> Any:
    x[0] = 1
    return x


@pytest.mark.parametrize(
    "operation",
    [
        np.abs,
        np.conj,
        np.asarray,
        writes,
        assigns,
        lambda x: x > 0,
        lambda x: np.add(x, x, out=x),
        lambda x: np.add.at(x, 0, 1),
        lambda x: np.einsum("ij->ji", x),
        lambda x: x.astype(float),
    ],
)
def test_strict_array_refuses(operation: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        operation(StrictArray(np.ones((2, 3))))
