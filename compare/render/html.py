"""Reports in a notebook."""

from __future__ import annotations

import io
from collections.abc import Callable

from rich.console import Console

from compare.render.console import show
from compare.report import Report


def to_html(report: Report) -> str:
    """The report as it looks on a terminal, in colour, as a fragment of HTML."""
    return as_html(lambda console: show(report, console))


def as_html(show: Callable[[Console], object]) -> str:
    """What is printed on a console, as a fragment of HTML."""
    console = Console(record=True, width=100, file=io.StringIO(), force_jupyter=False)
    show(console)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
