"""Whatever user code can reach is put back: the same objects with the same contents."""

from __future__ import annotations

import collections
import functools
import random
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from compare.own.isolation.snapshot_and_restore import Memento

counter = {"calls": 0}
rate = 0.5


class Slotted:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Any = [1.0]


class Counting:
    made = 0
    seen: list[int] = []  # noqa: RUF012 - a class attribute that is shared on purpose


def test_attributes_items_and_arrays_keep_identity_and_contents() -> None:
    array = np.arange(4.0)
    view = array[1:3]
    thing = SimpleNamespace(array=array, view=view, list=[1, [2]], dict={"a": {"b": 1}})
    kept = Memento(thing)
    thing.array = np.zeros(2)
    array += 5
    view[:] = 9
    thing.list[1].append(3)
    thing.list.append(4)
    thing.dict["a"]["b"] = 2
    thing.dict["c"] = 3
    thing.more = 1
    kept.restore()
    assert thing.array is array
    assert array.tolist() == [0, 1, 2, 3]
    assert np.shares_memory(thing.view, array)
    assert (thing.list, thing.dict) == ([1, [2]], {"a": {"b": 1}})
    assert not hasattr(thing, "more")


def test_closures_globals_and_defaults_of_functions_are_reached() -> None:
    hidden, total = [1], 0

    def change(into: list[int] = [0]) -> None:  # noqa: B006 - that is what is tested
        nonlocal total
        global rate
        total += 1
        rate = 9.0
        hidden.append(2)
        into.append(1)
        counter["calls"] += 1

    kept = Memento(functools.partial(change))
    change()
    kept.restore()
    assert (hidden, total, rate, counter) == ([1], 0, 0.5, {"calls": 0})
    assert change.__defaults__ == ([0],)


def test_slots_and_class_attributes() -> None:
    slotted, counting = Slotted(), Counting()
    kept = Memento(slotted, counting)
    slotted.value = None
    Counting.made += 1
    Counting.seen.append(1)
    kept.restore()
    assert (slotted.value, Counting.made, Counting.seen) == ([1.0], 0, [])


@pytest.mark.parametrize(
    ("source", "draw"),
    [
        (np.random.default_rng(0), lambda rng: rng.random()),
        (np.random.RandomState(0), lambda rng: rng.rand()),
        (random.Random(0), lambda rng: rng.random()),  # noqa: S311
        (torch.Generator().manual_seed(0), lambda rng: torch.rand(1, generator=rng).item()),
    ],
)
def test_generators_of_random_numbers_go_back(source: Any, draw: Any) -> None:
    kept = Memento({"rng": source})
    first = draw(source)
    kept.restore()
    assert draw(source) == first


def test_sets_queues_bytes_and_tensors() -> None:
    held: dict[str, Any] = {
        "set": {1},
        "queue": collections.deque([1, 2], maxlen=3),
        "bytes": bytearray(b"ab"),
        "tensor": torch.ones(2, requires_grad=True),
        "ordered": collections.OrderedDict(a=1, b=2),
    }
    kept = Memento(held)
    held["set"].add(2)
    held["queue"].append(3)
    held["bytes"][0] = 0
    held["ordered"].move_to_end("a")
    held["tensor"].sum().backward()
    with torch.no_grad():
        held["tensor"].zero_()
    kept.restore()
    assert held["set"] == {1}
    assert list(held["queue"]) == [1, 2]
    assert held["queue"].maxlen == 3
    assert held["bytes"] == b"ab"
    assert list(held["ordered"]) == ["a", "b"]
    assert held["tensor"].tolist() == [1, 1]
    assert held["tensor"].grad is None


@pytest.mark.parametrize(
    ("place", "users"),
    [
        ("/home/me/net/mine.py", True),
        ("/home/me/venv/lib/python3.12/site-packages/torch/mine.py", False),
        ("/usr/lib/python3/dist-packages/mine.py", False),
        (random.__file__, False),
    ],
)
def test_installed_packages_are_left_alone(
    place: str, users: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("backproof_test_module")
    module.__file__ = place
    vars(module)["held"] = [1]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    kept = Memento(module, random.SystemRandom())
    vars(module)["held"].append(2)
    kept.restore()
    assert vars(module)["held"] == ([1] if users else [1, 2])


def test_objects_that_hold_each_other_end() -> None:
    one, other = SimpleNamespace(), SimpleNamespace()
    one.other, other.one = other, one
    one.value = 1
    kept = Memento(one)
    one.value, other.one = 2, None
    kept.restore()
    assert (one.value, other.one) == (1, one)
