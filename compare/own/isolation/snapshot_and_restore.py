"""Everything that a user's functions can change, remembered so that it can be put back.

Starting from the parameters and the functions, all objects that can be reached are visited: what
functions close over, the globals that they name, attributes, items. Each that can change is
remembered, and later put back in place: the same objects, with the same contents, so that views,
aliases and caches are as they were. None of the user's code runs meanwhile. What cannot be
reached so (files, state within libraries) is what ``reset`` is for.
"""

from __future__ import annotations

import collections
import functools
import gc
import operator
import os
import sys
import types
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from compare.own.isolation import static_reading
from compare.own.isolation.restore_methods import CACHE, Restore, keep_attributes, keeper
from compare.process.ownership import is_users_module, is_users_namespace

_PLAIN = frozenset(
    map(id, (str, bytes, int, float, complex, bool, type(None), range, slice, type(...), np.dtype))
)
_MISSING = object()

#: Modules of Python whose objects stand for something that runs or is open. That goes on, whatever
#: an attribute says, so that none of theirs is put back.
_LIVE = frozenset({
    "threading", "_thread", "socket", "_socket", "ssl", "subprocess", "concurrent", "tempfile",
    "multiprocessing", "asyncio", "selectors", "logging", "io", "_io", "contextvars", "sqlite3",
})  # fmt: skip

#: Packages that compile functions, and keep what they know of them beyond Python's reach.
_COMPILERS = (
    *("torch._dynamo.", "torch._inductor.", "torch._functorch.", "torch.jit."),
    *("numba.", "jax.", "jaxlib."),
)

#: Where a compiled function keeps the one that it was made of.
_MADE_OF = ("__wrapped__", "py_func", "_torchdynamo_orig_callable")

#: Iterators that hold what they go through.
_ITERATORS = frozenset({"builtins", "itertools"})


class Memento:
    """What can be reached from some objects, as it is now.

    Args:
        roots: where to start.
    """

    def __init__(self, *roots: Any) -> None:
        self._restores: list[Restore] = []
        # Holds the objects, so that no id is used again; what the process shares is not for us.
        self._seen: dict[int, Any] = {id(one): one for one in (sys.modules, os.environ)}
        self._named: dict[int, set[str]] = {}
        self._slots: dict[int, list[Any]] = {}
        waiting = list(roots)
        while waiting:
            waiting.extend(self._visit(waiting.pop()))

    @property
    def reached(self) -> list[Any]:
        """All objects that can be reached."""
        return list(self._seen.values())

    def restore(self) -> None:
        """Put everything back; what cannot be, such as a buffer that is now in use, is left."""
        for restore in self._restores:
            try:  # noqa: SIM105 - half as slow as contextlib.suppress
                restore()
            except Exception:  # noqa: S110
                pass

    def _visit(self, value: Any) -> Iterator[Any]:
        """Remember one object, and give those that it leads to."""
        kind = type(value)
        if id(kind) in _PLAIN or id(value) in self._seen or _is_number(kind):
            return
        self._seen[id(value)] = value
        if kind is types.FunctionType:
            yield from self._function(value)
        elif issubclass(kind, types.ModuleType):
            names = static_reading.attributes(value) or {}
            if is_users_namespace(names):
                yield from self._names(names, set(names))
                self._keep(functools.partial(_forget, names, set(names)))
        elif issubclass(kind, type):
            if is_users_module(static_reading.module_of(value)):
                yield from self._class(value)
        elif _is_compiled(value):
            yield from _made_of(value)
        else:
            yield from self._data(value)

    def _data(self, value: Any) -> Iterator[Any]:
        kind = type(value)
        self._keep(keeper(value))
        yield from items(value)
        yield from self._attributes(value)
        if id(kind) not in self._slots:
            self._slots[id(kind)] = static_reading.slots(kind)
        for slot in self._slots[id(kind)]:
            held = _read_slot(slot, value)
            self._keep(functools.partial(_write_slot, slot, value, held))
            yield held
        yield kind

    def _keep(self, restore: Restore | None) -> None:
        if restore is not None:
            self._restores.append(restore)

    def _attributes(self, value: Any) -> Iterator[Any]:
        kind = type(value)
        read = static_reading.reader(kind)
        if read is None:
            return
        held = read(value)
        self._seen[id(held)] = held
        if not _is_live(kind):
            self._keep(keep_attributes(value, held, read))
            yield from held.values()
        elif is_users_module(static_reading.module_of(kind)):
            yield from self._names(held, {name for name in held if not name.startswith("_")})

    def _function(self, function: types.FunctionType) -> Iterator[Any]:
        names = function.__globals__
        if f"{names.get('__name__')}.".startswith(_COMPILERS):
            yield from _made_of(function)
            return
        for cell in function.__closure__ or ():
            held = _contents(cell)
            self._keep(functools.partial(_fill_cell, cell, held))
            yield held
        yield from (function.__defaults__, function.__kwdefaults__)
        if is_users_namespace(names):
            yield from self._names(names, named_in(function.__code__))
        yield from self._attributes(function)

    def _names(self, namespace: dict[str, Any], names: set[str]) -> Iterator[Any]:
        """Those names of a namespace that are in use."""
        known = self._named.setdefault(id(namespace), set())
        for name in names - known:
            known.add(name)
            held = namespace.get(name, _MISSING)
            if not _is_special(name):
                self._keep(functools.partial(_bind, namespace, name, held))
                yield held

    def _class(self, kind: type) -> Iterator[Any]:
        held = dict(static_reading.namespace(kind))
        self._keep(functools.partial(_restore_class, kind, held))
        yield from held.values()
        yield from static_reading.order(kind)
        yield type(kind)


