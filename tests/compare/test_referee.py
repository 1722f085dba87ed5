"""The referee names the side on which a fault was planted."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import torch_impl.networks
from compare import Report, Verdict, compare
from compare.cases.registry import DTYPES
from compare.referee.opinion import Finding, Opinion
from reference import (
    ACTIVATIONS,
    SGD,
    HalfSquaredErrorLoss,
    Linear,
    Module,
    ReLU,
    Sigmoid,
    Tanh,
)
from tests.support.noise import noise_case

# PyTorch imports it with the first custom function; it adds a warnings filter: now, not in a test.
import_module("sympy.utilities.exceptions")

each_dtype = pytest.mark.parametrize("dtype", DTYPES)

Method = Callable[..., Any]
Plant = tuple[type, str, Callable[[Method], Method]]

LAYERS: dict[str, type[Module]] = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU}


def judged(
    monkeypatch: pytest.MonkeyPatch, dtype: str, activation: str = "tanh", **changes: Any
) -> tuple[Report, Opinion]:
    """A comparison that must disagree in lockstep, and what the referee says."""
    arguments = {"sizes": (3, 4, 2), "activation": activation}
    report = compare(noise_case(monkeypatch, arguments=arguments, **changes), dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    assert report.opinion is not None
    return report, report.opinion


def plant(monkeypatch: pytest.MonkeyPatch, *plants: Plant) -> None:
    for owner, method, change in plants:
        monkeypatch.setattr(owner, method, change(getattr(owner, method)))


def output(change: Callable[[Any], Any]) -> Callable[[Method], Method]:
    """Change the first of a method's two results."""

    def planted(method: Method) -> Method:
        def changed(*args: Any) -> Any:
            first, second = method(*args)
            return change(first), second

        return changed

    return planted


def whole(change: Callable[[Any], Any]) -> Callable[[Method], Method]:
    return lambda method: lambda *args: change(method(*args))


def gradient(name: str, factor: float) -> Callable[[Method], Method]:
    return whole(lambda pair: (pair[0], pair[1] | {name: pair[1][name] * factor}))


def doubled_input(method: Method) -> Method:
    """f(2x) for f(x)."""
    return lambda layer, params, x: method(layer, params, x * 2)


BACKWARD: dict[str, tuple[str, list[Plant]]] = {
    "loss": ("tanh", [(HalfSquaredErrorLoss, "backward", whole(lambda dy: dy * 2))]),
    "sign": ("tanh", [(HalfSquaredErrorLoss, "backward", whole(lambda dy: -dy))]),
    "weight": ("tanh", [(Linear, "backward", gradient("weight", 1.05))]),
    "bias": ("tanh", [(Linear, "backward", gradient("bias", 0.0))]),
    "weight, ReLU": ("relu", [(Linear, "backward", gradient("weight", 0.9))]),
    "dx": ("tanh", [(Linear, "backward", output(lambda dx: dx * 1.01))]),
    "dx, ReLU": ("relu", [(Linear, "backward", output(lambda dx: -dx))]),
    "sigmoid": ("sigmoid", [(Sigmoid, "backward", output(lambda dx: dx * 4))]),
    "tanh": ("tanh", [(Tanh, "backward", lambda method: lambda layer, p, y, dy: (dy, {}))]),
    "ReLU": ("relu", [(ReLU, "backward", lambda method: lambda layer, p, cut, dy: (dy, {}))]),
    "two at once": (
        "tanh",
        [
            (Tanh, "backward", output(lambda dx: dx * 1.1)),
            (Linear, "backward", gradient("bias", 1.1)),
        ],
    ),
}

FORWARD: dict[str, tuple[str, list[Plant]]] = {
    "sigmoid(2x) with the derivative of sigmoid(x)": (
        "sigmoid",
        [(Sigmoid, "forward", doubled_input)],
    ),
    "tanh(2x) with the derivative of tanh(x)": ("tanh", [(Tanh, "forward", doubled_input)]),
    "half a ReLU": ("relu", [(ReLU, "forward", output(lambda y: y * 0.5))]),
    "outputs scaled": ("tanh", [(Linear, "forward", output(lambda y: y * 1.5))]),
    "outputs 0.1 % too large": ("tanh", [(Linear, "forward", output(lambda y: y * 1.001))]),
    "loss without its half": (
        "tanh",
        [(HalfSquaredErrorLoss, "forward", output(lambda loss: loss * 2))],
    ),
    "loss 1 % too large": (
        "relu",
        [(HalfSquaredErrorLoss, "forward", output(lambda loss: loss * 1.01))],
    ),
}

