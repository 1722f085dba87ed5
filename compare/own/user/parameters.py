"""A network's parameters, by name, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from compare.base.errors import CannotCompare, UsageError
from compare.base.quantities import Array
from compare.own.isolation import static_reading
from compare.own.user.attribute_paths import Part, Place, is_pointer, place
from compare.own.user.numbers import as_array, fill, is_leaf, is_number
from compare.own.user.structure import Node, Tree


class Parameters:
    """Reads and writes a network's parameters.

    Args:
        given: where they are:

            - ``(network, "W1", "b1")``, an object and paths from it; a module or ``globals()`` is
              such an object, too;
            - a dict of arrays, or of ``(object, path)``, whose keys are the names;
            - a list of arrays.

            What holds several tensors, such as a list of arrays, is taken apart.

    Attributes:
        places: where each tensor is, by its name.
        tree: how they lie together.

    Raises:
        CannotCompare: there are none, one cannot be compared, or two share memory.
        UsageError: a path cannot be read.
    """

    def __init__(self, given: Any) -> None:
        self.places: dict[str, Place] = {}
        try:
            self.tree = Node({name: self._tree(name, where) for name, where in _named(given)})
        except RecursionError:
            raise CannotCompare(
                "parameters holds something that holds itself; name the arrays: (network, 'W1')"
            ) from None
        if not self.places:
            raise CannotCompare("parameters holds none; name them: (network, 'W1', 'b1')")
        values = self.read()
        for name, value in values.items():
            if value.size == 0:
                raise CannotCompare(f"parameter {name} is empty: its shape is {value.shape}")
            if not np.isfinite(value).all():
                raise CannotCompare(f"parameter {name} is not finite{first_bad(value)}")
        self._require_apart()

    def _tree(self, name: str, where: Place) -> Tree:
        """The structure of what is at a place, each tensor of which becomes a parameter."""
        value = where.get()
        if isinstance(value, Mapping):
            items = list(value)
        elif not is_leaf(value) and isinstance(value, list | tuple | np.ndarray):
            items = list(range(len(value)))
        else:
            as_array(value, f"parameter {name}")
            if name in self.places:
                raise UsageError(f"two parameters are called {name}; each should have its own name")
            self.places[name] = where
            return name
        inner = [(f"{name}[{item!r}]", where.within(item)) for item in items]
        return Node({str(item): self._tree(*one) for item, one in zip(items, inner, strict=True)})

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def read(self) -> dict[str, Array]:
        """Copies of all parameters as they are now."""
        return {
            name: as_array(where.get(), f"parameter {name}") for name, where in self.places.items()
        }

    def write(self, values: Mapping[str, Array]) -> None:
        """Put numbers in the place of the parameters."""
        for name, where in self.places.items():
            fill(where.get(), values[name], where.set)

    def _require_apart(self) -> None:
        arrays = {name: where.get() for name, where in self.places.items()}
        held = [(name, array) for name, array in arrays.items() if isinstance(array, np.ndarray)]
        for (name, array), (other, second) in combinations(held, 2):
            if np.may_share_memory(array, second) and np.shares_memory(array, second):
                raise CannotCompare(
                    f"parameters {name} and {other} share memory, so neither can be changed "
                    f"alone; name one of them"
                )


def _named(given: Any) -> Iterator[tuple[str, Place]]:
    """What is named as parameters, and where it is."""
    if is_pointer(given):
        root, *paths = given
        for path in paths:
            yield str(path), place(root, path)
    elif isinstance(given, Mapping):
        for key, value in given.items():
            yield str(key), _entry(str(key), value, Place(given, (Part(key),)))
    elif isinstance(given, list | tuple):
        for index, value in enumerate(given):
            yield str(index), _entry(str(index), value, Place(given, (Part(index),)))
    else:
        raise UsageError(_not_parameters(given))


def _entry(name: str, value: Any, where: Place) -> Place:
    """One item of a dict or list: a pointer to somewhere else, or itself."""
    if not is_pointer(value):
        return where
    root, *paths = value
    if len(paths) > 1:
        raise UsageError(f"{name!r} names {len(paths)} parameters, but should name one")
    return place(root, paths[0])


def _not_parameters(given: Any) -> str:
    kind = type(given).__name__
    held = [
        name
        for name, value in (static_reading.attributes(given) or {}).items()
        if isinstance(value, np.ndarray) or (is_leaf(value) and not is_number(value))
    ]
    hint = f"; its attributes {', '.join(held)} hold numbers" if held else ""
    return (
        f"parameters is a {kind}, but should be an object and paths, such as "
        f"(network, 'W1', 'b1'), or a dict or list of arrays{hint}"
    )


def first_bad(value: Array) -> str:
    """Where an array is not finite, for the end of a sentence."""
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
    return f": it is {value[index]} at {list(index)}" if index else f": it is {value[()]}"
