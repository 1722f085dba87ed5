"""Objects that answer oddly, that cannot be changed, or that can: one table of them."""

from __future__ import annotations

import array
import collections
import ctypes
import dataclasses
import enum
import functools
import io
import itertools
import queue
import random
import socket
import tempfile
import threading
import types
import typing
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import numpy.typing as npt
import torch


@dataclasses.dataclass(frozen=True)
class Odd:
    """A kind of object.

    Attributes:
        make: makes one.
        change: what a network does to it in every run.
        state: what of it must be as before.
    """

    make: Callable[[], Any]
    change: Callable[[Any], object] = lambda one: None
    state: Callable[[Any], Any] = lambda one: None


def refuse(*given: Any, **named: Any) -> Any:
    raise RuntimeError("not for you")


def hostile(*names: str, base: Any = object, **more: Any) -> Callable[[], Any]:
    """Makes objects that raise when certain of their methods are called."""
    kind = type("Hostile", (base,), {**dict.fromkeys(names, refuse), **more})
    return lambda: base.__new__(kind)


def attribute(name: str = "value") -> dict[str, Callable[[Any], Any]]:
    """Changes and reads an attribute by Python's own means, whatever the class overrides."""

    def change(one: Any) -> None:
        object.__setattr__(one, name, [*_own(one, name, []), 1.0])

    return {"change": change, "state": lambda one: _own(one, name, None)}


def _own(one: Any, name: str, default: Any) -> Any:
    try:
        return object.__getattribute__(one, name)
    except AttributeError:
        return default


class Proxy:
    """Answers to every name, and keeps nothing in a ``__dict__``."""

    __slots__ = ("target",)

    def __init__(self, target: Any) -> None:
        self.target = target

    def __getattr__(self, name: str) -> Any:
        return lambda *given: getattr(self.target, name)(*given)


class Anything:
    """Answers to every name, ``__wrapped__`` and ``__array__`` among them."""

    def __getattr__(self, name: str) -> Any:
        return Anything()


class Secret:
    """Shows other attributes than it has."""

    def __init__(self) -> None:
        self.value = [1.0]

    __dict__ = property(lambda self: types.MappingProxyType({"shown": 1}))


class Unread(Secret):
    __dict__ = property(refuse)


class Liar:
    """Says that it is a dict."""

    __class__ = property(lambda self: dict)

    def __init__(self) -> None:
        self.value = [1.0]


class Listed:
    __slots__ = {"value": "one", "__private": "two"}  # noqa: RUF023

    def __init__(self) -> None:
        self.value: Any = [1.0]
        self.__private = 1


@dataclasses.dataclass(frozen=True)
class Frozen:
    value: list[float] = dataclasses.field(default_factory=lambda: [1.0])


@dataclasses.dataclass(slots=True)
class Compact:
    value: list[float] = dataclasses.field(default_factory=lambda: [1.0])


class Pair(NamedTuple):
    first: list[float]
    second: float = 0.0


class Mode(enum.Enum):
    TRAIN = 1


class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2


class Number(float):
    """As in a small autograd: a number with its gradient."""


class Odds(type):
    """Classes that cannot be told apart or counted."""

    __eq__ = __hash__ = refuse
    __bases__ = __mro__ = property(refuse)


class Strange(metaclass=Odds):
    value: Any = (1.0,)


class Worker(threading.Thread):
    """A thread with weights."""

    def __init__(self) -> None:
        super().__init__()
        self.value = [1.0]


class Lying(np.ndarray[Any, Any]):
    """An array whose methods raise."""

    copy = view = __getitem__ = refuse


class Jitted:
    """As compiled functions are: the original, and what no one outside may touch."""

    def __init__(self) -> None:
        self.py_func = lambda x: x
        self.calls = 0


#: Compiled functions are told by their class being an installed package's.
Jitted.__module__ = "torch"


class DeviceArray:
    """As JAX's: its numbers cannot be changed, and it has no attributes."""

    __slots__ = ("_numbers",)
    __array_priority__ = 100

    def __init__(self) -> None:
        object.__setattr__(self, "_numbers", np.ones(3))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"cannot assign to {name}")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("arrays are immutable")

    def __bool__(self) -> bool:
        raise ValueError("the truth value is ambiguous")

    def __eq__(self, other: object) -> Any:
        return DeviceArray()

    __hash__ = None  # type: ignore[assignment]


