"""Clipping by norm and by value, beside PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from reference import Params, clip_grad_norm, clip_grad_value
from reference.module import Array
from reference.optim import total_norm

Clip = Callable[[Params, float, float], tuple[Params, Array]]

SHAPES = {"0.weight": (3, 4), "0.bias": (3,), "scale": ()}
TYPES = [2.0, 1.0, 3.0, 0.5, math.inf]
RTOL = {"float32": 1e-6, "float64": 1e-14}


def draw(seed: int, size: float, dtype: str = "float64", ensemble: tuple[int, ...] = ()) -> Params:
    rng = np.random.default_rng(seed)
    return {
        name: np.asarray(size * rng.normal(size=ensemble + shape), dtype)
        for name, shape in SHAPES.items()
    }


def by_torch(grads: Params, clip: Callable[[list[torch.Tensor]], object]) -> tuple[Params, object]:
    """What PyTorch makes of these gradients, in place, and what it returns."""
    tensors = {name: torch.nn.Parameter(torch.tensor(g)) for name, g in grads.items()}
    for name, tensor in tensors.items():
        tensor.grad = torch.tensor(grads[name])
    result = clip(list(tensors.values()))
    clipped = {}
    for name, tensor in tensors.items():
        assert tensor.grad is not None
        clipped[name] = np.array(tensor.grad.numpy())
    return clipped, result


def assert_close(actual: Params, expected: Params, rtol: float) -> None:
    assert list(actual) == list(expected)
    for name, value in actual.items():
        assert value.dtype == expected[name].dtype
        np.testing.assert_allclose(value, expected[name], rtol=rtol, atol=0, err_msg=name)


def check_norm(clip: Clip, size: float, norm_type: float, dtype: str) -> None:
    """Compare a clipping by norm with PyTorch's."""
    for seed in range(5):
        grads = draw(seed, size, dtype)
        expected, norm = by_torch(
            grads,
            lambda tensors: torch.nn.utils.clip_grad_norm_(tensors, 1.3, norm_type, foreach=False),
        )
        clipped, actual = clip(grads, 1.3, norm_type)
        assert isinstance(norm, torch.Tensor)
        np.testing.assert_allclose(actual, norm.numpy(), rtol=RTOL[dtype], atol=0)
        assert_close(clipped, expected, RTOL[dtype])


@pytest.mark.parametrize("dtype", RTOL)
@pytest.mark.parametrize("norm_type", TYPES)
@pytest.mark.parametrize("size", [1e-3, 0.3, 1.0, 1e3])
def test_norm_agrees_with_torch(size: float, norm_type: float, dtype: str) -> None:
    check_norm(clip_grad_norm, size, norm_type, dtype)


def test_norm_below_the_limit_changes_nothing() -> None:
    grads = draw(0, 1e-3)
    clipped, _ = clip_grad_norm(grads, 1.0)
    for name, g in grads.items():
        np.testing.assert_array_equal(clipped[name], g)


def test_norm_of_zero_gradients_and_of_none() -> None:
    grads = {"w": np.zeros((2, 3))}
    clipped, norm = clip_grad_norm(grads, 1.0)
    assert norm == 0
    np.testing.assert_array_equal(clipped["w"], grads["w"])
    nothing, norm = clip_grad_norm({}, 1.0)
    assert nothing == {}
    assert norm == 0


@pytest.mark.parametrize("norm_type", TYPES)
def test_norm_is_that_of_one_vector(norm_type: float) -> None:
    grads = draw(3, 2.0, "longdouble")
    vector = np.abs(np.concatenate([g.ravel() for g in grads.values()]))
    power = (vector**norm_type).sum() if norm_type < math.inf else 0.0
    expected = power ** (1 / norm_type) if norm_type < math.inf else vector.max()
    np.testing.assert_allclose(total_norm(grads, norm_type), expected, rtol=1e-17)


