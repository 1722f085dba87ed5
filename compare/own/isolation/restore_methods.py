"""How the contents of each kind of object are put back, in place.

The methods of Python's and NumPy's own classes are called on a user's subclass of them, not those
that it has overridden: these are the user's code, and may do anything.
"""

from __future__ import annotations

import array
import collections
import copy
import ctypes
import functools
import io
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from compare.own.isolation import static_reading

Restore = Callable[[], object]

_BUFFER = ctypes.c_int.__mro__[-2]  # that of all that ctypes keeps in memory
_STREAMS = (io.StringIO, io.BytesIO)


def keeper(value: Any) -> Restore | None:
    """What puts the contents of one object back; None if it has none that can change.

    Anything that cannot be read, such as a tensor without storage, has none.
    """
    kind = type(value)
    for known, keep in _KEEPERS:
        if issubclass(kind, known):
            try:
                return keep(value)
            except Exception:
                return None
    return None


def keep_dict(held: dict[Any, Any]) -> Restore:
    """Put the items of a dict back, and their order."""
    items, keys = held.copy(), list(map(id, held))

    def restore() -> None:
        if list(map(id, held)) != keys:
            held.clear()
        held.update(items)

    return restore


def keep_attributes(value: Any, held: dict[str, Any], read: Callable[[Any], Any]) -> Restore:
    """Put the attributes of an object back, in the dict that it had, and its class."""
    kind, items, names = type(value), held.copy(), list(held)

    def restore() -> None:
        if type(value) is not kind or read(value) is not held:
            static_reading.give_back(value, kind, held)
        if list(held) != names:
            held.clear()
        held.update(items)

    return restore


def _mapping(held: dict[Any, Any]) -> Restore:
    if type(held) is dict:
        return keep_dict(held)
    own: Any = collections.OrderedDict if isinstance(held, collections.OrderedDict) else dict
    items = list(own.items(held))
    keys = [id(key) for key, _ in items]

    def restore() -> None:
        if list(map(id, own.keys(held))) != keys:
            own.clear(held)
        for key, item in items:
            own.__setitem__(held, key, item)

    return restore


def _factory(held: collections.defaultdict[Any, Any]) -> Restore:
    own, factory = _mapping(held), collections.defaultdict.__dict__["default_factory"]
    made = factory.__get__(held)

    def restore() -> None:
        factory.__set__(held, made)
        own()

    return restore


def _list(held: list[Any]) -> Restore:
    return functools.partial(list.__setitem__, held, slice(None), list.copy(held))


def _set(held: set[Any]) -> Restore:
    """Only if it has changed: one that is filled anew may have another order."""
    items: set[Any] = set()
    items.update(held)

    def restore() -> None:
        if not set.__eq__(held, items):
            set.clear(held)
            set.update(held, items)

    return restore


def _deque(held: collections.deque[Any]) -> Restore:
    items = list(collections.deque.__iter__(held))

    def restore() -> None:
        collections.deque.clear(held)
        collections.deque.extend(held, items)

    return restore


def _bytes(held: bytearray) -> Restore:
    return functools.partial(bytearray.__setitem__, held, slice(None), bytes(held))


def _numbers(held: array.array[Any]) -> Restore:
    kept = array.array.__getitem__(held, slice(None))
    return functools.partial(array.array.__setitem__, held, slice(None), kept)


def _memory(held: Any) -> Restore:
    place, size = ctypes.addressof(held), ctypes.sizeof(held)
    return functools.partial(ctypes.memmove, place, ctypes.string_at(place, size), size)


def _stream(held: Any) -> Restore:
    own: Any = next(kind for kind in _STREAMS if isinstance(held, kind))
    return functools.partial(own.__setstate__, held, own.__getstate__(held))


def _array(held: np.ndarray[Any, Any]) -> Restore | None:
    """Views are put back as well as what they look at: writing numbers twice is no harm.

    What could not be written can have been made so only where it owns its memory.
    """
    flags = _flags(held)
    if not (flags.writeable or flags.owndata):
        return None
    kept = _plain(held).copy()
    if not flags.writeable:
        return functools.partial(_write_if_made_writeable, held, kept)
    return _usual(held, kept) if type(held) is np.ndarray else functools.partial(_write, held, kept)


