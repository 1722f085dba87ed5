"""The fully connected layer: by hand, against PyTorch, as an ensemble, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference import Linear, Shift
from tests.support.ensemble_checks import assert_ensemble
from tests.support.layer_checks import assert_same, normal

PARAMS = {
    "weight": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),  # (out, in) = (2, 3)
    "bias": np.array([10.0, 20.0]),
}
X = np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]])
DY = np.array([[1.0, 2.0], [3.0, 5.0]])


def test_forward_by_hand() -> None:
    y, _ = Linear(3, 2).forward(PARAMS, X)
    np.testing.assert_array_equal(y, [[8.0, 18.0], [14.0, 33.0]])


def test_backward_by_hand() -> None:
    layer = Linear(3, 2)
    dx, grads = layer.backward(PARAMS, layer.forward(PARAMS, X)[1], DY)
    np.testing.assert_array_equal(grads["weight"], [[7.0, 3.0, -1.0], [12.0, 5.0, -2.0]])
    np.testing.assert_array_equal(grads["bias"], [4.0, 7.0])
    np.testing.assert_array_equal(dx, [[9.0, 12.0, 15.0], [23.0, 31.0, 39.0]])


def test_init_is_uniform_within_one_over_root_fan_in() -> None:
    params = Linear(25, 400).init(np.random.default_rng(0))
    for value in params.values():
        assert np.abs(value).max() <= 0.2
        np.testing.assert_allclose(value.std(), 0.2 / np.sqrt(3), rtol=0.05)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (1,), (5,), (2, 3), (2, 1, 4), (0,), (3, 0)])
def test_linear(batch: tuple[int, ...], bias: bool) -> None:
    assert_same("Linear", normal(*batch, 4), in_features=4, out_features=3, bias=bias)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (5, 1)])
def test_one_feature(sizes: tuple[int, int]) -> None:
    assert_same("Linear", normal(6, sizes[0]), in_features=sizes[0], out_features=sizes[1])


@pytest.mark.parametrize("size", [0.0, 1e3, 1e-30])
def test_extreme_input(size: float) -> None:
    assert_same("Linear", normal(6, 4) * size, in_features=4, out_features=3, bias=False)


@pytest.mark.parametrize("networks", [(1,), (3,), (2, 3)])
@pytest.mark.parametrize("batch", [(5,), (2, 5), (3, 5), (1, 3, 2)])
def test_ensemble(batch: tuple[int, ...], networks: tuple[int, ...]) -> None:
    assert_ensemble(Linear(4, 2), (*batch, 4), networks, shared=False)


@pytest.mark.parametrize("networks", [(1,), (3,), (2, 3)])
@pytest.mark.parametrize("batch", [(), (5,)])
def test_ensemble_shares_its_input(batch: tuple[int, ...], networks: tuple[int, ...]) -> None:
    assert_ensemble(Linear(4, 2), (*batch, 4), networks, shared=True)


def test_shared_input_of_several_batch_axes() -> None:
    """With a singleton axis for the ensemble, x may have any batch axes."""
    layer = Linear(4, 2)
    params = {"weight": normal(3, 2, 4), "bias": normal(3, 2)}
    x = normal(1, 5, 6, 4)
    y, cache = layer.forward(params, x)
    dx, grads = layer.backward(params, cache, normal(*y.shape))
    assert (y.shape, dx.shape) == ((3, 5, 6, 2), (3, 5, 6, 4))
    assert {name: grad.shape for name, grad in grads.items()} == {
        "weight": (3, 2, 4),
        "bias": (3, 2),
    }


def test_one_parameter_is_an_ensemble_the_other_shared() -> None:
    layer = Linear(4, 2)
    weight, bias, x, dy = normal(2, 4), normal(3, 2), normal(5, 4), normal(3, 5, 2)
    y, cache = layer.forward({"weight": weight, "bias": bias}, x)
    _, grads = layer.backward({"weight": weight, "bias": bias}, cache, dy)
    each = [layer.forward({"weight": weight, "bias": b}, x)[0] for b in bias]
    np.testing.assert_allclose(y, each, rtol=1e-14)
    np.testing.assert_allclose(grads["weight"], np.einsum("eno,ni->oi", dy, x), rtol=1e-12)
    np.testing.assert_allclose(grads["bias"], dy.sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("weight", "bias", "x"),
    [
        ((2, 4), (3, 2), (3, 5, 4)),  # biases and inputs of three networks, one weight
        ((2, 3, 2, 4), (2, 3, 2), (3, 5, 4)),  # of 2 · 3 networks, those beside share an input
        ((2, 1, 2, 1), (2, 1, 2), (2, 3, 5, 1)),  # three inputs for each of two networks
        ((2, 1, 2, 4), (2, 3, 2), (1, 3, 5, 4)),
    ],
)
def test_what_has_one_network_is_shared(
    weight: tuple[int, ...], bias: tuple[int, ...], x: tuple[int, ...]
) -> None:
    layer, params = Linear(x[-1], 2), {"weight": normal(*weight), "bias": normal(*bias)}
    inputs = normal(*x)
    y, cache = layer.forward(params, inputs)
    dy = normal(*y.shape, seed=1)
    dx, grads = layer.backward(params, cache, dy)
    np.testing.assert_allclose(
        y, inputs @ params["weight"].swapaxes(-1, -2) + params["bias"][..., None, :], rtol=1e-12
    )
    np.testing.assert_allclose(dx, dy @ params["weight"], rtol=1e-12)
    # Each network's own gradient, summed over the networks that share the parameter.
    own = {"weight": dy.swapaxes(-1, -2) @ inputs, "bias": dy.sum(axis=-2)}
    for name, grad in own.items():
        shape = params[name].shape
        summed = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
        once = tuple(i for i, size in enumerate(shape) if size == 1 and summed.shape[i] != 1)
        np.testing.assert_allclose(grads[name], summed.sum(axis=once, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((5, 3)), r"the input's shape is \(5, 3\), but should be \(\*, 4\)"),
        (np.zeros(()), r"the input's shape is \(\)"),
        (np.zeros((5, 4), int), "the input's dtype is int64"),
    ],
)
def test_bad_input(x: Any, message: str) -> None:
    layer = Linear(4, 2)
    with pytest.raises(ValueError, match=f"^Linear: {message}"):
        layer.forward(layer.init(np.random.default_rng(0)), x)


def test_bad_options() -> None:
    with pytest.raises(ValueError, match=r"^Linear: in_features is 0, but should be"):
        Linear(0, 2)


def test_shift_adds_and_learns_nothing() -> None:
    assert Shift(3.0).parameter_shapes() == {}
    y, cache = Shift(3.0).forward({}, X)
    np.testing.assert_array_equal(y, X + 3)
    np.testing.assert_array_equal(Shift(3.0).backward({}, cache, DY)[0], DY)
