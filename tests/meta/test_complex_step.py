"""The referee of the reference's tests accepts what is right and refuses what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference import MLP, Array, HalfSquaredErrorLoss, Linear, ReLU, Sigmoid, Tanh
from tests.support.complex_step import assert_backward, assert_loss_backward, gradient, unbroadcast
from tests.support.faults import FAULTS, Fault
from tests.support.strategies import draw_params

#: Faults in a layer's or a loss's own derivative; the others are in the forward or the update.
OF_A_DERIVATIVE = {name: f for name, f in FAULTS.items() if f.method == "backward"}


def check(fault: Fault) -> None:
    """Hold the class that the fault is in against its own forward."""
    rng = np.random.default_rng(0)
    owner: Any = fault.owner
    if owner is Linear:
        layer = Linear(3, 4)
        assert_backward(layer, draw_params(layer, rng), rng.normal(size=(5, 3)), rng)
    elif owner in (Sigmoid, Tanh, ReLU):
        assert_backward(owner(), {}, rng.normal(size=(5, 3)), rng)
    else:
        assert_loss_backward(owner(), rng.normal(size=(5, 3)), rng.normal(size=(5, 3)))


@pytest.mark.parametrize("fault", OF_A_DERIVATIVE.values(), ids=OF_A_DERIVATIVE.keys())
def test_wrong_backward_is_refused(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    check(fault)  # without the fault
    right = getattr(fault.owner, fault.method)
    monkeypatch.setattr(fault.owner, fault.method, fault.change(right))
    with pytest.raises((AssertionError, ValueError, ZeroDivisionError)):
        check(fault)


@pytest.mark.parametrize("scale", [1 + 1e-9, 1 - 1e-9, -1.0, 0.0, np.nan])
def test_smallest_scaling_is_refused(monkeypatch: pytest.MonkeyPatch, scale: float) -> None:
    right = Tanh.backward

    def scaled(*args: Any) -> tuple[Array, dict[str, Array]]:
        dx, grads = right(*args)
        return dx * scale, grads

    rng = np.random.default_rng(0)
    network = MLP((3, 4, 2), "tanh")
    params, x = draw_params(network, rng), rng.normal(size=(5, 3))
    assert_backward(network, params, x, rng)
    monkeypatch.setattr(Tanh, "backward", scaled)
    with pytest.raises(AssertionError):
        assert_backward(network, params, x, rng)


def test_wrong_loss_is_refused() -> None:
    class Wrong(HalfSquaredErrorLoss):
        def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
            value, cache = super().forward(y, target)
            return 2 * value, cache

    y, target = np.random.default_rng(0).normal(size=(2, 5, 3))
    assert_loss_backward(HalfSquaredErrorLoss(), y, target)
    with pytest.raises(AssertionError):
        assert_loss_backward(Wrong(), y, target)


def test_gradient_of_known_functions() -> None:
    x = np.array([[-1.5, 0.25], [2.0, 3.0]])
    np.testing.assert_allclose(gradient(lambda z: (z**3).sum(), x), 3 * x**2, rtol=1e-15)
    np.testing.assert_allclose(gradient(lambda z: np.exp(z).sum(), x), np.exp(x), rtol=1e-15)
    np.testing.assert_array_equal(gradient(lambda z: z[0, 1] * z[1, 0], x), [[0, 2.0], [0.25, 0]])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((2, 3), [[2, 2, 2], [2, 2, 2]]), ((3,), [4, 4, 4]), ((1, 3), [[4, 4, 4]]), ((), 12)],
)
def test_unbroadcast_sums_what_was_broadcast(shape: tuple[int, ...], expected: Any) -> None:
    np.testing.assert_array_equal(unbroadcast(np.ones((2, 2, 3)), shape), expected)


@pytest.mark.parametrize("shape", [(3, 2), (2,), (1, 2, 2, 3)])
def test_unbroadcast_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError, match="shape is"):
        unbroadcast(np.ones((2, 2, 3)), shape)
