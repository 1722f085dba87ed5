"""A plain document, lines and tables, which knows of no result and is drawn elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Line:
    """A sentence.

    Attributes:
        text: it.
        style: a colour, a weight, or both, as in ``bold red``.
    """

    text: str
    style: str = ""


@dataclass(frozen=True)
class Column:
    """What is the same in all cells of a column.

    Attributes:
        name: its head.
        short: its head in a narrow table; the same if there is none.
        right: whether its cells end below each other, as numbers do.
        wraps: whether a cell that is too long is continued on the next line.
        wide: whether a narrow table leaves it out.
    """

    name: str
    short: str = ""
    right: bool = True
    wraps: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells.

    Attributes:
        columns: one for each cell of a row.
        rows: the cells of each, and the row's style.
        title: what stands above it.
        width: of so many columns of characters on, it is wide.
        spaced: whether its columns keep apart in a narrow table, too.
    """

    columns: Sequence[Column]
    rows: Sequence[tuple[Sequence[str], str]]
    title: str = ""
    width: int = 80
    spaced: bool = False


Document: TypeAlias = Iterable[Line | Table]

#: Nothing, between two parts.
BLANK = Line("")
