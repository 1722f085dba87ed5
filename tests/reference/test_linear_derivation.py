"""The fully connected layer, by numbers small enough to do in one's head."""

from __future__ import annotations

import numpy as np
import pytest

from reference import Linear, Shift

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


def test_weight_is_out_by_in() -> None:
    assert Linear(3, 2).parameter_shapes() == {"weight": (2, 3), "bias": (2,)}
    assert Linear(3, 2, bias=False).parameter_shapes() == {"weight": (2, 3)}


def test_input_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="3"):
        Linear(3, 2).forward(PARAMS, np.ones((4, 5)))


def test_init_is_uniform_within_one_over_root_fan_in() -> None:
    params = Linear(25, 400).init(np.random.default_rng(0))
    for value in params.values():
        assert np.abs(value).max() <= 0.2
        np.testing.assert_allclose(value.std(), 0.2 / np.sqrt(3), rtol=0.05)


def test_shift_adds_and_learns_nothing() -> None:
    assert Shift(3.0).parameter_shapes() == {}
    y, cache = Shift(3.0).forward({}, X)
    np.testing.assert_array_equal(y, X + 3)
    np.testing.assert_array_equal(Shift(3.0).backward({}, cache, DY)[0], DY)
