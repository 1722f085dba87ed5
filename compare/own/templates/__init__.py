"""Files to start from: each is a network in one style, with the function that checks it.

They work as they are, so that the first run shows what a verdict looks like; then the network is
replaced by one's own.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from compare.base.errors import UsageError

STYLES = ("class", "functions", "script")


def start(style: str, file: Path | None) -> str:
    """The file to start from in that style.

    Args:
        style: one of ``STYLES``.
        file: where it is going to be, as its first line tells.

    Raises:
        UsageError: there is no such style.
    """
    if style not in STYLES:
        raise UsageError(f"style is {style!r}, but should be one of {', '.join(STYLES)}")
    text = (resources.files("compare.own.templates") / f"{style}.py.txt").read_text("utf-8")
    return text.replace("{file}", "FILE.py" if file is None else str(file), 1)
