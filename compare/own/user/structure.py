"""Several tensors together, and the gradients that are taken apart as they are.

Parameters may lie in lists of dicts of lists. Their gradients come in the same structure, as one
list or dict of all tensors, or as one vector of all entries in the order of the parameters. Which
of these it is, lengths, keys and shapes tell; what they leave open is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.base.errors import CannotCompare
from compare.own.user.numbers import is_leaf, without_ones

#: Of a longer list so many items are shown, in so many lists within each other.
SHOWN, DEEP = 4, 4


@dataclass(frozen=True)
class Node:
    """A list or dict of tensors, or of more of these.

    Attributes:
        children: by key, or by place in a list; a tensor is its name.
    """

    children: dict[str, Tree]


Tree = str | Node
Shapes = Mapping[str, tuple[int, ...]]
Reading = dict[str, Any]


def names_in(tree: Tree) -> Iterator[str]:
    """The names of all tensors, in order."""
    if isinstance(tree, str):
        yield tree
    else:
        for child in tree.children.values():
            yield from names_in(child)


def take_apart(value: Any, tree: Node, shapes: Shapes) -> Reading:
    """The gradient of each parameter, out of what ``grads`` returned.

    Args:
        value: plain lists, dicts and tensors.
        tree: the parameters' structure.
        shapes: of the parameters.

    Raises:
        CannotCompare: it is none of all parameters, or can be read in several ways.
    """
    fitting = [one for one in _readings(value, tree, shapes, True) if one and _fits(one, shapes)]
    readings = [one for one in _readings(value, tree, shapes, False) if one]
    distinct = _distinct(fitting or readings)
    if not distinct:
        raise CannotCompare(_unlike(value, tree, shapes))
    if len(distinct) > 1:
        raise CannotCompare(
            f"what grads gives can be read in {len(distinct)} ways: {_both(value, tree, shapes)}; "
            f"return a dict with the names {', '.join(shapes)}"
        )
    return distinct[0]


def _readings(value: Any, tree: Node, shapes: Shapes, cut: bool) -> Iterator[Reading | None]:
    """All ways to read it; an array of numbers is cut into several tensors only if it may be."""
    names = list(shapes)
    if len(names) == 1 and is_leaf(value):
        yield {names[0]: value}
        return
    yield _read(value, tree, cut)
    first = next(iter(tree.children.values()))
    if len(tree.children) == 1 and isinstance(first, Node):
        yield _read(value, first, cut)
    yield _read(value, Node({name: name for name in names}), cut)
    yield _split(value, shapes)


def _read(value: Any, tree: Tree, cut: bool) -> Reading | None:
    """What is at the place of each tensor, if the structure is the same."""
    if isinstance(tree, str):
        return {tree: value}
    children = tree.children
    if isinstance(value, dict):
        held = {str(key): item for key, item in value.items()}
        pairs = [(held.get(key), child) for key, child in children.items()]
        same = held.keys() == children.keys()
    elif isinstance(value, list) or (cut and _has_rows(value)):
        same = len(value) == len(children)
        pairs = list(zip(value, children.values(), strict=False))
    else:
        return None
    found = [_read(item, child, cut) for item, child in pairs]
    if not same or None in found:
        return None
    return {name: item for one in found if one is not None for name, item in one.items()}


def _has_rows(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0


def _split(value: Any, shapes: Shapes) -> Reading | None:
    """One vector of all entries, cut into tensors."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    if not is_leaf(value) or without_ones(np.shape(value)) != (int(ends[-1]),):
        return None
    parts = np.split(np.ravel(value), ends[:-1])
    return {
        name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def _fits(found: Reading, shapes: Shapes) -> bool:
    """Whether each tensor has its parameter's shape, but for axes of length 1."""
    return all(
        is_leaf(found[name]) and without_ones(np.shape(found[name])) == without_ones(shape)
        for name, shape in shapes.items()
    )


def _distinct(readings: list[Reading]) -> list[Reading]:
    found: list[Reading] = []
    for one in readings:
        if not any(all(_same(one[name], other[name]) for name in one) for other in found):
            found.append(one)
    return found


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    return is_leaf(one) and is_leaf(other) and np.array_equal(np.ravel(one), np.ravel(other))


def _unlike(value: Any, tree: Node, shapes: Shapes) -> str:
    both = f"; {_both(value, tree, shapes)}"
    if isinstance(value, dict):
        keys = ", ".join(map(str, value)) or "none"
        nested = both if set(tree.children) != set(shapes) else ""
        return (
            f"grads gives the keys {keys}, but should give {', '.join(tree.children)}{nested}; "
            f"return (gradients, 'key', ...) to say which is which, in the order of the parameters"
        )
    if isinstance(value, list) or _has_rows(value):
        count = "is 1 parameter" if len(shapes) == 1 else f"are {len(shapes)} parameters"
        return f"grads gives {len(value)} gradients, but there {count}: {', '.join(shapes)}{both}"
    return (
        f"grads returns a {type(value).__name__}, but should return a dict or list of gradients, "
        f"or where they are: (network, 'dW1', 'db1')"
    )


def _both(value: Any, tree: Node, shapes: Shapes) -> str:
    """Both structures, for a sentence."""
    given, wanted = outline(value), outline(tree, lambda name: str(shapes[name]))
    return f"the shapes that it gives are {given}, those of the parameters {wanted}"


def outline(value: Any, shape: Callable[[str], str] = str, depth: int = 0) -> str:
    """A structure in a line: the shapes of all tensors in their lists and dicts."""
    if isinstance(value, Node):
        value = value.children
    if isinstance(value, str):
        return shape(value)
    if is_leaf(value):
        return str(np.shape(value))
    if not isinstance(value, dict | list) or depth == DEEP:
        return "..." if depth == DEEP else type(value).__name__
    keys = list(value)[:SHOWN] if isinstance(value, dict) else range(min(len(value), SHOWN))
    names = isinstance(value, dict) and any(not str(key).isdigit() for key in value)
    shown = [f"{key}: " * names + outline(value[key], shape, depth + 1) for key in keys]
    if len(value) > SHOWN:
        shown.append(f"... {len(value)} in all")
    return ("{%s}" if names else "[%s]") % ", ".join(shown)


def as_plain(value: Any, depth: int = 0) -> Any:
    """The same as dicts and lists of Python, which the user's code has no part in."""
    if is_leaf(value) or depth > 2 * DEEP:
        return value
    if isinstance(value, Mapping):
        return {key: as_plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim):
        return [as_plain(item, depth + 1) for item in value]
    return value