@pytest.mark.parametrize("norm_type", TYPES)
def test_each_network_of_an_ensemble_has_its_own_norm(norm_type: float) -> None:
    grads = draw(4, 0.5, ensemble=(2, 3))
    grads = {name: g * np.arange(6).reshape(2, 3, *[1] * (g.ndim - 2)) for name, g in grads.items()}
    clipped, norm = clip_grad_norm(grads, 1.3, norm_type, ensemble_axes=2)
    assert norm.shape == (2, 3)
    for i in np.ndindex(2, 3):
        alone, expected = clip_grad_norm({k: g[i] for k, g in grads.items()}, 1.3, norm_type)
        np.testing.assert_allclose(norm[i], expected, rtol=1e-14)
        assert_close({name: g[i] for name, g in clipped.items()}, alone, 1e-14)


def test_norm_over_everything_by_default() -> None:
    grads = draw(5, 0.5, ensemble=(4,))
    _, norm = clip_grad_norm(grads, 1.0)
    np.testing.assert_allclose(norm**2, sum((g**2).sum() for g in grads.values()), rtol=1e-14)


@pytest.mark.parametrize("dtype", RTOL)
def test_value_agrees_with_torch(dtype: str) -> None:
    grads = draw(6, 1.0, dtype)
    expected, _ = by_torch(grads, lambda tensors: torch.nn.utils.clip_grad_value_(tensors, 0.4))
    clipped = clip_grad_value(grads, 0.4)
    assert_close(clipped, expected, 0.0)
    assert max(np.abs(g).max() for g in grads.values()) > 0.4


def test_gradients_stay_as_they_are() -> None:
    grads = draw(7, 10.0)
    copies = {name: g.copy() for name, g in grads.items()}
    for g in grads.values():
        g.flags.writeable = False
    for clipped in (clip_grad_norm(grads, 1.0)[0], clip_grad_value(grads, 1.0)):
        for name, g in grads.items():
            np.testing.assert_array_equal(g, copies[name])
            assert not np.shares_memory(g, clipped[name])


def per_tensor(grads: Params, max_norm: float, norm_type: float) -> tuple[Params, Array]:
    alone = {name: clip_grad_norm({name: g}, max_norm, norm_type)[0] for name, g in grads.items()}
    norm = total_norm(grads, norm_type)
    return {name: clipped[name] for name, clipped in alone.items()}, norm


def without_eps(grads: Params, max_norm: float, norm_type: float) -> tuple[Params, Array]:
    norm = total_norm(grads, norm_type)
    c = np.minimum(max_norm / norm, 1.0)
    return {name: g * c for name, g in grads.items()}, norm


def always(grads: Params, max_norm: float, norm_type: float) -> tuple[Params, Array]:
    """Small gradients lengthened, too."""
    norm = total_norm(grads, norm_type)
    return {name: g * (max_norm / (norm + 1e-6)) for name, g in grads.items()}, norm


def norm_after(grads: Params, max_norm: float, norm_type: float) -> tuple[Params, Array]:
    clipped, _ = clip_grad_norm(grads, max_norm, norm_type)
    return clipped, total_norm(clipped, norm_type)


def test_the_norm_is_by_default_euclidean() -> None:
    assert total_norm({"w": np.array([3.0]), "b": np.array(4.0)}) == 5.0


@pytest.mark.parametrize(
    ("faulty", "size"),
    [(per_tensor, 10.0), (without_eps, 10.0), (always, 0.01), (norm_after, 10.0)],
)
def test_comparison_fails_on_faults(faulty: Clip, size: float) -> None:
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_norm(faulty, size, 2.0, "float64")


def test_refuses_what_makes_no_sense() -> None:
    grads = {"w": np.array([1.0, np.inf])}
    with pytest.raises(ValueError, match=r"clip_grad_norm: max_norm is -1.0, but should be at"):
        clip_grad_norm(grads, -1.0)
    with pytest.raises(ValueError, match=r"clip_grad_norm: norm_type is 0.0, but should be above"):
        clip_grad_norm(grads, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"clip_grad_norm: the norm of the gradients is .*inf"):
        clip_grad_norm(grads, 1.0, error_if_nonfinite=True)
    with pytest.raises(ValueError, match=r"clip_grad_value: clip_value is -1.0, but should be at"):
        clip_grad_value(grads, -1.0)
