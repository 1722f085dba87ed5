"""Reports in a notebook."""

from __future__ import annotations

import io

from rich.console import Console

from compare.render.console import show
from compare.report import Report


def to_html(report: Report) -> str:
    """The report as it looks on a terminal, in colour, as a fragment of HTML."""
    console = Console(record=True, width=100, file=io.StringIO(), force_jupyter=False)
    show(report, console)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
