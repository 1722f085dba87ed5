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

from compare.observation import Array
from compare.own import statics
from compare.own.memento import Memento, named_in
from compare.own.numbers import fill, is_leaf
from compare.own.subject import Subject

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
        """A copy of the numbers; None if there are none."""
        value = self.get()
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
    for slot in _all(list(reached)):
        try:
            value = slot.get()
            has_numbers = slot.read() is not None
        except Exception:  # noqa: S112 - an object that is none of ours to understand
            continue
        if has_numbers and id(value) not in known:
            known.add(id(value))
            yield slot


def _all(reached: list[Any]) -> Iterator[Slot]:
    for one in reached:
        yield from _attributes(one)
        if type(one) is dict:
            yield from (_item(one, key) for key in list(one))
        elif type(one) is list:
            yield from (_item(one, index) for index in range(len(one)))
        elif type(one) is types.FunctionType:
            names = named_in(one.__code__) & set(one.__globals__)
            yield from (_item(one.__globals__, name) for name in sorted(names))
            yield from map(_cell, one.__code__.co_freevars, one.__closure__ or ())


def _attributes(one: Any) -> Iterator[Slot]:
    """An object's own attributes, those of its class that it may come to hide, and its slots."""
    kind = type(one)
    read = statics.reader(kind)
    held = None if read is None else read(one)
    if type(held) is dict:
        shared = {
            name: value for base in reversed(kind.__mro__) for name, value in vars(base).items()
        }
        for name in [*held, *(name for name in shared if name not in held)]:
            get = partial(_attribute, held, shared, name)
            yield Slot(name, get, partial(held.__setitem__, name))
    for slot in statics.slots(kind):
        yield Slot(slot.__name__, partial(slot.__get__, one), partial(slot.__set__, one))


def _attribute(held: Mapping[str, Any], shared: Mapping[str, Any], name: str) -> Any:
    return held[name] if name in held else shared[name]


def _item(container: Any, key: Any) -> Slot:
    name = key if isinstance(key, str) else f"[{key!r}]"
    return Slot(name, partial(container.__getitem__, key), partial(container.__setitem__, key))


def _cell(name: str, cell: types.CellType) -> Slot:
    return Slot(name, lambda: cell.cell_contents, partial(setattr, cell, "cell_contents"))
