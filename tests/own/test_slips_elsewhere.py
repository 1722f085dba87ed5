"""Slips in other places than fully connected layers: each is named, and no other for it.

The user's gradients are PyTorch's own, with what tensors hand on changed by hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from compare import CrossReport, crosscheck
from compare.own.explain.slips import EARLY
from tests.support.planted_layers import causes

Loss = Callable[[Mapping[str, Tensor], bool], Tensor]


def data(*shape: int) -> Tensor:
    return torch.tensor(np.random.default_rng(sum(shape)).normal(size=shape))


def check(loss: Loss, **shapes: tuple[int, ...]) -> CrossReport:
    """A loss that plants a fault if it is asked to; the user's gradients have the fault."""
    p = {name: np.random.default_rng(len(name)).normal(size=s) for name, s in shapes.items()}

    def grads() -> dict[str, Any]:
        tensors = {name: torch.tensor(value, requires_grad=True) for name, value in p.items()}
        found = torch.autograd.grad(loss(tensors, True), list(tensors.values()))
        return {name: g.numpy() for name, g in zip(tensors, found, strict=True)}

    return crosscheck(p, grads=grads, torch_loss=lambda q: loss(q, False))


def hooked(tensor: Tensor, planted: bool, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The same tensor, which hands on another gradient if that is asked for."""
    tensor = tensor * 1 if planted else tensor
    if planted:
        tensor.register_hook(change)  # type: ignore[no-untyped-call]
    return tensor


def two_layers(activation: Callable[[Tensor], Tensor], wrong: Callable[[Tensor], Tensor]) -> Loss:
    """A hidden layer whose activation is differentiated as another function."""

    def loss(p: Mapping[str, Tensor], planted: bool) -> Tensor:
        z = data(6, 3) @ p["W"]
        h = activation(z)
        if planted:
            h = h.detach() + wrong(z) - wrong(z).detach()
        return ((h @ p["V"] - data(6, 2)) ** 2).sum() / 2

    return loss


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "elu": functional.elu,
    "softplus": functional.softplus,
    "silu": functional.silu,
    "leaky relu": functional.leaky_relu,
    "softsign, of several operations": functional.softsign,
    "sigmoid, of several operations": lambda z: 1 / (1 + torch.exp(-z)),
    "tanh, of several operations": lambda z: 2 * torch.sigmoid(2 * z) - 1,
    "sin": torch.sin,
}


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if "softsign" not in name])
def test_missing_derivative_of_any_activation(name: str) -> None:
    report = check(two_layers(ACTIVATIONS[name], lambda z: z), W=(3, 4), V=(4, 2))
    assert causes(report) == ["missing derivative"]
    assert name.partition(",")[0] in report.causes[0].told


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if "softsign" not in name])
@pytest.mark.parametrize("other", [torch.tanh, torch.relu, functional.gelu])
def test_derivative_of_another_activation(name: str, other: Callable[[Tensor], Tensor]) -> None:
    report = check(two_layers(ACTIVATIONS[name], other), W=(3, 4), V=(4, 2))
    if name.startswith("tanh") and other is torch.tanh:
        assert report.agrees
    else:
        assert causes(report) == ["derivative of another activation"]


def test_unknown_derivative_is_not_named() -> None:
    report = check(two_layers(torch.tanh, lambda z: z**3), W=(3, 4), V=(4, 2))
    assert not report.agrees
    assert causes(report) == []


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("samples", [1, 6])
def test_missing_scale_is_named_however_weights_are_stored(turned: bool, samples: int) -> None:
    def loss(p: Mapping[str, Tensor], planted: bool) -> Tensor:
        w = p["W"].T if turned else p["W"]
        h = torch.tanh(data(samples, 3) @ w)
        y = p["gamma"] * h
        if planted:
            y = p["gamma"] * h.detach() + (h - h.detach())
        return ((y - data(samples, 4)) ** 2).sum()

    report = check(loss, W=(4, 3) if turned else (3, 4), gamma=(4,))
    assert causes(report) == ["missing factor"]
    assert "gamma" in report.causes[0].told


def test_scale_that_is_unknown_is_told_by_the_error_whatever_the_orientation() -> None:
    """A wrong diagonal of the error scales units, be they rows or columns."""
    for turned, slices in ((False, "column"), (True, "row")):

        def loss(p: Mapping[str, Tensor], planted: bool, turned: bool = turned) -> Tensor:
            h = torch.tanh(data(6, 3) @ (p["W"].T if turned else p["W"]))
            h = hooked(h, planted, lambda g: g * torch.tensor([1.0, 0.3, -2.0, 0.7]))
            return ((h @ p["V"] - data(6, 2)) ** 2).sum()

        report = check(loss, W=(4, 3) if turned else (3, 4), V=(4, 2))
        assert causes(report) == ["one factor for each unit"]
        assert f"each {slices} times" in report.causes[0].told


@pytest.mark.parametrize("axes", [1, 2])
def test_every_tied_maximum(axes: int) -> None:
    x = torch.tensor([0.5, 0.5, 0.5, 0.2, 0.9, -0.3, 0.7, 0.1, 0.4]).double()
    pool = (functional.max_pool1d, functional.max_pool2d)[axes - 1]

    def windows(z: Tensor) -> Tensor:
        if axes == 1:
            return z.unfold(-1, 2, 2)
        return z.unfold(-2, 2, 2).unfold(-2, 2, 2).flatten(-2)

    def loss(p: Mapping[str, Tensor], planted: bool) -> Tensor:
        z = p["k"][0] * x[:-1] + p["k"][1] * x[1:]
        z = z.reshape(1, -1) if axes == 1 else z.reshape(1, 2, 4)
        top = pool(z, 2)
        if planted:
            one = windows(z)
            top = torch.where(one == one.amax(-1, keepdim=True), one, 0.0).sum(-1)
            top = top - top.detach() + pool(z, 2).detach()
        return (top * data(*top.shape)).sum() + (p["k"] ** 2).sum()

    x = x if axes == 1 else torch.tensor([0.5] * 6 + [0.2, 0.9, 0.1]).double()
    assert causes(check(loss, k=(2,))) == ["every tied maximum gets the gradient"]


def residual(p: Mapping[str, Tensor], planted: str) -> Tensor:
    a = data(6, 3) @ p["V"]
    skip = a * 1
    h = torch.tanh(a @ p["W"]) if "deep" in planted else torch.tanh(a * p["s"])
    if "left out" in planted:
        skip = skip.detach()
    return ((skip + h - data(6, 3)) ** 2).sum()


def test_branch_that_is_left_out() -> None:
    report = check(
        lambda p, planted: residual(p, "deep left out" if planted else "deep"),
        V=(3, 3),
        W=(3, 3),
    )
    assert causes(report) == ["gradient of a branch left out"]


def test_error_that_one_branch_overwrites() -> None:
    x, y = data(6, 3), data(6, 3)
    p = {name: np.random.default_rng(len(name)).normal(size=(3, 3)) for name in ("V", "Wh")}

    def grads() -> dict[str, Any]:
        a = x.numpy() @ p["V"]
        h = np.tanh(a @ p["Wh"])
        dy = 2 * (a + h - y.numpy())
        dz = dy  # the same array
        dz *= 1 - h**2
        return {"V": x.numpy().T @ (dy + dz @ p["Wh"].T), "Wh": a.T @ dz}

    def loss(q: Mapping[str, Tensor]) -> Tensor:
        a = x @ q["V"]
        return ((a + torch.tanh(a @ q["Wh"]) - y) ** 2).sum()

    assert causes(crosscheck(p, grads=grads, torch_loss=loss)) == ["error overwritten"]


def recurrent(gated: bool, samples: int, fault: str) -> Loss:
    """A recurrence with an output at its end, with or without a gate."""

    def loss(p: Mapping[str, Tensor], planted: bool) -> Tensor:
        h, states = torch.zeros(samples, 4, dtype=torch.float64), []
        for x in data(4, samples, 3):
            old = h.detach() if planted and fault == "cut" else h
            h = torch.tanh(x @ p["U"] + old @ p["W"])
            if gated:
                gate = torch.sigmoid(x @ p["Ug"] + old @ p["Wg"])
                h = gate * h
            if planted and fault == "injected":
                h = h * 1
                states.append(h)
        y = h @ p["V"] - data(samples, 2)
        if planted and fault == "injected":
            error = (y @ p["V"].T).detach()
            for state in states[:-1]:
                state.register_hook(lambda g: g + error)  # type: ignore[no-untyped-call]
        return (y**2).sum() / 2

    return loss


@pytest.mark.parametrize("samples", [1, 5])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("injected", "last step's error injected at every step"),
        ("cut", "gradient from later steps left out"),
    ],
)
def test_recurrence(gated: bool, samples: int, fault: str, name: str) -> None:
    shapes = {"U": (3, 4), "W": (4, 4), "V": (4, 2)}
    shapes |= {"Ug": (3, 4), "Wg": (4, 4)} if gated else {}
    assert causes(check(recurrent(gated, samples, fault), **shapes)) == [name]


def test_coincidence_at_one_set_of_weights_is_no_cause() -> None:
    """Two gradients are off by the same factor where two numbers are equal by chance."""
    p = {"a": np.array([0.5]), "b": np.array([0.5]), "u": np.array([0.3]), "v": np.array([-0.7])}

    def grads() -> dict[str, Any]:
        a, b, u, v = (p[name] for name in "abuv")
        return {"a": 2 * u * a, "b": 2 * v * b, "u": np.exp(a) * a**2, "v": np.exp(b) * b**2}

    def loss(q: Mapping[str, Tensor]) -> Tensor:
        return (q["u"] * q["a"] ** 2 + q["v"] * q["b"] ** 2).sum()

    assert causes(crosscheck(p, grads=grads, torch_loss=loss)) == []


def made(build: Callable[[], nn.Module]) -> nn.Module:
    """A module, always with the same first weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build().double()


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("spoil", [lambda v: np.cos(7 * v), lambda v: v**3])
def test_nothing_is_named_nor_fails_in_layers_of_many_operations(
    kind: Callable[..., nn.Module], spoil: Callable[[Any], Any]
) -> None:
    module = made(lambda: kind(3, 4))
    p = {name: one.detach().numpy().copy() for name, one in module.named_parameters()}
    report = crosscheck(
        p,
        grads=lambda: {name: spoil(value) for name, value in p.items()},
        module=module,
        torch_loss=lambda m: (m(data(2, 5, 3))[0] ** 2).sum(),
    )
    assert not report.agrees
    assert (causes(report), report.remarks) == ([], ())


class Wires:
    """A hidden layer written by hand beside a module, or in one vector."""

    def __init__(self, early: bool, missing: bool) -> None:
        rng = np.random.default_rng(1)
        self.early, self.missing = early, missing
        self.W1, self.b1 = rng.normal(size=(3, 4)), rng.normal(size=4)
        self.W2, self.b2 = rng.normal(size=(4, 2)), rng.normal(size=2)

    def step(self, lr: float) -> None:
        x, y = data(6, 3).numpy(), data(6, 2).numpy()
        h = np.tanh(x @ self.W1 + self.b1)
        e, old = h @ self.W2 + self.b2 - y, self.W2
        self.W2, self.b2 = self.W2 - lr * h.T @ e, self.b2 - lr * e.sum(0)
        d = e @ (self.W2 if self.early else old).T * (1 if self.missing else 1 - h**2)
        self.W1, self.b1 = self.W1 - lr * x.T @ d, self.b1 - lr * d.sum(0)


@pytest.mark.parametrize(
    ("early", "missing", "name"),
    [
        (True, False, EARLY),
        (False, True, "missing derivative"),
        (True, True, f"{EARLY} and missing derivative"),
    ],
)
def test_slips_beside_a_module(early: bool, missing: bool, name: str) -> None:
    wires = Wires(early, missing)
    report = crosscheck(
        (wires, "W1", "b1", "W2", "b2"),
        step=wires.step,
        lr=0.05,
        module=made(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))),
        names={"W1": "0.weight.T", "b1": "0.bias", "W2": "2.weight.T", "b2": "2.bias"},
        torch_loss=lambda m: ((m(data(6, 3)) - data(6, 2)) ** 2).sum() / 2,
    )
    assert causes(report) == [name]
    assert "right: W2 and b2; first wrong: " in report.where
