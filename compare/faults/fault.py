"""What a fault is: a change to one or two methods of something that is right."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeAlias, TypeVar

Method: TypeAlias = Callable[..., Any]

#: The wrong method for each right one, by name of the method.
Changes: TypeAlias = Mapping[str, Callable[[Method], Method]]

Thing = TypeVar("Thing")


def changed(thing: Thing, changes: Changes) -> Thing:
    """A copy of a thing with other methods; the thing itself stays as it is."""
    kind = type(thing)
    wrong = {name: change(getattr(kind, name)) for name, change in changes.items()}
    twin = copy.copy(thing)
    twin.__class__ = type(kind.__name__, (kind,), wrong)
    return twin


@dataclass(frozen=True)
class Fault:
    """One way in which people get something wrong.

    Attributes:
        name: what it is called, unique in the catalogue.
        told: what the code does, in a sentence.
        owner: name of the class of the reference that is changed, or of the function, whose one
            change is called ``__call__``. Faults of the training loop are changes to the
            ``ReferenceSide`` of a comparison, or to the ``Feed`` that hands it its data.
        changes: the wrong method for each right one, by name of the method.
        spoils: what is wrong before all else: ``output``, ``dx``, ``gradient NAME`` of one of the
            layer's parameters, ``state NAME``, ``parameter``, ``buffer NAME``, ``lr``,
            ``momentum``, ``start`` (first weights) or ``loop`` (a quantity of training as a whole).
            NAME may lack what layers and directions append to it. Where options decide which of
            several is first, all of them, joined by `` or ``.
        remedy: what to write instead.
        needs: the condition without which nothing shows, in words; empty if it always shows.
    """

    name: str
    told: str
    owner: str
    changes: Changes
    spoils: str
    remedy: str
    needs: str = ""

    def fits(self, thing: object) -> bool:
        """Whether a thing is the function, or of the class, that this fault is about."""
        named = thing if isinstance(thing, FunctionType) else type(thing)
        return named.__name__ == self.owner

    def plant(self, thing: Thing) -> Thing:
        """A copy of a thing with this fault; the thing itself stays right."""
        if isinstance(thing, FunctionType):
            return self.changes["__call__"](thing)  # type: ignore[return-value]
        return changed(thing, self.changes)
