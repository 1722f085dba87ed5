from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
from tests.support.layer_checks import assert_same, normal


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (1,), (6,), (2, 3)])
def test_bilinear(batch: tuple[int, ...], bias: bool) -> None:
    assert_same(
        "Bilinear",
        normal(*batch, 5),
        normal(*batch, 4),
        in1_features=5,
        in2_features=4,
        out_features=3,
        bias=bias,
    )


@pytest.mark.parametrize("networks", [(), (2,)])
def test_ensemble(networks: tuple[int, ...]) -> None:
    layer = reference.Bilinear(5, 4, 3)
    params = {"weight": normal(2, 3, 5, 4), "bias": normal(2, 3)}
    x1, x2 = normal(*networks, 6, 5), normal(*networks, 6, 4)
    y, cache = layer.forward(params, x1, x2)
    dy = normal(*y.shape)
    dx, grads = layer.backward(params, cache, dy)
    for network in range(2):
        own = {name: value[network] for name, value in params.items()}
        inputs = (x1[network], x2[network]) if networks else (x1, x2)
        expected, own_cache = layer.forward(own, *inputs)
        own_dx, own_grads = layer.backward(own, own_cache, dy[network])
        np.testing.assert_allclose(y[network], expected, rtol=1e-12)
        for found, wanted in zip(dx, own_dx, strict=True):
            np.testing.assert_allclose(found[network], wanted, rtol=1e-12)
        for name, wanted in own_grads.items():
            np.testing.assert_allclose(grads[name][network], wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((6, 4), (6, 4)), r"input 1's shape is \(6, 4\), but should be \(\*, 5\)"),
        (((6, 5), (6, 5)), r"input 2's shape is \(6, 5\), but should be \(\*, 4\)"),
        (((6, 5), (7, 4)), r"the inputs' pair of shapes is \(6, 5\) and \(7, 4\)"),
    ],
)
def test_bad_input(shapes: Any, message: str) -> None:
    layer = reference.Bilinear(5, 4, 3)
    params = layer.init(np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"^Bilinear: {message}"):
        layer.forward(params, *map(np.zeros, shapes))
