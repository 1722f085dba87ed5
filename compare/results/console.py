"""Documents on a terminal, as text and as HTML."""

from __future__ import annotations

import io
from itertools import compress

import rich.table
from rich import box
from rich.console import Console
from rich.text import Text

from compare.base.printable import printable
from compare.results.document import Document, Line, Table

#: Columns of a text that is for no terminal: enough for any table.
WIDTH = 100


def draw(document: Document, console: Console) -> None:
    """Print a document; a sentence in a file or a pipe stays one line, to be searched for."""
    for part in document:
        if isinstance(part, Line):
            line = Text(printable(part.text), style=part.style)
            console.print(line, soft_wrap=not console.is_terminal)
        else:
            console.print(_table(part, console.width >= part.width))


def as_text(document: Document) -> str:
    """The same words, without colour."""
    file = io.StringIO()
    draw(document, _console(file, record=False))
    return file.getvalue().rstrip("\n")


def as_html(document: Document) -> str:
    """What it looks like on a terminal, in colour, as a fragment of HTML."""
    console = _console(io.StringIO(), record=True)
    draw(document, console)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


def _table(table: Table, wide: bool) -> rich.table.Table:
    left_out = [] if wide else [column.name for column in table.columns if column.wide]
    shown = [wide or not column.wide for column in table.columns]
    drawn = rich.table.Table(
        title=Text(printable(table.title), style="table.title") if table.title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0) if wide or table.spaced else 0,
        caption=f"{', '.join(left_out)}: from {table.width} columns on" if left_out else None,
        caption_justify="left",
    )
    for column in compress(table.columns, shown):
        drawn.add_column(
            column.name if wide else column.short or column.name,
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            overflow="fold",
        )
    for cells, style in table.rows:
        drawn.add_row(*(Text(printable(cell)) for cell in compress(cells, shown)), style=style)
    return drawn


def _console(file: io.StringIO, record: bool) -> Console:
    """A console that is the same wherever it is, whatever its environment says."""
    return Console(
        file=file,
        record=record,
        width=WIDTH,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        force_interactive=False,
        _environ={},
    )