class Key:
    pass


KEY = Key()


def counted() -> Iterator[int]:
    yield from range(1000)


@functools.singledispatch
def generic(given: Any) -> Any:
    return given


def cached() -> Any:
    return functools.lru_cache(lambda x: [x])


def filled() -> Any:
    """A cache that holds something that is made once."""
    found = functools.cache(lambda: [1.0])
    found()
    return found


def plus_one(x: torch.Tensor) -> torch.Tensor:
    return x + 1


def scripted(one: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(one)


def opened() -> Any:
    return tempfile.TemporaryFile()


def mapped() -> Any:
    with tempfile.NamedTemporaryFile() as file:
        return np.memmap(file, float, "w+", shape=3)


def read_only(value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    value.flags.writeable = False
    return value


def force(value: npt.NDArray[Any]) -> None:
    """Change what is read-only."""
    value.flags.writeable = True
    value += 1


def matrix() -> Any:
    return np.ones((2, 2)).view(np.matrix)


def structured() -> Any:
    return np.zeros(3, [("a", float), ("b", object)])


def add_to(one: Any) -> None:
    one += 1


def added(one: Any) -> Any:
    return np.asarray(one).tolist()


def tensor_of(one: Any) -> Any:
    return one.tolist(), one.requires_grad, one.grad, tuple(one.shape)


def grown(one: torch.Tensor) -> None:
    one.data = torch.zeros(5)
    one.requires_grad_()


def forget_factory(one: Any) -> None:
    one["new"].append(1)
    one.default_factory = None


def stamp(one: Any) -> None:
    one["new"] = 1


ODD: dict[str, Odd] = {
    "proxy with slots": Odd(
        lambda: Proxy([1.0]), lambda one: one.append(2.0), lambda one: one.target
    ),
    "answers to every name": Odd(Anything, **attribute()),
    "__getattr__ raises": Odd(hostile("__getattr__"), **attribute()),
    "__getattribute__ raises": Odd(hostile("__getattribute__"), **attribute()),
    "__class__ raises": Odd(hostile(__class__=property(refuse)), **attribute()),
    "__class__ lies": Odd(Liar, **attribute()),
    "__dict__ is computed": Odd(Secret, **attribute()),
    "__dict__ raises": Odd(Unread, **attribute()),
    "__setattr__ raises": Odd(hostile("__setattr__"), **attribute()),
    "no equality": Odd(hostile("__eq__", "__hash__"), **attribute()),
    "equality of entries": Odd(hostile(__eq__=lambda self, other: np.ones(2)), **attribute()),
    "no truth": Odd(hostile("__bool__", "__len__"), **attribute()),
    "no items": Odd(hostile("__iter__", "__getitem__", "__contains__", "keys"), **attribute()),
    "no text": Odd(hostile("__repr__", "__str__", "__format__"), **attribute()),
    "no array": Odd(hostile("__array__", "__index__", "__float__"), **attribute()),
    "no copies": Odd(
        hostile("__copy__", "__deepcopy__", "__reduce_ex__", "__getstate__"),
        **attribute(),
    ),
    "class of odd classes": Odd(
        lambda: Strange,
        lambda one: type.__setattr__(one, "value", 3),
        lambda one: type.__getattribute__(one, "value"),
    ),
    "slots": Odd(Listed, **attribute()),
    "frozen dataclass": Odd(Frozen, lambda one: one.value.append(1.0), lambda one: one.value),
    "compact dataclass": Odd(Compact, **attribute()),
    "named tuple": Odd(
        lambda: Pair([1.0]), lambda one: one.first.append(1), lambda one: list(one.first)
    ),
    "member of an enum": Odd(lambda: Mode.TRAIN, **attribute("extra")),
    "flags": Odd(lambda: Level.LOW | Level.HIGH),
    "number with attributes": Odd(lambda: Number(1.0), **attribute()),
    "another class": Odd(
        Compact, lambda one: object.__setattr__(one, "value", ()), lambda one: one.value
    ),
    "read-only mapping": Odd(
        lambda: types.MappingProxyType({"scale": [1.0]}),
        lambda one: one["scale"].append(2),
        lambda one: one["scale"],
    ),
    "names of a class": Odd(lambda: Compact.__dict__),
    "ordered dict": Odd(
        lambda: collections.OrderedDict(a=1, b=2), lambda one: one.move_to_end("a"), list
    ),
    "default dict": Odd(
        lambda: collections.defaultdict(list),
        forget_factory,
        lambda one: (dict(one), one.default_factory),
    ),
    "counter": Odd(lambda: collections.Counter("ab"), lambda one: one.update("a"), dict),
    "user dict": Odd(lambda: collections.UserDict(a=1), stamp, dict),
    "user list": Odd(lambda: collections.UserList([1]), lambda one: one.append(2), list),
    "chain of mappings": Odd(lambda: collections.ChainMap({}, {"a": 1}), stamp, dict),
    "dict that refuses": Odd(
        hostile("__iter__", "keys", "items", "clear", "update", "__setitem__", base=dict),
        lambda one: dict.__setitem__(one, "new", 1),
        lambda one: list(dict.items(one)),
    ),
    "list that refuses": Odd(
        hostile("__iter__", "__len__", "__setitem__", "__getitem__", "copy", base=list),
        lambda one: list.append(one, 1),
        lambda one: list.copy(one),
    ),
    "set that refuses": Odd(
        hostile("__iter__", "__len__", "__eq__", "add", "clear", "update", base=set),
        lambda one: set.add(one, 1),
        lambda one: len(set.union(set(), one)),
    ),
    "tuple that refuses": Odd(hostile("__iter__", "__len__", "__getitem__", base=tuple)),
    "keys that refuse": Odd(
        lambda: {hostile(__eq__=refuse, __hash__=lambda self: 1)(): [1.0]},
        lambda one: next(iter(one.values())).append(1),
        lambda one: list(one.values()),
    ),
    "queue": Odd(
        lambda: collections.deque([1, 2], 2), lambda one: one.append(3), lambda one: list(one)
    ),
    "queue between threads": Odd(queue.Queue, lambda one: one.put(1), lambda one: one.qsize()),
    "weak reference": Odd(lambda: weakref.ref(KEY), lambda one: setattr(one(), "x", 1), dir),
    "weak proxy": Odd(lambda: weakref.proxy(KEY), lambda one: setattr(one, "x", 1), dir),
    "weak proxy of what is gone": Odd(lambda: weakref.proxy(Key())),
    "weak keys": Odd(
        lambda: weakref.WeakKeyDictionary({KEY: [1]}),
        lambda one: one[KEY].append(1),
        lambda one: one[KEY],
    ),
    "weak set": Odd(lambda: weakref.WeakSet([KEY]), lambda one: one.clear(), lambda one: len(one)),
    "list[int]": Odd(lambda: list[int]),
    "typing.List[int]": Odd(lambda: typing.List[int]),  # noqa: UP006
    "Optional": Odd(lambda: typing.Optional[int]),  # noqa: UP045
    "int | None": Odd(lambda: int | None),
    "NDArray": Odd(lambda: npt.NDArray[np.float64]),
    "type variable": Odd(lambda: typing.TypeVar("T")),
    "empty cache": Odd(cached, lambda one: one(1), lambda one: one.cache_info()),
    "filled cache": Odd(filled, lambda one: one().append(1), lambda one: list(one())),
    "generic function": Odd(lambda: generic),
    "part of a function": Odd(
        lambda: functools.partial(print, [1], sep=[2]),
        lambda one: (one.args[0].append(1), one.keywords.update(end="")),
        lambda one: (one.args, dict(one.keywords)),
    ),
    "method of a list": Odd(lambda: [1].append, lambda one: one(2), lambda one: list(one.__self__)),
    "method of a generator": Odd(
        lambda: np.random.default_rng(0).random,
        lambda one: one(),
        lambda one: one.__self__.bit_generator.state,
    ),
    "compiled by another": Odd(Jitted),
    "compiled by torch.jit": Odd(lambda: scripted(plus_one)),
    "layer compiled by torch.jit": Odd(lambda: scripted(torch.nn.Identity())),
    "compiled by torch": Odd(
        lambda: torch.compile(lambda x: x + 1, backend="eager"), lambda one: one(torch.ones(2))
    ),
    "device array": Odd(DeviceArray),
    "generator": Odd(counted, next),
    "iterator": Odd(
        lambda: itertools.cycle([[1.0]]), lambda one: next(one).append(1), lambda one: next(one)
    ),
    "open file": Odd(opened, lambda one: one.write(b"x"), lambda one: one.closed),
    "text in memory": Odd(io.StringIO, lambda one: one.write("x"), lambda one: one.getvalue()),
    "lock": Odd(threading.Lock, state=lambda one: one.locked()),
    "condition": Odd(threading.Condition),
    "thread": Odd(threading.Thread),
    "thread with weights": Odd(Worker, **attribute()),
    "local to a thread": Odd(threading.local, lambda one: setattr(one, "x", 1)),
    "socket": Odd(socket.socket, lambda one: one.close()),
    "path": Odd(lambda: Path("here")),
    "array in a file": Odd(mapped, add_to, added),
    "structured array": Odd(
        structured, lambda one: one.__setitem__(0, (1.0, [2])), lambda one: one.tolist()
    ),
    "structured number": Odd(
        lambda: structured()[0], lambda one: one.__setitem__("a", 2.0), lambda one: one.item()
    ),
    "array of objects": Odd(
        lambda: np.array([[1], None], object), lambda one: one[0].append(1), added
    ),
    "masked array": Odd(
        lambda: np.ma.masked_less(np.array([1.0, -1.0]), 0),
        lambda one: (one.__setitem__(0, np.ma.masked), one.data.__setitem__(1, 5.0)),
        lambda one: (one.mask.tolist(), one.data.tolist()),
    ),
    "matrix": Odd(matrix, add_to, added),
    "record array": Odd(
        lambda: np.rec.array([(1.0, 2)], dtype=[("a", float), ("b", int)]),
        lambda one: setattr(one, "a", 3.0),
        lambda one: one.tolist(),
    ),
    "read-only array": Odd(
        lambda: read_only(np.ones(3)), force, lambda one: (one.tolist(), one.flags.writeable)
    ),
    "array that becomes read-only": Odd(
        lambda: np.ones(3),
        lambda one: read_only(np.add(one, 1, one)),
        lambda one: (one.tolist(), one.flags.writeable),
    ),
    "array without axes": Odd(lambda: np.array(1.0), add_to, added),
    "array in another shape": Odd(
        lambda: np.arange(6.0).reshape(2, 3),
        lambda one: one.resize((3, 2), refcheck=False),
        added,
    ),
    "broadcast array": Odd(lambda: np.broadcast_to(1.0, (3,)), state=added),
    "array that refuses": Odd(
        lambda: np.ndarray.__new__(Lying, 2), lambda one: np.ndarray.fill(one, 7.0)
    ),
    "bytes": Odd(lambda: bytearray(b"ab"), lambda one: one.append(1), bytes),
    "array of Python": Odd(
        lambda: array.array("d", [1]), lambda one: one.append(1), lambda one: one.tolist()
    ),
    "array of C": Odd(ctypes.c_double * 2, lambda one: one.__setitem__(0, 1.0), list),
    "view of memory": Odd(
        lambda: memoryview(bytearray(b"ab")), lambda one: one.__setitem__(0, 1), bytes
    ),
    "tensor": Odd(lambda: torch.ones(2), grown, tensor_of),
    "sparse tensor": Odd(lambda: torch.eye(2).to_sparse()),
    "tensor without numbers": Odd(lambda: torch.empty(2, device="meta")),
    "lazy layer": Odd(lambda: torch.nn.LazyLinear(2)),
    "mock": Odd(mock.MagicMock, lambda one: one.call(1), lambda one: one.call.call_count),
    "module": Odd(
        lambda: types.ModuleType("settings"), lambda one: setattr(one, "x", 1), lambda m: dir(m)
    ),
    "random": Odd(
        lambda: random.Random(0),  # noqa: S311
        lambda one: one.random(),
        lambda one: one.getstate(),
    ),
    "source of bits": Odd(
        lambda: np.random.PCG64(0), lambda one: one.random_raw(), lambda one: one.state
    ),
    "exception": Odd(
        lambda: ValueError([1]), lambda one: one.args[0].append(1), lambda one: one.args
    ),
}
