"""Any text as one line that shows what is in it, whatever somebody has put into a name."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""A text with all that does not show written as Python would: ``\n``, ``\x1b``, ``\ud800``.

    So it is one line, moves no cursor, and is valid as UTF-8 and in XML.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def encodable(text: str) -> str:
    """A text with halves of characters, which no encoding knows, written as Python would."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
