"""Everything that a user's functions can change, remembered so that it can be put back.

Starting from the parameters and the functions, all objects that can be reached are visited: what
functions close over, the globals that they name, attributes, items. Each that can change is
remembered, and later put back in place: the same objects, with the same contents, so that views,
aliases and caches are as they were. What cannot be reached so (files, state within libraries) is
what ``reset`` is for.
"""

from __future__ import annotations

import collections
import functools
import os
import random
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

Restore = Callable[[], object]

#: Where Python's own modules are, and names of folders in which packages are installed, be it in
#: another environment that this one looks into.
_STANDARD = Path(sysconfig.get_path("stdlib")).resolve()
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic, np.dtype, range, slice)
_MISSING = object()


class Memento:
    """What can be reached from some objects, as it is now.

    Args:
        roots: where to start.
    """

    def __init__(self, *roots: Any) -> None:
        self._restores: list[Restore] = []
        # Holds the objects, so that no id is used again; what the process shares is not for us.
        self._seen: dict[int, Any] = {id(one): one for one in (sys.modules, os.environ)}
        self._modules: dict[int, set[str]] = {}
        waiting = list(roots)
        while waiting:
            waiting.extend(self._visit(waiting.pop()))

    def restore(self) -> None:
        """Put everything back."""
        for restore in self._restores:
            restore()

    def _visit(self, value: Any) -> Iterator[Any]:
        """Remember one object, and give those that it leads to."""
        if isinstance(value, _PLAIN) or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, types.FunctionType):
            yield from self._function(value)
        elif isinstance(value, types.MethodType):
            yield from (value.__self__, value.__func__)
        elif isinstance(value, functools.partial):
            yield from (value.func, value.args, value.keywords)
        elif isinstance(value, types.ModuleType):
            if _is_users(value.__name__):
                yield from self._names(vars(value), set(vars(value)))
        elif isinstance(value, type):
            if _is_users(value.__module__):
                yield from self._class(value)
        elif isinstance(value, staticmethod | classmethod):
            yield value.__func__
        elif isinstance(value, property):
            yield from (value.fget, value.fset)
        else:
            yield from self._data(value)

    def _data(self, value: Any) -> Iterator[Any]:
        keep = _keeper(value)
        if keep is not None:
            self._restores.append(keep)
        if isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list | tuple | set | frozenset | collections.deque):
            yield from value
        elif isinstance(value, np.ndarray):
            yield from value.flat if value.dtype == object else ()
            yield value.base
        if hasattr(value, "__dict__"):
            attributes = vars(value)
            if id(attributes) not in self._seen:
                self._seen[id(attributes)] = attributes
                self._restores.append(_dict(attributes))
                yield from attributes.values()
        yield from self._slots(value)
        yield type(value)

    def _slots(self, value: Any) -> Iterator[Any]:
        for name in _slot_names(type(value)):
            held = getattr(value, name, _MISSING)
            self._restores.append(functools.partial(_set, value, name, held))
            yield held

    def _function(self, function: types.FunctionType) -> Iterator[Any]:
        for cell in function.__closure__ or ():
            held = _contents(cell)
            self._restores.append(functools.partial(_fill_cell, cell, held))
            yield held
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        if _is_users(function.__module__ or ""):
            yield from self._names(function.__globals__, _named_in(function.__code__))
            yield from self._data(function)

    def _names(self, namespace: dict[str, Any], names: set[str]) -> Iterator[Any]:
        """Those names of a namespace that are in use."""
        known = self._modules.setdefault(id(namespace), set())
        for name in names - known:
            known.add(name)
            held = namespace.get(name, _MISSING)
            if not (name.startswith("__") and name.endswith("__")):
                self._restores.append(functools.partial(_bind, namespace, name, held))
                yield held

    def _class(self, kind: type) -> Iterator[Any]:
        for name, held in list(vars(kind).items()):
            if not (name.startswith("__") and name.endswith("__")):
                self._restores.append(functools.partial(_bind_class, kind, name, held))
            yield held if not isinstance(held, types.GetSetDescriptorType) else None
        yield from kind.__bases__


def _is_users(module: str) -> bool:
    """Whether a module is the user's own, rather than Python's or an installed package's."""
    if module == "__main__":
        return True
    loaded = sys.modules.get(module)
    if loaded is None:
        return module not in sys.builtin_module_names  # made by runpy, or in a notebook
    file = getattr(loaded, "__file__", None)
    if file is None or module.partition(".")[0] in ("compare", "reference", "torch_impl", "cli"):
        return False
    place = Path(file).resolve()
    return not (_INSTALLED & set(place.parts) or place.is_relative_to(_STANDARD))


def _named_in(code: types.CodeType) -> set[str]:
    """All names that are not local, in a function and those within it."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(_named_in, inner))


def _keeper(value: Any) -> Restore | None:
    """What puts the contents of one object back; None if it has none that can change."""
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, dict):
        return _dict(value)
    if isinstance(value, list):
        return functools.partial(value.__setitem__, slice(None), list(value))
    if isinstance(value, set | collections.deque):
        return functools.partial(_refill, value, list(value))
    if isinstance(value, bytearray):
        return functools.partial(value.__setitem__, slice(None), bytes(value))
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    return _generator(value)


def _generator(value: Any) -> Restore | None:
    """The same of something that gives random numbers."""
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return functools.partial(value.setstate, value.getstate())
    if isinstance(value, np.random.RandomState):
        return functools.partial(value.set_state, value.get_state())
    if isinstance(value, np.random.Generator):
        bits = value.bit_generator
        return functools.partial(setattr, bits, "state", bits.state)
    if isinstance(value, torch.Generator):
        return functools.partial(value.set_state, value.get_state())
    return None


def _array(array: np.ndarray[Any, Any]) -> Restore | None:
    """Views are put back as well as what they look at: writing numbers twice is no harm."""
    if not array.flags.writeable:
        return None
    return functools.partial(np.copyto, array, array.copy())


def _tensor(tensor: torch.Tensor) -> Restore:
    data, grad = tensor.detach().clone(), tensor.grad
    kept = None if grad is None else grad.detach().clone()

    def restore() -> None:
        with torch.no_grad():
            tensor.detach().copy_(data)
            if tensor.is_leaf:
                tensor.grad = grad
            if grad is not None and kept is not None:
                grad.detach().copy_(kept)

    return restore


def _dict(held: dict[Any, Any]) -> Restore:
    items = dict(held)

    def restore() -> None:
        if list(held) != list(items):
            held.clear()
        held.update(items)

    return restore


def _refill(held: Any, items: list[Any]) -> None:
    held.clear()
    for item in items:
        held.add(item) if isinstance(held, set) else held.append(item)


def _slot_names(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                yield f"_{base.__name__.lstrip('_')}{name}" if _is_private(name) else name


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _set(owner: Any, name: str, value: Any) -> None:
    try:
        if value is not _MISSING:
            object.__setattr__(owner, name, value)
        elif hasattr(owner, name):
            object.__delattr__(owner, name)
    except (AttributeError, TypeError):
        return  # read-only: it has not changed, either


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


def _bind_class(kind: type, name: str, value: Any) -> None:
    if vars(kind).get(name, _MISSING) is not value:
        setattr(kind, name, value)
