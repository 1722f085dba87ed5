"""What a run of the user's code moves on besides the parameters that were named.

torch_loss is evaluated right after the run, so that it can read what that drew, such as a dropout
mask. But what the run moved on, such as a bias that is not among the parameters, is then a step
too far. The two are told apart by where they come from: what is moved on carries its former value
with it, and if that had been a little different it would be so afterwards, by just as much. What
is made anew in each run is not.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from compare.base.quantities import Array
from compare.own.isolation import static_reading
from compare.own.isolation.snapshot_and_restore import Memento, named_in
from compare.own.user.network import Subject
from compare.own.user.numbers import fill, is_leaf

#: By so much of their size, in float64 and in float32, numbers are made a little different.
LITTLE = {"float64": 1e-6, "float32": 1e-3}

#: What is moved on differs afterwards as before, to within this share.
SHARE = 0.5


@dataclass(frozen=True)
class Slot:
    """Where numbers are kept.

    Attributes:
        name: of the attribute, item or variable.
        get: gives what is there.
        set: puts something else there.
    """

    name: str
    get: Callable[[], Any]
    set: Callable[[Any], None]

    def read(self) -> Array | None:
        """A copy of the numbers; None if there are none, or are no longer."""
        try:
            value = self.get()
        except (LookupError, AttributeError, ValueError):
            return None
        array = np.array(value) if is_leaf(value) else None
        return array if array is not None and array.dtype.name in LITTLE and array.size else None

    def write(self, values: Array) -> None:
        """Put numbers there, in place if that can be."""
        fill(self.get(), values, self.set)


def put_back(
    subject: Subject, reader: Callable[..., Any], weights: Mapping[str, Array], rate: float | None
) -> tuple[str, ...]:
    """Run the user's code, and put back what it moved on.

    Args:
        subject: the user's side.
        reader: a function; only what it can read is looked at.
        weights: at which to run.
        rate: the learning rate.

    Returns:
        The names of what was put back.
    """
    subject.start(weights)
    listed = {id(where.get()) for where in subject.parameters.places.values()}
    slots = [one for one in _slots(Memento(reader).reached) if id(one.get()) not in listed]
    before = [slot.read() for slot in slots]
    subject.source.see(rate)
    after = [slot.read() for slot in slots]
    moved = [
        (slot, was, now)
        for slot, was, now in zip(slots, before, after, strict=True)
        if _has_moved(was, now)
    ]
    carried = _carried(subject, weights, rate, moved) if moved else []
    if carried:
        subject.see(weights, rate)
        for slot, was in carried:
            slot.write(was)
    return tuple(dict.fromkeys(slot.name for slot, _ in carried))


def _has_moved(was: Array | None, now: Array | None) -> bool:
    if was is None or now is None or was.shape != now.shape:
        return False
    return not np.array_equal(was, now) and bool(np.isfinite(was).all() and np.isfinite(now).all())


def _carried(
    subject: Subject,
    weights: Mapping[str, Array],
    rate: float | None,
    moved: list[tuple[Slot, Any, Any]],
) -> list[tuple[Slot, Array]]:
    """What would have been a little different afterwards had it been so before."""
    rng = np.random.default_rng(0)
    subject.start(weights)
    changed = []
    for slot, was, now in moved:
        size = LITTLE[was.dtype.name] * (float(np.abs(was).max()) or 1.0)
        little = np.asarray(size * rng.standard_normal(was.shape), was.dtype)
        try:
            slot.write(was + little)
        except (TypeError, ValueError, AttributeError):  # it cannot be written, by us at least
            continue
        changed.append((slot, was, now, little))
    subject.source.see(rate)
    return [(slot, was) for slot, was, now, little in changed if _is_kept(little, now, slot.read())]


def _is_kept(little: Array, now: Array, then: Array | None) -> bool:
    """Whether a little difference of before is there afterwards."""
    if then is None or then.shape != now.shape:
        return False
    off = np.linalg.norm(np.ravel(then - now - little))
    return bool(off <= SHARE * np.linalg.norm(np.ravel(little)))


def _slots(reached: Iterable[Any]) -> Iterator[Slot]:
    """Where numbers are kept, each by one of the ways that lead to it."""
    known: set[int] = set()
    kinds: dict[int, Kind] = {}
    for one in reached:
        kind = type(one)
        if id(kind) not in kinds:
            kinds[id(kind)] = _kind(kind)
        for value, slot in _all(one, kinds[id(kind)]):
            if id(value) not in known:
                known.add(id(value))
                yield slot


@dataclass(frozen=True)
class Kind:
    """A class, and where its objects may keep numbers.

    Attributes:
        read: gives the attributes that an object holds itself; None if it holds none.
        shared: the numbers among the class's own attributes, which those of an object may hide.
        slots: the descriptors of what ``__slots__`` keeps.
    """

    read: Callable[[Any], dict[str, Any]] | None
    shared: dict[str, Any]
    slots: list[Any]


def _kind(kind: type) -> Kind:
    read = static_reading.reader(kind)
    shared: dict[str, Any] = {}
    if read is not None:
        for base in reversed(static_reading.order(kind)):
            shared |= static_reading.namespace(base)
    numbers = {name: value for name, value in shared.items() if _holds_numbers(value)}
    return Kind(read, numbers, static_reading.slots(kind))


def _holds_numbers(value: Any) -> bool:
    """Whether numbers are there that a run can move on by a little."""
    try:
        if isinstance(value, np.ndarray):
            return value.dtype.name in LITTLE and value.size > 0
        return is_leaf(value) and np.array(value).dtype.name in LITTLE
    except Exception:  # an object that is none of ours to understand
        return False


def _all(one: Any, kind: Kind) -> Iterator[tuple[Any, Slot]]:
    """The numbers that an object keeps, each with where that is."""
    yield from _attributes(one, kind)
    if type(one) is dict:
        yield from _items(one, list(one.items()))
    elif type(one) is list:
        yield from _items(one, enumerate(one))
    elif type(one) is types.FunctionType:
        names = named_in(one.__code__) & set(one.__globals__)
        yield from _items(one.__globals__, [(n, one.__globals__[n]) for n in sorted(names)])
        for name, cell in zip(one.__code__.co_freevars, one.__closure__ or (), strict=True):
            yield from _found(Slot(name, *_cell(cell)))


def _attributes(one: Any, kind: Kind) -> Iterator[tuple[Any, Slot]]:
    """An object's own attributes, those of its class that it may come to hide, and its slots."""
    held = None if kind.read is None else kind.read(one)
    if type(held) is dict:
        hidden = {name: value for name, value in kind.shared.items() if name not in held}
        for name, value in (held | hidden).items():
            if _holds_numbers(value):
                get = partial(_attribute, held, kind.shared, name)
                yield value, Slot(name, get, partial(held.__setitem__, name))
    for slot in kind.slots:
        get, put = partial(slot.__get__, one), partial(slot.__set__, one)
        yield from _found(Slot(slot.__name__, get, put))


def _attribute(held: Mapping[str, Any], shared: Mapping[str, Any], name: str) -> Any:
    return held[name] if name in held else shared[name]


def _items(container: Any, pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Slot]]:
    for key, value in pairs:
        if _holds_numbers(value):
            name = key if isinstance(key, str) else f"[{key!r}]"
            put = partial(container.__setitem__, key)
            yield value, Slot(name, partial(container.__getitem__, key), put)


def _cell(cell: types.CellType) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    return lambda: cell.cell_contents, partial(setattr, cell, "cell_contents")


def _found(slot: Slot) -> Iterator[tuple[Any, Slot]]:
    """Where there may be nothing yet."""
    try:
        value = slot.get()
    except (AttributeError, ValueError):
        return
    if _holds_numbers(value):
        yield value, slot
