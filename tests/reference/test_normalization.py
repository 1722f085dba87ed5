"""Batch, instance, layer, group and RMS norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
from tests.support.ensemble_checks import assert_ensemble
from tests.support.layer_checks import assert_same, normal

BATCH: dict[str, list[tuple[int, ...]]] = {
    "BatchNorm1d": [(6, 4), (2, 4), (3, 4, 5), (1, 4, 7)],
    "BatchNorm2d": [(3, 4, 5, 2), (1, 4, 3, 3), (7, 4, 1, 1)],
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("track_running_stats", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
@pytest.mark.parametrize(("name", "shape"), [(n, s) for n, shapes in BATCH.items() for s in shapes])
def test_batch_norm(
    name: str,
    shape: tuple[int, ...],
    momentum: float | None,
    affine: bool,
    track_running_stats: bool,
    training: bool,
) -> None:
    assert_same(
        name,
        normal(*shape) * 3 + 1,
        training=training,
        num_features=4,
        momentum=momentum,
        affine=affine,
        track_running_stats=track_running_stats,
        eps=1e-3,
    )


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("track_running_stats", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("shape", [(3, 4, 5, 2), (1, 4, 3, 3), (4, 3, 5)])
def test_instance_norm(
    shape: tuple[int, ...],
    momentum: float | None,
    affine: bool,
    track_running_stats: bool,
    training: bool,
) -> None:
    assert_same(
        "InstanceNorm2d",
        normal(*shape) * 3 + 1,
        training=training,
        num_features=4,
        momentum=momentum,
        affine=affine,
        track_running_stats=track_running_stats,
    )


@pytest.mark.parametrize(
    ("elementwise_affine", "bias"), [(True, True), (True, False), (False, True)]
)
@pytest.mark.parametrize(
    ("shape", "normalized_shape"),
    [((5, 7), 7), ((3, 2, 7), 7), ((3, 4, 5), (4, 5)), ((4, 5), (4, 5)), ((2, 1, 3, 4), [3, 4])],
)
def test_layer_norm(
    shape: tuple[int, ...], normalized_shape: Any, elementwise_affine: bool, bias: bool
) -> None:
    assert_same(
        "LayerNorm",
        normal(*shape) * 3 + 1,
        normalized_shape=normalized_shape,
        elementwise_affine=elementwise_affine,
        bias=bias,
    )


@pytest.mark.parametrize("elementwise_affine", [True, False])
@pytest.mark.parametrize("eps", [None, 1e-3])
@pytest.mark.parametrize(
    ("shape", "normalized_shape"), [((5, 7), 7), ((3, 4, 5), (4, 5)), ((6,), 6), ((5, 2), 2)]
)
def test_rms_norm(
    shape: tuple[int, ...], normalized_shape: Any, eps: float | None, elementwise_affine: bool
) -> None:
    options: dict[str, Any] = {"eps": eps, "elementwise_affine": elementwise_affine}
    assert_same("RMSNorm", normal(*shape) * 3 + 1, normalized_shape=normalized_shape, **options)


@pytest.mark.parametrize(("affine", "bias"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("num_groups", [1, 2, 6])
@pytest.mark.parametrize("shape", [(3, 6, 5, 4), (1, 6, 3), (2, 6, 2, 3, 2)])
def test_group_norm(shape: tuple[int, ...], num_groups: int, affine: bool, bias: bool) -> None:
    options: dict[str, Any] = {"num_groups": num_groups, "num_channels": 6}
    assert_same("GroupNorm", normal(*shape) * 3 + 1, affine=affine, bias=bias, **options)


def test_group_norm_without_places() -> None:
    assert_same("GroupNorm", normal(5, 6), num_groups=2, num_channels=6)


def test_batch_norm_without_bias() -> None:
    assert_same("BatchNorm1d", normal(5, 6), num_features=6, bias=False)


LAYERS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("BatchNorm1d", {"num_features": 3}, (4, 3)),
    ("BatchNorm1d", {"num_features": 3}, (4, 3, 5)),
    ("BatchNorm2d", {"num_features": 3}, (4, 3, 5, 2)),
    ("InstanceNorm2d", {"num_features": 3, "affine": True}, (4, 3, 5, 2)),
    ("LayerNorm", {"normalized_shape": (3, 5)}, (4, 3, 5)),
    ("RMSNorm", {"normalized_shape": 5, "eps": 1e-5}, (4, 5)),
    ("GroupNorm", {"num_groups": 2, "num_channels": 4}, (3, 4, 5)),
]


@pytest.mark.parametrize(("name", "options", "shape"), LAYERS)
def test_zero_input(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Where the variance is 0, ε alone divides."""
    assert_same(name, np.zeros(shape), **options)


@pytest.mark.parametrize("value", [1e3, -7.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "options", "shape"), [entry for entry in LAYERS if entry[0] != "RMSNorm"]
)
def test_constant_input(
    name: str, options: dict[str, Any], shape: tuple[int, ...], dtype: str, value: float
) -> None:
    """y is β exactly. PyTorch's forms, such as x · α + (β − μ α), are off by 1e-3 in float32."""
    layer = getattr(reference, name)(**options)
    params = {k: v.astype(dtype) for k, v in layer.init(np.random.default_rng(0)).items()}
    y, _ = layer.forward(params, np.full(shape, value, dtype))
    assert not y.any()


