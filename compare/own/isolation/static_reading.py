"""What an object is made of, read without running any of its code.

``__getattr__``, ``__class__``, ``__dict__``, ``__eq__`` and the like of a user's object may answer
anything, raise, or be slow. So only what Python itself keeps is asked for, by its own descriptors.
"""

from __future__ import annotations

import ctypes
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

_getter = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_void_p)
_setter = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.py_object, ctypes.c_void_p)

#: An instance's own attributes, even where its class has another ``__dict__`` to show.
_own_dict = _getter(("PyObject_GenericGetDict", ctypes.pythonapi))
_set_own_dict = _setter(("PyObject_GenericSetDict", ctypes.pythonapi))

_offset_of_dict = type.__dict__["__dictoffset__"].__get__
_own_namespace = type.__dict__["__dict__"].__get__
_module = type.__dict__["__module__"].__get__
_order = type.__dict__["__mro__"].__get__
_set_class = object.__dict__["__class__"].__set__

WEAK_PROXIES = (weakref.ProxyType, weakref.CallableProxyType)


def is_kind(value: Any, *kinds: type) -> bool:
    """Whether an object is of some type, whatever it says of its ``__class__``."""
    return issubclass(type(value), kinds)


def reader(kind: type) -> Callable[[Any], dict[str, Any]] | None:
    """What gives the attributes that objects of a class hold themselves; None if they hold none."""
    if not _offset_of_dict(kind):
        return None
    for base in order(kind):
        own = namespace(base).get("__dict__")
        if type(own) is types.GetSetDescriptorType:
            return own.__get__
    return lambda value: _own_dict(value, None)


def attributes(value: Any) -> dict[str, Any] | None:
    """The attributes that an object holds itself; None if it can hold none."""
    read = reader(type(value))
    return None if read is None else read(value)


def give_back(value: Any, kind: type, held: dict[str, Any]) -> None:
    """Give an object the class and the attributes that it had."""
    if type(value) is not kind:
        _set_class(value, kind)
    _set_own_dict(value, held, None)


def namespace(kind: type) -> types.MappingProxyType[str, Any]:
    """What a class itself defines."""
    found: types.MappingProxyType[str, Any] = _own_namespace(kind)
    return found


def order(kind: type) -> tuple[type, ...]:
    """A class and all that it inherits from."""
    found: tuple[type, ...] = _order(kind)
    return found


def module_of(kind: type) -> str:
    """The name of the module that a class says it is of, if it says so."""
    try:
        name = _module(kind)
    except AttributeError:
        return ""
    return name if type(name) is str else ""


def slots(kind: type) -> list[Any]:
    """The descriptors of what ``__slots__`` keeps, of a class and all that it inherits from."""
    return [
        held
        for base in order(kind)
        if "__slots__" in namespace(base)
        for held in namespace(base).values()
        if type(held) is types.MemberDescriptorType
    ]


def referent(proxy: Any) -> Iterator[Any]:
    """What a weak proxy stands for, if that is still there."""
    try:
        bound = proxy.__init__
    except Exception:
        return  # gone, or it does not say
    if type(bound) in (types.MethodType, types.MethodWrapperType):
        yield bound.__self__