CONSISTENT: dict[str, tuple[str, list[Plant]]] = {
    "sigmoid(2x)": (
        "sigmoid",
        [(Sigmoid, "forward", doubled_input), (Sigmoid, "backward", output(lambda dx: dx * 2))],
    ),
    "tanh(2x)": (
        "tanh",
        [(Tanh, "forward", doubled_input), (Tanh, "backward", output(lambda dx: dx * 2))],
    ),
    "twice the ReLU": (
        "relu",
        [
            (ReLU, "forward", output(lambda y: y * 2)),
            (ReLU, "backward", output(lambda dx: dx * 2)),
        ],
    ),
    "outputs moved": ("tanh", [(Linear, "forward", output(lambda y: y + 0.25))]),
    "constant added to the loss": (
        "tanh",
        [(HalfSquaredErrorLoss, "forward", output(lambda loss: loss + 1))],
    ),
    "another loss": (
        "tanh",
        [
            (HalfSquaredErrorLoss, "forward", output(lambda loss: loss * 3)),
            (HalfSquaredErrorLoss, "backward", whole(lambda dy: dy * 3)),
        ],
    ),
}


@each_dtype
@pytest.mark.parametrize(("activation", "plants"), BACKWARD.values(), ids=BACKWARD.keys())
def test_fault_in_backward_of_the_reference(
    monkeypatch: pytest.MonkeyPatch, activation: str, plants: list[Plant], dtype: str
) -> None:
    plant(monkeypatch, *plants)
    _, opinion = judged(monkeypatch, dtype, activation)
    assert (opinion.finding, opinion.forwards_differ) == (Finding.REFERENCE, False)
    assert opinion.ours is not None
    assert opinion.theirs is not None
    assert opinion.theirs.claim == pytest.approx(opinion.theirs.derivative.value, rel=1e-4)
    assert abs(opinion.ours.claim - opinion.ours.derivative.value) > 1e-4


@each_dtype
@pytest.mark.parametrize(("activation", "plants"), FORWARD.values(), ids=FORWARD.keys())
def test_fault_in_forward_of_the_reference(
    monkeypatch: pytest.MonkeyPatch, activation: str, plants: list[Plant], dtype: str
) -> None:
    """Its backward, which is right, is then not the derivative of its forward."""
    plant(monkeypatch, *plants)
    _, opinion = judged(monkeypatch, dtype, activation)
    assert (opinion.finding, opinion.forwards_differ) == (Finding.REFERENCE, True)
    assert "and the two forwards differ" in str(opinion)


@each_dtype
@pytest.mark.parametrize(("activation", "plants"), CONSISTENT.values(), ids=CONSISTENT.keys())
def test_other_function_with_its_own_derivative(
    monkeypatch: pytest.MonkeyPatch, activation: str, plants: list[Plant], dtype: str
) -> None:
    plant(monkeypatch, *plants)
    _, opinion = judged(monkeypatch, dtype, activation)
    assert (opinion.finding, opinion.forwards_differ) == (Finding.FORWARDS, True)


