"""Each planted fault is caught and named, from the update step alone where that can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compare import CrossReport, crosscheck
from compare.referee.opinion import Finding
from tests.support.networks import INPUTS, TARGETS, Network, torch_loss

#: The fault, and the causes that explain it, by name.
FAULTS = {
    "missing derivative": {"missing derivative"},
    "derivative at pre-activation": {"derivative taken at the wrong place"},
    "shared bias": {"one number for all units"},
    "mean": {"factor of 1 over the batch size"},
    "ascent": {"sign"},
    "untrained": {"never trained"},
    "decay": {"weight decay extra"},
}

ORDER = "weights updated before the error is propagated through them"


def by_step(fault: str, two_rates: bool) -> CrossReport:
    network = Network(fault)
    step: Callable[..., None] = (lambda lr: network.step(lr)) if two_rates else network.step
    return crosscheck(network.where, step=step, lr=0.5, torch_loss=torch_loss)


def test_without_a_fault_nothing_is_said() -> None:
    report = by_step("", two_rates=True)
    assert (report.causes, report.opinion, report.remarks) == ((), None, ())


@pytest.mark.parametrize("two_rates", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named_by_the_step_alone(fault: str, two_rates: bool) -> None:
    report = by_step(fault, two_rates)
    assert not report.agrees
    assert {cause.name for cause in report.causes} == FAULTS[fault]
    assert all(cause.match <= 1 for cause in report.causes)


@pytest.mark.parametrize("two_rates", [True, False])
def test_update_before_propagation_is_named(two_rates: bool) -> None:
    report = by_step("order", two_rates)
    assert not report.agrees
    assert [cause.name for cause in report.causes] == [ORDER]
    assert set(report.causes[0].tensors) == {"W1", "b1"}


def test_mean_squared_error_for_half_of_it_is_the_same_direction() -> None:
    network = Network()

    def mean(p: dict[str, Tensor]) -> Tensor:
        return torch_loss(p) * 2 / len(INPUTS)

    report = crosscheck(network.where, step=network.step, lr=0.5, torch_loss=mean)
    assert not report.agrees
    assert "same direction" in report.causes[0].told
    assert "2.5 times" in report.causes[0].told


def test_place_of_the_missing_derivative_is_told() -> None:
    report = by_step("missing derivative", two_rates=True)
    assert "at place 1 of 2 in the order of the forward pass (sigmoid)" in report.causes[0].told


def test_untrained_parameter_is_remarked_on() -> None:
    report = by_step("untrained", two_rates=True)
    assert any(remark.startswith("not trained: b2") for remark in report.remarks)


@pytest.mark.parametrize(
    ("fault", "spoil", "found"),
    [
        ("mean", 1.0, Finding.BACKWARD),
        ("", 2.0, Finding.LOSSES),
        ("mean", 2.0, Finding.BACKWARD),
    ],
)
def test_which_side_is_wrong(fault: str, spoil: float, found: Finding) -> None:
    network = Network(fault)
    report = crosscheck(
        network.where,
        grads=network.gradients,
        loss=network.loss,
        torch_loss=lambda p: torch_loss(p) * spoil,
    )
    assert report.opinion is not None
    assert report.opinion.finding is found


def test_autograd_that_is_wrong_is_told() -> None:
    class Wrongly(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 1

        @staticmethod
        def backward(ctx: Any, dy: Tensor) -> Tensor:
            return dy * 3

    def wrongly(x: Tensor) -> Tensor:
        return Wrongly.apply(x)  # type: ignore[no-untyped-call, no-any-return]

    network = Network()
    report = crosscheck(
        network.where,
        grads=network.gradients,
        loss=network.loss,
        torch_loss=lambda p: torch_loss({**p, "W1": wrongly(p["W1"])}),
    )
    assert report.opinion is not None
    assert report.opinion.finding is Finding.TORCH


class Descent(Network):
    """Other rules than plain descent."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule
        self.kept: dict[str, Any] = {}

    def step(self, lr: float | None = None) -> None:
        for name, g in self.gradients().items():
            if self.rule == "adam":
                update = g / (np.sqrt(g * g) + 1e-8)
            else:
                momentum = 0.9 if self.rule == "momentum" else 1.0
                update = self.kept[name] = momentum * self.kept.get(name, 0) + g
            setattr(self, name, getattr(self, name) - (lr or 0.5) * update)


def test_adaptive_rule_is_recognised() -> None:
    network = Descent("adam")
    report = crosscheck(network.where, step=network.step, lr=0.5, torch_loss=torch_loss)
    assert [cause.name for cause in report.causes] == ["adaptive update rule"]


@pytest.mark.parametrize(
    ("rule", "told"), [("momentum", "momentum of 0.9"), ("accumulated", "accumulated")]
)
def test_what_a_second_step_carries_is_remarked_on(rule: str, told: str) -> None:
    network = Descent(rule)
    report = crosscheck(network.where, step=network.step, lr=0.5, torch_loss=torch_loss)
    assert report.agrees
    assert any(told in remark for remark in report.remarks)
    assert network.kept == {}


def test_update_after_each_sample_is_named() -> None:
    class Online(Network):
        def step(self, lr: float | None = None) -> None:
            for x, y in zip(INPUTS, TARGETS, strict=True):
                self.inputs, self.targets = x[None], y[None]
                super().step(lr)

    network = Online()
    report = crosscheck(
        network.where, step=lambda lr: network.step(lr), lr=0.01, torch_loss=torch_loss
    )
    assert [cause.name for cause in report.causes] == ["weights updated more than once in a step"]


def test_parameters_read_elsewhere_are_remarked_on() -> None:
    network = Network()
    hidden = {name: getattr(network, name).copy() for name in ("W1", "b1", "W2", "b2")}
    report = crosscheck(hidden, grads=network.gradients, torch_loss=torch_loss)
    assert not report.agrees
    assert any("same at other weights" in remark for remark in report.remarks)


@pytest.mark.parametrize("size", [1e-9, 1e-6])
def test_small_relative_error_of_any_tensor_is_seen(size: float) -> None:
    for name in ("W1", "b1", "W2", "b2"):
        network = Network()

        def off(name: str = name, network: Network = network) -> dict[str, Any]:
            found = network.gradients()
            return {**found, name: found[name] * (1 + size)}

        report = crosscheck(network.where, grads=off, torch_loss=torch_loss)
        assert {f.quantity for f in report.failures} == {f"gradient {name}"}


def test_wrong_gradient_against_own_loss_is_seen_and_placed() -> None:
    network = Network()

    def off() -> dict[str, Any]:
        found = network.gradients()
        found["W1"][1, 2] += 1e-9
        return found

    report = crosscheck(network.where, grads=off, loss=network.loss)
    first = report.first_divergence
    assert first is not None
    assert first.difference is not None
    assert (first.quantity, first.difference.index) == ("gradient W1", (1, 2))