@pytest.mark.parametrize("size", [1e3, 1e-30])
@pytest.mark.parametrize(("name", "options", "shape"), LAYERS)
def test_extreme_input(
    name: str, options: dict[str, Any], shape: tuple[int, ...], size: float
) -> None:
    assert_same(name, normal(*shape) * size, **options)


#: Each network has its own x. Where x without axes for the ensemble could be read as one with
#: them, a shared x needs singleton axes, so those layers are not among the shared ones.
OWN: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    *LAYERS,
    ("InstanceNorm2d", {"num_features": 3, "track_running_stats": True}, (4, 3, 5, 2)),
    ("BatchNorm1d", {"num_features": 3, "momentum": None, "affine": False}, (4, 3)),
]
SHARED: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("BatchNorm1d", {"num_features": 3}, (4, 3)),
    ("BatchNorm2d", {"num_features": 3}, (4, 3, 5, 2)),
    ("LayerNorm", {"normalized_shape": (3, 5)}, (4, 3, 5)),
    ("RMSNorm", {"normalized_shape": 5, "eps": 1e-5}, (4, 5)),
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("networks", [(1,), (3,), (2, 3)])
@pytest.mark.parametrize(
    ("name", "options", "shape", "shared"),
    [(*entry, False) for entry in OWN] + [(*entry, True) for entry in SHARED],
)
def test_ensemble(
    name: str,
    options: dict[str, Any],
    shape: tuple[int, ...],
    shared: bool,
    networks: tuple[int, ...],
    training: bool,
) -> None:
    layer = getattr(reference, name)(**options).train(training)
    assert_ensemble(layer, shape, networks, shared)


def test_cumulative_average() -> None:
    """With momentum None, the running mean is the mean of the batches' means."""
    layer = reference.BatchNorm1d(2, momentum=None)
    params = layer.init(np.random.default_rng(0))
    batches = [normal(5, 2, seed=seed) for seed in range(4)]
    for x in batches:
        _, cache = layer.forward(params, x)
        params |= layer.buffers(params, cache)
    np.testing.assert_allclose(params["running_mean"], np.mean(batches, axis=(0, 1)), rtol=1e-12)
    assert params["num_batches_tracked"] == 4


@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm2d", "InstanceNorm2d"])
def test_evaluation_leaves_the_buffers(name: str) -> None:
    layer = getattr(reference, name)(3, track_running_stats=True).train(False)
    params = layer.init(np.random.default_rng(0))
    shape = (4, 3) if name == "BatchNorm1d" else (4, 3, 5, 5)
    _, cache = layer.forward(params, normal(*shape))
    for key, value in layer.buffers(params, cache).items():
        np.testing.assert_array_equal(value, params[key])


BAD_INPUTS: list[tuple[str, dict[str, Any], tuple[int, ...], str]] = [
    ("BatchNorm1d", {"num_features": 3}, (4, 2), "the input's number of channels is 2"),
    ("BatchNorm1d", {"num_features": 3}, (1, 3), "the number of values per channel is 1"),
    ("BatchNorm1d", {"num_features": 3}, (4, 3, 2, 2), "the input's shape is"),
    ("BatchNorm2d", {"num_features": 3}, (4, 3, 2), "the input's shape is"),
    ("BatchNorm2d", {"num_features": 3}, (1, 3, 1, 1), "the number of values per channel"),
    ("InstanceNorm2d", {"num_features": 3}, (4, 3, 1, 1), "the number of values per channel"),
    ("LayerNorm", {"normalized_shape": (3, 5)}, (4, 5, 3), "the input's shape is .4, 5, 3."),
    ("RMSNorm", {"normalized_shape": 5}, (4, 3), "the input's shape is .4, 3."),
    ("GroupNorm", {"num_groups": 3, "num_channels": 3}, (1, 3), "the number of values is 1"),
    ("GroupNorm", {"num_groups": 3, "num_channels": 3}, (2, 4), "the input's shape is .2, 4."),
    ("GroupNorm", {"num_groups": 1, "num_channels": 3}, (3,), "the input's shape is .3,."),
]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("networks", [(1,), (3,), (2, 3)])
def test_group_norm_of_samples_without_places(networks: tuple[int, ...], shared: bool) -> None:
    assert_ensemble(reference.GroupNorm(2, 4), (5, 4), networks, shared)


def test_group_norm_does_not_count_the_networks() -> None:
    layer = reference.GroupNorm(3, 3)
    params = {name: np.ones((2, 3)) for name in layer.parameter_shapes()}
    with pytest.raises(ValueError, match="the number of values is 1"):
        layer.forward(params, normal(2, 1, 3))


@pytest.mark.parametrize(("name", "options", "shape", "message"), BAD_INPUTS)
def test_bad_input(
    name: str, options: dict[str, Any], shape: tuple[int, ...], message: str
) -> None:
    layer = getattr(reference, name)(**options)
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        layer.forward(layer.init(np.random.default_rng(0)), normal(*shape))


def test_bad_options() -> None:
    with pytest.raises(ValueError, match=r"^GroupNorm: num_channels is 5"):
        reference.GroupNorm(2, 5)
    with pytest.raises(ValueError, match=r"^BatchNorm1d: num_features is 0"):
        reference.BatchNorm1d(0)
    with pytest.raises(ValueError, match=r"^LayerNorm: normalized_shape is"):
        reference.LayerNorm(())
