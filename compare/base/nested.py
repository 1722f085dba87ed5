"""Nested tuples of arrays, as layers with several inputs or outputs take and give them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply ``function`` to each leaf of nested tuples; None stays None."""
    if isinstance(structure, tuple):
        return tuple(mapped(function, part) for part in structure)
    return None if structure is None else function(structure)


def leaves(structure: Any, path: str) -> dict[str, Any]:
    """Each leaf of nested tuples by its path, such as ``output[1][0]``; None is left out."""
    return dict(_walk(structure, path))


def _walk(structure: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(structure, tuple):
        for position, part in enumerate(structure):
            yield from _walk(part, f"{path}[{position}]")
    elif structure is not None:
        yield path, structure
