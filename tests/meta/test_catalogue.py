"""Faults planted in layers, losses and rules are caught by the catalogue's own comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch.fx.experimental.symbolic_shapes  # noqa: F401 - adds warnings filters: now, not later

import reference
from compare import faults as fault_catalogue
from compare.base.quantities import Array, Observation
from compare.cases.registry import DTYPES
from compare.catalogue import backward_against_forward, layer_against_torch
from compare.catalogue.check_entries import check
from compare.catalogue.subject import Subject, subject_of
from compare.catalogue.table import CATALOGUE
from compare.measure.rounding import Rounded
from compare.measure.tolerances import make
from compare.results.verdict import Verdict
from reference import Params

Method = Callable[..., Any]


def dx(change: Callable[[Any], Any]) -> Callable[[Method], Method]:
    """A backward with what it gives back to the input changed."""

    def changed(right: Method) -> Method:
        def wrong(*args: Any, **options: Any) -> Any:
            back, grads = right(*args, **options)
            return change(back), grads

        return wrong

    return changed


def grads(name: str, change: Callable[[Array], Array]) -> Callable[[Method], Method]:
    """A backward with one gradient changed."""

    def changed(right: Method) -> Method:
        def wrong(*args: Any) -> Any:
            back, found = right(*args)
            return back, {**found, name: change(found[name])} if name in found else found

        return wrong

    return changed


def result(change: Callable[[Any], Any]) -> Callable[[Method], Method]:
    return lambda right: lambda *args, **options: change(right(*args, **options))


def root_of_sum(right: Method) -> Method:
    """Adam with ε inside the root, in effect: a hair larger v."""

    def wrong(self: Any, g: Array, held: Params, o: Any) -> Any:
        m, v = right(self, g, held, o)
        return m, v + o.eps

    return wrong


@dataclass(frozen=True)
class Planted:
    """A fault: the class and method that it changes, how, and the entry that must show it."""

    entry: str
    owner: type
    method: str
    change: Callable[[Method], Method]
    backward: bool = True


def caught(name: str, backward: bool = True) -> Planted:
    """A fault of the catalogue of faults that changes one method."""
    fault = fault_catalogue.FAULTS[name]
    ((method, change),) = fault.changes.items()
    return Planted(fault.owner, getattr(reference, fault.owner), method, change, backward)


#: By name in the catalogue of faults, and whether the backward pass no longer fits the forward one.
FROM_CATALOGUE = {
    "MaxPool2d: overlapping windows assigned": True,
    "BatchNorm1d: statistics treated as constants": True,
    "BatchNorm2d: biased running variance": False,
    "Dropout: not rescaled": False,
    "Embedding: padding row gets a gradient": False,
    "GELU: tanh form for erf form": False,
    "ConvTranspose2d: bias never trained": True,
}

FAULTS: Mapping[str, Planted] = {
    **{name: caught(name, backward) for name, backward in FROM_CATALOGUE.items()},
    "weight gradient 5 % too large": Planted(
        "Linear", reference.Linear, "backward", grads("weight", lambda g: g * 1.05)
    ),
    "weight gradient off by 1e-4": Planted(
        "Conv2d", reference.Conv2d, "backward", grads("weight", lambda g: g * 1.0001)
    ),
    "repeated index counted twice": Planted(
        "Embedding", reference.Embedding, "backward", grads("weight", lambda g: g + g)
    ),
    "recurrent weight's gradient dropped": Planted(
        "LSTM", reference.LSTM, "backward", grads("weight_hh_l0", lambda g: g * 0.0)
    ),
    "gates in another order": Planted(
        "GRU", reference.GRU, "backward", grads("bias_hh_l0", lambda g: g[..., ::-1])
    ),
    "value's gradient given to key": Planted(
        "MultiheadAttention",
        reference.MultiheadAttention,
        "backward",
        grads("in_proj_bias", lambda g: np.concatenate([g[..., 1:], g[..., :1]], axis=-1)),
    ),
    "mean for sum": Planted("MSELoss", reference.MSELoss, "backward", result(lambda dy: dy * 0.5)),
    "weight of classes forgotten in the gradient": Planted(
        "CrossEntropyLoss", reference.CrossEntropyLoss, "backward", result(lambda dy: dy * 1.01)
    ),
    "eps inside the root": Planted("Adam", reference.Adam, "moments", root_of_sum, False),
    "schedule off by 1e-12": Planted(
        "StepLR", reference.StepLR, "next_lr", result(lambda lr: lr * (1 + 1e-12)), False
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    assert check(CATALOGUE[fault.entry]).verdict is Verdict.AGREE
    monkeypatch.setattr(fault.owner, fault.method, fault.change(getattr(fault.owner, fault.method)))
    row = check(CATALOGUE[fault.entry])
    assert row.verdict is Verdict.DISAGREE, str(row)
    assert any(checked.failures for checked in row.lockstep)
    if fault.backward:  # of which the forward pass knows nothing, so that it can tell
        assert any(checked.failures for checked in row.referee)


@dataclass(frozen=True)
class Moved(Subject):
    """A subject one entry of which is so many times what is allowed away from what it should be."""

    quantity: str = ""
    value: float = 0.0
    index: tuple[int, ...] = ()

    def everything(self, *args: Any) -> Observation:
        seen = super().everything(*args)
        number = seen[self.quantity]
        if isinstance(number, Rounded):
            number.value = number.value.copy()
            number.value[self.index] = self.value
        return seen


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["Linear", "Conv2d", "LSTM", "LayerNorm", "CrossEntropyLoss"])
@pytest.mark.parametrize("mode", ["statistical", "rigorous"])
def test_half_of_what_is_allowed_passes_and_twice_fails(name: str, dtype: str, mode: str) -> None:
    entry, tolerance = CATALOGUE[name], make(mode)
    variant = entry.variants[0]
    subject = subject_of(entry, variant, dtype)
    rng = layer_against_torch.generator(entry, variant, 0)
    problem = layer_against_torch.pose(entry, variant, subject, dtype, rng)
    expected, upstream = layer_against_torch.observe_torch(entry, variant, dtype, problem, rng)
    seen = layer_against_torch.observe(subject, problem, upstream, tolerance)
    for quantity in seen:
        _, unit = tolerance.split(seen[quantity], expected[quantity])
        index = np.unravel_index(int(np.argmax(unit)), unit.shape)
        allowed = tolerance.multiple * unit[index]
        for times in (0.5, 2.0):
            moved = Moved(
                subject.module,
                subject.differentiable,
                quantity,
                float(expected[quantity][index] + times * allowed),
                tuple(int(i) for i in index),
            )
            checked = layer_against_torch.check(entry, variant, dtype, tolerance, subject=moved)
            failed = [failure.quantity for failure in checked.failures]
            assert failed == ([quantity] if times > 1 else []), f"{quantity}, {times} times"


def test_missing_quantity_and_error_are_findings() -> None:
    entry = CATALOGUE["Linear"]
    variant = entry.variants[0]

    class WithoutBias(reference.Linear):
        def backward(self, params: Params, cache: Any, dy: Array) -> Any:
            back, found = super().backward(params, cache, dy)
            return back, {"weight": found["weight"]}

    class Raises(reference.Linear):
        def forward(self, params: Params, x: Array) -> Any:
            raise ValueError("no")

    lacking = layer_against_torch.check(entry, variant, subject=Subject(WithoutBias(3, 4)))
    assert [str(f) for f in lacking.failures] == [
        "lockstep, epoch 1: gradient bias: the reference does not have it"
    ]
    raising = layer_against_torch.check(entry, variant, subject=Subject(Raises(3, 4)))
    assert not raising.agrees
    assert "raised ValueError: no" in str(raising.failures[0])


def test_referee_knows_a_wrong_backward_without_the_other_side() -> None:
    entry = CATALOGUE["Tanh"]

    class OfTheOutput(reference.Tanh):
        def backward(self, params: Params, cache: Any, dy: Array) -> Any:
            back, found = super().backward(params, cache, dy)
            return back * 1.000001, found

    checked = backward_against_forward.check(
        entry, entry.variants[0], subject=Subject(OfTheOutput())
    )
    assert [f.quantity for f in checked.failures] == ["gradient at input along a direction"]
    assert backward_against_forward.check(entry, entry.variants[0]).agrees
