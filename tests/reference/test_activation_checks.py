"""The checks themselves: they pass what is right, and fail on every planted fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reference import Array, HuberLoss, LogSoftmax, Module, MSELoss, Params, PReLU, Sigmoid
from tests.support.activation_checks import (
    DTYPES,
    assert_near,
    check_layer_with_complex_step,
    check_layer_with_torch,
    check_loss_with_complex_step,
    check_loss_with_torch,
    torch_module,
)

Wrong = Callable[[Array], Array]


def one_entry_off(dx: Array) -> Array:
    position = np.argmax(np.abs(dx))
    changed = dx.ravel()
    changed[position] *= 1 + 4e-5
    return changed.reshape(dx.shape)


def not_a_number(dx: Array) -> Array:
    changed = np.array(dx)
    changed.flat[0] = np.nan
    return changed


FAULTS: dict[str, Wrong] = {
    "sign": lambda dx: -dx,
    "scaled": lambda dx: dx * dx.dtype.type(1 + 1e-4),
    "permuted": lambda dx: np.roll(dx, 1),
    "zeroed": np.zeros_like,
    "one entry off": one_entry_off,
    "not a number": not_a_number,
    "of another shape": np.ravel,
    "in another dtype": lambda dx: dx.astype(np.longdouble),
}

each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def faulty(layer: Module, fault: Wrong, of_parameters: bool = False) -> Module:
    """The layer, but with a gradient changed by a fault."""

    class Faulty(type(layer)):  # type: ignore[misc]
        def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
            dx, grads = super().backward(params, cache, dy)
            if of_parameters:
                return dx, {name: fault(grad) for name, grad in grads.items()}
            return fault(dx), grads

    twin: Module = Faulty.__new__(Faulty)
    twin.__dict__.update(layer.__dict__)
    return twin


@each_dtype
@each_fault
@pytest.mark.parametrize(("name", "layer"), [("Sigmoid", Sigmoid()), ("LogSoftmax", LogSoftmax(1))])
def test_torch_check_fails_on_a_wrong_dx(
    name: str, layer: Module, fault: Wrong, dtype: str
) -> None:
    options = {"dim": 1} if name == "LogSoftmax" else {}
    twin = torch_module(name, options, dtype)
    x = np.random.default_rng(1).normal(size=(4, 3)).astype(dtype)
    check_layer_with_torch(layer, twin, x, np.random.default_rng(2))
    with pytest.raises(AssertionError, match="dx"):
        check_layer_with_torch(faulty(layer, fault), twin, x, np.random.default_rng(2))


@each_fault
@pytest.mark.parametrize("layer", [Sigmoid(), LogSoftmax(1)])
def test_complex_step_check_fails_on_a_wrong_dx(layer: Module, fault: Wrong) -> None:
    x = np.random.default_rng(1).normal(size=(4, 3))
    check_layer_with_complex_step(layer, {}, x, np.random.default_rng(2))
    with pytest.raises(AssertionError, match="dx"):
        check_layer_with_complex_step(faulty(layer, fault), {}, x, np.random.default_rng(2))


@each_fault
def test_both_checks_fail_on_a_wrong_parameter_gradient(fault: Wrong) -> None:
    layer = faulty(PReLU(3), fault, of_parameters=True)
    if fault is FAULTS["of another shape"]:
        layer = faulty(PReLU(3), lambda grad: grad[None], of_parameters=True)
    x = np.random.default_rng(1).normal(size=(4, 3))
    twin = torch_module("PReLU", {"num_parameters": 3}, "float64")
    with pytest.raises(AssertionError, match="weight"):
        check_layer_with_torch(layer, twin, x, np.random.default_rng(2))
    params = {"weight": np.array([0.1, 0.2, 0.3])}
    with pytest.raises(AssertionError, match="weight"):
        check_layer_with_complex_step(layer, params, x, np.random.default_rng(2))


def test_torch_check_fails_on_a_wrong_output() -> None:
    twin = torch_module("GELU", {}, "float64")
    layer = Sigmoid()
    x = np.random.default_rng(1).normal(size=(4, 3))
    with pytest.raises(AssertionError, match="y"):
        check_layer_with_torch(layer, twin, x, np.random.default_rng(2))


class TwiceTheMean(MSELoss):
    """The 2 of the square taken twice."""

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        return 2 * super().backward(cache, dloss)


class DeafToUpstream(MSELoss):
    """The upstream gradient is not used, which a loss of 1 · L does not show."""

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        return super().backward(cache)


class ClippedTooSoon(HuberLoss):
    """The bend in the gradient is not where it is in the loss."""

    def backward(self, cache: Any, dloss: Any = 1.0) -> Array:
        difference, _, inner, reduction = cache
        return super().backward((difference, np.abs(difference) < 0.9, inner, reduction), dloss)


@pytest.mark.parametrize(
    ("name", "loss"),
    [("MSELoss", TwiceTheMean()), ("MSELoss", DeafToUpstream()), ("HuberLoss", ClippedTooSoon())],
)
def test_both_checks_fail_on_a_wrong_loss(name: str, loss: MSELoss | HuberLoss) -> None:
    inputs = list(np.random.default_rng(1).normal(size=(2, 8, 6)))
    twin = torch_module(name, {}, "float64")
    with pytest.raises(AssertionError, match="gradient of input 0"):
        check_loss_with_torch(loss, twin, inputs, [0], np.random.default_rng(2))
    with pytest.raises(AssertionError, match="gradient of input 0"):
        check_loss_with_complex_step(loss, inputs, [0], np.random.default_rng(2))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_near_is_as_near_as_said(factor: float) -> None:
    expected = np.array([1.0, -8.0, 0.0])
    actual = expected + np.array([0.0, 0.0, factor * 8e-3])
    if factor < 1:
        assert_near(actual, expected, 1e-3, "it")
    else:
        with pytest.raises(AssertionError, match="it is"):
            assert_near(actual, expected, 1e-3, "it")


@pytest.mark.parametrize(
    ("actual", "expected"), [(np.inf, 1.0), (1.0, np.inf), (np.nan, np.nan), (-np.inf, np.inf)]
)
def test_what_is_not_finite_is_never_near(actual: float, expected: float) -> None:
    with pytest.raises(AssertionError):
        assert_near(np.array([actual]), np.array([expected]), 1.0, "it")
