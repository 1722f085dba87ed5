"""What is printed on a console, as text and as HTML."""

from __future__ import annotations

import io
from collections.abc import Callable

from rich.console import Console

#: Columns: enough for any table.
WIDTH = 100


def as_text(show: Callable[[Console], object]) -> str:
    """The same words, without colour."""
    file = io.StringIO()
    show(_console(file, record=False))
    return file.getvalue().rstrip("\n")


def as_html(show: Callable[[Console], object]) -> str:
    """What it looks like on a terminal, in colour, as a fragment of HTML."""
    console = _console(io.StringIO(), record=True)
    show(console)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


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
