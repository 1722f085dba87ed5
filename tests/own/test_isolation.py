"""Whatever odd object user code can reach: a verdict, the right one, and the object as before."""

from __future__ import annotations

import copy
import functools
import io
import itertools
import socket
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from compare import crosscheck
from compare.own.isolation.snapshot_and_restore import Memento
from compare.results.verdict import Verdict
from tests.support.odd_objects import ODD

X = np.array([[1.0, 2.0], [-0.4, 0.7], [0.3, 0.9]])
held: Any = None


def torch_loss(p: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.tanh(torch.tensor(X) @ p["W"]).sum()


class Network:
    """Right, unless it has a slope; it does something to an object in every run."""

    def __init__(self, odd: Any, change: Callable[[Any], object], slope: float = 1.0) -> None:
        self.W = np.array([[0.5, -1.0], [2.0, 0.3]])
        self.odd, self.others, self.change, self.slope = odd, [odd], change, slope

    def gradients(self) -> dict[str, Any]:
        self.change(self.odd)
        return {"W": self.slope * X.T @ (1 - np.tanh(X @ self.W) ** 2)}


@pytest.mark.parametrize("slope", [1.0, 1.001], ids=["right", "wrong"])
@pytest.mark.parametrize("name", ODD)
def test_odd_object_changes_no_verdict_and_stays_as_it_was(
    name: str, slope: float, request: pytest.FixtureRequest
) -> None:
    odd = ODD[name]
    one = odd.make()
    before = copy.deepcopy(odd.state(one))
    network = Network(one, odd.change, slope)
    weight, kind = network.W, type(one)
    numbers = weight.copy()
    if issubclass(kind, io.IOBase | socket.socket):
        request.addfinalizer(one.close)
    report = crosscheck((network, "W"), grads=network.gradients, torch_loss=torch_loss, draws=0)
    assert report.verdict is (Verdict.AGREE if slope == 1 else Verdict.DISAGREE), str(report)
    assert network.odd is one
    assert network.others[0] is one
    assert type(one) is kind
    assert odd.state(one) == before
    assert network.W is weight
    assert np.array_equal(weight, numbers)


def _by_default(change: Callable[[Any], object], one: Any) -> Callable[[], object]:
    def run(one: Any = one) -> object:
        return change(one)

    return run


def _by_keyword(change: Callable[[Any], object], one: Any) -> Callable[[], object]:
    def run(*, one: Any = one) -> object:
        return change(one)

    return run


def _by_global(change: Callable[[Any], object], one: Any) -> Callable[[], object]:
    global held
    held = one
    return lambda: change(held)


def _by_class(change: Callable[[Any], object], one: Any) -> Callable[[], object]:
    class Holder:
        value = one

    return lambda: change(Holder.value)


def _by_key(change: Callable[[Any], object], one: Any) -> Callable[[], object]:
    settings = {one: 1}
    return lambda: change(next(iter(settings)))


def _held_in(
    hold: Callable[[Any], Any], find: Callable[[Any], Any]
) -> Callable[[Callable[[Any], object], Any], Callable[[], object]]:
    def made(change: Callable[[Any], object], one: Any) -> Callable[[], object]:
        holder = hold(one)
        return lambda: change(find(holder))

    return made


#: How a function comes by an object.
PLACES: dict[str, Callable[[Callable[[Any], object], Any], Callable[[], object]]] = {
    "default": _by_default,
    "keyword": _by_keyword,
    "global": _by_global,
    "class": _by_class,
    "partial": functools.partial,
    "method": lambda change, one: types.MethodType(change, one),
    "closure": _held_in(lambda one: one, lambda one: one),
    "item": _held_in(lambda one: ((), [{"here": one}]), lambda held: held[1][0]["here"]),
    "key": _held_in(lambda one: {one: 1}, lambda held: next(iter(held))),
    "weak": _held_in(lambda one: (weakref.ref(one), one), lambda held: held[0]()),
    "array": _held_in(lambda one: np.array([one, None]), lambda held: held[0]),
    "exception": _held_in(ValueError, lambda held: held.args[0]),
    "iterator": _held_in(itertools.repeat, next),
    "cache": _held_in(lambda one: _filled(one), lambda held: held()),
}


def _filled(one: Any) -> Callable[[], Any]:
    found = functools.cache(lambda: one)
    found()
    return found


@pytest.mark.parametrize("place", PLACES)
def test_object_is_reached_wherever_it_is(place: str) -> None:
    one = Plain()
    run = PLACES[place](lambda one: one.__dict__.update(value=2), one)
    kept = Memento(run)
    run()
    assert one.value == 2
    kept.restore()
    assert one.value == 1


class Plain:
    def __init__(self) -> None:
        self.value = 1


def test_what_cannot_be_put_back_hinders_nothing() -> None:
    buffer, after = bytearray(b"ab"), [1]
    kept = Memento([after, buffer, after])
    buffer.append(1)
    after.append(2)
    with memoryview(buffer):  # it cannot be shortened meanwhile
        kept.restore()
        assert after == [1]
    kept.restore()
    assert buffer == b"ab"
