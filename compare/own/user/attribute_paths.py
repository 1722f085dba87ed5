"""Places in a user's objects: an object and a path such as ``layers[0].weight``.

A place is looked up anew each time, so that code which binds a new array to an attribute is
followed as well as code which changes the array that is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from compare.base.errors import CannotCompare, UsageError
from compare.own.user.run import must_pass, told

_PART = re.compile(
    r"""(?:^|\.)(?P<name>[^\W\d]\w*)       # an attribute, or a key of a dict
      | \[(?P<index>-?\d+)\]               # of a list
      | \[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Part:
    """One step of a path.

    Attributes:
        key: name of an attribute, index of a list, or key of a dict.
        attribute: whether it is an attribute, unless what has it is a dict.
    """

    key: Any
    attribute: bool = False

    def __str__(self) -> str:
        return f".{self.key}" if self.attribute else f"[{self.key!r}]"

    def get(self, owner: Any) -> Any:
        if self.attribute and not isinstance(owner, Mapping):
            return getattr(owner, self.key)
        return owner[self.key]

    def set(self, owner: Any, value: Any) -> None:
        if self.attribute and not isinstance(owner, MutableMapping):
            setattr(owner, self.key, value)
        else:
            owner[self.key] = value


@dataclass(frozen=True)
class Place:
    """Where a value is found, and where another can be put.

    Attributes:
        root: the object that the path starts from.
        parts: the path.
    """

    root: Any
    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts)).removeprefix(".")

    def within(self, key: Any) -> Place:
        """The place of an item of the list or dict that is here."""
        return Place(self.root, (*self.parts, Part(key)))

    def get(self) -> Any:
        """What is there now.

        Raises:
            CannotCompare: there is no such place.
        """
        value = self.root
        for part in self.parts:
            try:
                value = part.get(value)
            except (AttributeError, LookupError, TypeError) as error:
                raise CannotCompare(
                    f"there is no {self} in the {type(self.root).__name__} that was given: "
                    f"{type(value).__name__} has no {part}"
                ) from error
            except BaseException as error:  # of a property of the user's
                if must_pass(error):
                    raise
                raise CannotCompare(f"{self} cannot be read: it raised {told(error)}") from error
        return value

    def set(self, value: Any) -> None:
        """Put a value there.

        Raises:
            CannotCompare: it cannot be replaced.
        """
        owner = Place(self.root, self.parts[:-1]).get()
        try:
            self.parts[-1].set(owner, value)
        except BaseException as error:
            if must_pass(error):
                raise
            raise CannotCompare(f"{self} cannot be replaced: {told(error)}") from error


def place(root: Any, path: str | int) -> Place:
    """The place at a path: ``weight``, ``layers[0].weight``, ``params['W1']`` or an index.

    Raises:
        UsageError: the path cannot be read.
    """
    if isinstance(path, int):
        return Place(root, (Part(path),))
    parts, end = [], 0
    while end < len(path):
        found = _PART.match(path, end)
        if found is None:
            raise UsageError(
                f"the path {path!r} cannot be read from {path[end:]!r} on; it should be like "
                f"weight, layers[0].weight or params['W1']"
            )
        parts.append(_part(found))
        end = found.end()
    if not parts:
        raise UsageError("a path is empty; it should be like weight or layers[0].weight")
    return Place(root, tuple(parts))


def _part(found: re.Match[str]) -> Part:
    if found["name"] is not None:
        return Part(found["name"], attribute=True)
    return Part(int(found["index"])) if found["index"] is not None else Part(found["key"])


def is_pointer(value: Any) -> bool:
    """Whether it is an object and paths: ``(network, "W1", "b1")``."""
    return (
        isinstance(value, tuple)
        and len(value) > 1
        and all(isinstance(path, str | int) and not isinstance(path, bool) for path in value[1:])
        and not issubclass(type(value[0]), str | int | float)
    )