def wrong_in_torch(activation: str, factor: float) -> type[nn.Module]:
    """PyTorch's own activation, whose hand-written backward is too large by a factor."""
    functions = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
    right = functions[activation]

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            y: Tensor = right(x)
            return y

        @staticmethod
        def backward(ctx: Any, *dy: Tensor) -> Tensor:
            (x,) = ctx.saved_tensors
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                (dx,) = torch.autograd.grad(right(x), x, dy[0])
            wrong: Tensor = dx * factor
            return wrong

    class Activation(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = Function.apply(x)  # type: ignore[no-untyped-call]
            return y

    return Activation


@each_dtype
@pytest.mark.parametrize("activation", LAYERS)
@pytest.mark.parametrize("factor", [-1.0, 0.0, 1.02])
def test_fault_in_a_custom_backward_on_the_side_of_pytorch(
    monkeypatch: pytest.MonkeyPatch, activation: str, factor: float, dtype: str
) -> None:
    wrong = wrong_in_torch(activation, factor)
    monkeypatch.setitem(torch_impl.networks.ACTIVATIONS, activation, wrong)
    _, opinion = judged(monkeypatch, dtype, activation)
    assert (opinion.finding, opinion.forwards_differ) == (Finding.TORCH, False)
    assert "PyTorch's side is wrong" in str(opinion)


@each_dtype
@pytest.mark.parametrize("activation", LAYERS)
def test_custom_backward_that_is_right_agrees(
    monkeypatch: pytest.MonkeyPatch, activation: str, dtype: str
) -> None:
    right = wrong_in_torch(activation, 1.0)
    monkeypatch.setitem(torch_impl.networks.ACTIVATIONS, activation, right)
    arguments = {"sizes": (3, 4, 2), "activation": activation}
    assert compare(noise_case(monkeypatch, arguments=arguments), dtype=dtype).opinion is None


@each_dtype
def test_faults_on_both_sides(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    monkeypatch.setitem(torch_impl.networks.ACTIVATIONS, "tanh", wrong_in_torch("tanh", 1.5))
    plant(monkeypatch, (Tanh, "backward", output(lambda dx: dx * 0.5)))
    assert judged(monkeypatch, dtype)[1].finding is Finding.BOTH


@each_dtype
def test_fault_in_the_update_rule_alone(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    def update(rule: SGD, p: Any, g: Any, held: Any, o: Any) -> Any:
        return p - 1.01 * o.lr * g, held

    monkeypatch.setattr(SGD, "update", update)
    report, opinion = judged(monkeypatch, dtype)
    assert opinion == Opinion(Finding.UPDATE)
    assert report.failures[0].quantity.startswith("parameter ")


@each_dtype
def test_what_cannot_be_compared_cannot_be_judged(
    monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    weight_alone = whole(lambda pair: (pair[0], {"weight": pair[1]["weight"]}))
    plant(monkeypatch, (Linear, "backward", weight_alone))
    assert judged(monkeypatch, dtype)[1] == Opinion(Finding.STRUCTURE)


@pytest.mark.parametrize("factor", [1 + 1e-11, 1 - 1e-10, 1 + 1e-8])
@pytest.mark.parametrize("activation", LAYERS)
def test_tiny_difference_in_double_precision(
    monkeypatch: pytest.MonkeyPatch, activation: str, factor: float
) -> None:
    plant(monkeypatch, (Linear, "backward", gradient("weight", factor)))
    _, opinion = judged(monkeypatch, "float64", activation)
    allowed = {Finding.REFERENCE} if activation != "relu" else {Finding.REFERENCE, Finding.UNCLEAR}
    assert opinion.finding in allowed  # PyTorch has no ReLU of complex numbers


def test_no_fault_no_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compare(noise_case(monkeypatch)).opinion is None


# Where the best methods are not to be had.


class Real(Tanh):
    """A layer that refuses complex numbers."""

    def forward(self, params: Any, x: Any) -> Any:
        if x.dtype.kind == "c":
            raise TypeError("complex numbers are not supported")
        return super().forward(params, x)


@each_dtype
@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize(
    ("plants", "finding"),
    [
        ([(Tanh, "backward", output(lambda dx: dx * 1.001))], Finding.REFERENCE),
        ([(Linear, "backward", gradient("bias", 1.001))], Finding.REFERENCE),
        (CONSISTENT["tanh(2x)"][1], Finding.FORWARDS),
    ],
)
def test_without_complex_arithmetic_and_without_extended_precision(
    monkeypatch: pytest.MonkeyPatch,
    plants: list[Plant],
    finding: Finding,
    extended: bool,
    dtype: str,
) -> None:
    monkeypatch.setitem(ACTIVATIONS, "tanh", Real)
    if not extended:
        monkeypatch.setattr("compare.training.which_side.extended_precision", lambda: False)
    plant(monkeypatch, *plants)
    _, opinion = judged(monkeypatch, dtype)
    assert opinion.finding is finding
    assert opinion.ours is not None
    assert opinion.ours.derivative.method.startswith("central differences")
    assert re.search(r"the reference's loss changes by \S+ \(central differences", str(opinion))


@pytest.mark.parametrize("extended", [True, False])
def test_fault_of_pytorch_is_seen_without_complex_arithmetic(
    monkeypatch: pytest.MonkeyPatch, extended: bool
) -> None:
    monkeypatch.setitem(ACTIVATIONS, "tanh", Real)
    if not extended:
        monkeypatch.setattr("compare.training.which_side.extended_precision", lambda: False)
    monkeypatch.setitem(torch_impl.networks.ACTIVATIONS, "tanh", wrong_in_torch("tanh", 1.001))
    assert judged(monkeypatch, "float64")[1].finding is Finding.TORCH


def test_referee_leaves_both_sides_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks on at the first fault only; training goes on as without it."""
    plant(monkeypatch, (Linear, "backward", gradient("weight", 1.05)))
    with_referee, _ = judged(monkeypatch, "float64")
    monkeypatch.setattr("compare.training.session.judge", lambda *args: None)
    case = noise_case(monkeypatch)
    assert compare(case).history.torch == with_referee.history.torch
    assert np.isfinite(compare(case).history.reference).all()