def _usual(held: np.ndarray[Any, Any], kept: np.ndarray[Any, Any]) -> Restore:
    """The same as :func:`_write` of a plain array, in less time."""
    shape = kept.shape

    def restore() -> None:
        if held.shape != shape:
            _write(held, kept)
        try:
            held[...] = kept
        except ValueError:  # it has been made read-only
            _write(held, kept)

    return restore


def _write(held: np.ndarray[Any, Any], kept: np.ndarray[Any, Any]) -> None:
    flags = _flags(held)
    if not flags.writeable:
        flags.writeable = True
    if _shape(held) != kept.shape:
        np.ndarray.resize(held, kept.shape, refcheck=False)
    np.copyto(_plain(held), kept)


def _write_if_made_writeable(held: np.ndarray[Any, Any], kept: np.ndarray[Any, Any]) -> None:
    flags = _flags(held)
    if flags.writeable:
        _write(held, kept)
        flags.writeable = False


def _plain(held: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same numbers without what a subclass has made of them."""
    return held if type(held) is np.ndarray else np.ndarray.view(held, np.ndarray)


_flags = np.ndarray.__dict__["flags"].__get__
_shape = np.ndarray.__dict__["shape"].__get__


def _record(held: np.void) -> Restore | None:
    """A structured number that is no part of an array."""
    names = held.dtype.names
    if held.base is not None or names is None:
        return None
    kept = {name: copy.copy(held[name]) for name in names}

    def restore() -> None:
        for name, item in kept.items():
            held[name] = item

    return restore


def _tensor(tensor: torch.Tensor) -> Restore:
    data, grad, wanted = tensor.detach().clone(), tensor.grad, tensor.requires_grad
    kept = None if grad is None else grad.detach().clone()

    def restore() -> None:
        with torch.no_grad():
            if tensor.shape != data.shape or tensor.dtype != data.dtype:
                tensor.data = data.clone()
            tensor.detach().copy_(data)
            if tensor.is_leaf:
                tensor.requires_grad_(wanted)
                tensor.grad = grad
            if grad is not None and kept is not None:
                grad.detach().copy_(kept)

    return restore


def _random(source: random.Random) -> Restore | None:
    if isinstance(source, random.SystemRandom):
        return None
    state = random.Random.getstate(source)
    return functools.partial(random.Random.setstate, source, state)


def _legacy(source: np.random.RandomState) -> Restore:
    return functools.partial(source.set_state, source.get_state(legacy=False))


def _bits(source: np.random.BitGenerator) -> Restore:
    return functools.partial(setattr, source, "state", source.state)


def _numpy_generator(source: np.random.Generator) -> Restore:
    return _bits(source.bit_generator)


def _torch_generator(source: torch.Generator) -> Restore:
    return functools.partial(source.set_state, source.get_state())


def _cache(held: Any) -> Restore | None:
    """What was in a cache may be one of a kind, such as a network that is made once; it stays."""
    return None if held.cache_info().currsize else held.cache_clear


CACHE = type(functools.lru_cache(lambda: None))

#: The first that fits counts.
_KEEPERS: tuple[tuple[Any, Callable[[Any], Restore | None]], ...] = (
    (np.ndarray, _array),
    (list, _list),
    (collections.defaultdict, _factory),
    (dict, _mapping),
    (torch.Tensor, _tensor),
    (set, _set),
    (collections.deque, _deque),
    (bytearray, _bytes),
    (array.array, _numbers),
    (random.Random, _random),
    (np.random.Generator, _numpy_generator),
    (np.random.RandomState, _legacy),
    (np.random.BitGenerator, _bits),
    (torch.Generator, _torch_generator),
    (np.void, _record),
    (_BUFFER, _memory),
    (_STREAMS, _stream),
    (CACHE, _cache),
)
