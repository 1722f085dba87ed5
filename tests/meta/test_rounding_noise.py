"""Noise that did not keep to its rules would be noticed by the sweep over PyTorch's functions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from compare import CannotCompare
from compare.own.oracle import operations, rounding_noise
from compare.own.oracle.perturbed_numbers import Perturbation
from tests.own.test_functions import test_a_wrong_gradient_is_found as finds_the_wrong
from tests.own.test_functions import test_right_gradients_agree as agrees


@pytest.fixture(autouse=True)
def classified_anew() -> Iterator[None]:
    operations.kind.cache_clear()
    yield
    operations.kind.cache_clear()


def both(name: str) -> None:
    agrees(name)
    finds_the_wrong(name)


def is_noticed(name: str) -> None:
    with pytest.raises((AssertionError, CannotCompare)):
        both(name)


@pytest.mark.parametrize("name", ["amax", "median of all"])
def test_noise_on_what_is_chosen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"amax", "median"}
    monkeypatch.setattr(operations, "_EXACT", operations._EXACT - chosen)
    is_noticed(name)


@pytest.mark.parametrize("name", ["largest norm", "scatter_reduce"])
def test_noise_on_what_is_chosen_by_an_argument(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounding_noise, "chooses", lambda *given: False)
    is_noticed(name)


@pytest.mark.parametrize("name", ["asserted equal", "ties"])
def test_noise_that_moves_equal_numbers_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def noise(self: Perturbation, tensor: Tensor) -> Tensor:
        return self.size * torch.randn(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(Perturbation, "noise", noise)
    is_noticed(name)


def beyond(self: Perturbation, tensor: Tensor, times: float = 1.0) -> Tensor:
    return self.noise(tensor) * tensor * times


@pytest.mark.parametrize("name", ["mean over a count", "counted"])
def test_noise_on_whole_numbers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Perturbation, "change", beyond)
    is_noticed(name)


@pytest.mark.parametrize("name", ["softmax of minus infinity", "added mask"])
def test_noise_on_what_is_not_finite(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Perturbation,
        "moved",
        lambda self, tensor, times=1.0: tensor + self.noise(tensor) * tensor * times,
    )
    is_noticed(name)


def test_noise_that_leaves_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Perturbation, "change", beyond)
    is_noticed("nearly certain")


@pytest.mark.parametrize("name", ["sum", "tanh", "cross_entropy", "layer_norm"])
def test_too_much_noise(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Perturbation.noise
    monkeypatch.setattr(Perturbation, "noise", lambda *given: noise(*given) * 2.0**20)
    is_noticed(name)


@pytest.mark.parametrize("name", ["sum", "cross_entropy", "layer_norm", "matmul"])
def test_no_noise(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One unit in the last place of the largest entry is allowed without any, and more needed."""
    monkeypatch.setattr(Perturbation, "noise", lambda self, tensor: torch.zeros_like(tensor))
    monkeypatch.setattr("compare.measure.tolerances.MULTIPLE", 1.0)
    is_noticed(name)