def items(value: Any) -> Iterator[Any]:
    """What an object holds, or stands for, besides its attributes."""
    kind = type(value)
    if issubclass(kind, dict):
        yield from dict.keys(value)
        yield from dict.values(value)
    elif issubclass(kind, _SEQUENCES):
        yield from next(own for own in _SEQUENCES if issubclass(kind, own)).__iter__(value)
    elif issubclass(kind, np.ndarray):
        yield np.ndarray.__dict__["base"].__get__(value)
        if np.ndarray.__dict__["dtype"].__get__(value).hasobject:
            yield from np.ndarray.__dict__["flat"].__get__(value)
    elif issubclass(kind, weakref.ref):
        yield weakref.ref.__call__(value)
    elif kind in static_reading.WEAK_PROXIES:
        yield from static_reading.referent(value)
    else:
        yield from _parts(value, kind)


def _parts(value: Any, kind: type) -> Iterator[Any]:
    """The same of what Python itself makes of others."""
    if kind is types.MethodType:
        yield from (value.__self__, value.__func__)
    elif kind in (types.BuiltinMethodType, types.MethodWrapperType, memoryview):
        yield value.obj if kind is memoryview else value.__self__
    elif issubclass(kind, functools.partial):
        own = vars(functools.partial)
        yield from (own[name].__get__(value) for name in ("func", "args", "keywords"))
    elif issubclass(kind, staticmethod | classmethod):
        yield value.__func__
    elif issubclass(kind, BaseException):
        yield vars(BaseException)["args"].__get__(value)
    elif issubclass(kind, property):
        yield from (value.fget, value.fset, value.fdel)
    elif kind is types.GenericAlias:
        yield from (value.__origin__, value.__args__)
    elif issubclass(kind, np.void):
        yield value.base
    elif kind is types.MappingProxyType:
        yield from _shown(value)
    elif kind is CACHE:
        yield from _cached(value)
    elif static_reading.module_of(kind) in _ITERATORS and kind is not types.GeneratorType:
        yield from gc.get_referents(value) if hasattr(kind, "__next__") else ()


_SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset, collections.deque)


def _shown(proxy: types.MappingProxyType[Any, Any]) -> Iterator[Any]:
    """What a read-only mapping shows; the names of a class are left to the class."""
    for held in gc.get_referents(proxy):
        is_class = type(held) is dict and "__module__" in held and "__doc__" in held
        yield from held.values() if is_class else (held,)


def _cached(held: Any) -> Iterator[Any]:
    """What a cache has made, its links and dicts looked through but left as they are."""
    waiting, seen = gc.get_referents(held), set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if type(one) is dict or type(one).__name__ == "_lru_list_elem":
            waiting += gc.get_referents(one)
        else:
            yield one


def _is_number(kind: type) -> bool:
    return issubclass(kind, np.generic | np.dtype) and not issubclass(kind, np.void)


def _is_live(kind: type) -> bool:
    """Whether objects stand for something that runs or is open."""
    return any(
        static_reading.module_of(base).partition(".")[0] in _LIVE
        for base in static_reading.order(kind)
    )


def _is_compiled(value: Any) -> bool:
    """Whether an object stands for a function that some package has compiled."""
    module = static_reading.module_of(type(value))
    if f"{module}.".startswith(_COMPILERS):
        return True
    held = static_reading.attributes(value) or {}
    return "py_func" in held and not is_users_module(module)


def _made_of(value: Any) -> Iterator[Any]:
    held = static_reading.attributes(value) or {}
    yield from (held.get(name) for name in _MADE_OF)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def named_in(code: types.CodeType) -> set[str]:
    """All names that are not local, in a function and those within it."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(named_in, inner))


def _read_slot(slot: Any, owner: Any) -> Any:
    try:
        return slot.__get__(owner)
    except AttributeError:
        return _MISSING


def _write_slot(slot: Any, owner: Any, value: Any) -> None:
    if value is not _MISSING:
        slot.__set__(owner, value)
    elif _read_slot(slot, owner) is not _MISSING:
        slot.__delete__(owner)


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _fill_cell(cell: types.CellType, value: Any) -> None:
    if value is not _MISSING:
        cell.cell_contents = value
    elif _contents(cell) is not _MISSING:
        del cell.cell_contents


def _bind(namespace: dict[str, Any], name: str, value: Any) -> None:
    if value is not _MISSING:
        namespace[name] = value
    else:
        namespace.pop(name, None)


def _forget(names: dict[str, Any], known: set[str]) -> None:
    """Drop the names that a module has got since; one that was imported only then may stay."""
    for name in names.keys() - known:
        if not _is_special(name) and not static_reading.is_kind(names[name], types.ModuleType):
            del names[name]


def _restore_class(kind: type, held: dict[str, Any]) -> None:
    now = static_reading.namespace(kind)
    if len(now) == len(held) and all(map(operator.is_, now.values(), held.values())):
        return
    changed = [name for name, value in held.items() if now.get(name, _MISSING) is not value]
    for name in changed:
        if not _is_special(name) or isinstance(held[name], types.FunctionType):
            type.__setattr__(kind, name, held[name])
    for name in now.keys() - held.keys():
        if not _is_special(name):
            type.__delattr__(kind, name)
