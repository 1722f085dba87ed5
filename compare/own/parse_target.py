"""The file and the function that a user names on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from compare.base.errors import UsageError
from compare.base.files import other_than_file

#: The function that is looked for if none is named.
FUNCTION = "check"


@dataclass(frozen=True)
class Target:
    """A function in a file.

    Attributes:
        path: the file.
        function: its name.
    """

    path: Path
    function: str = FUNCTION

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``FILE`` or ``FILE:FUNCTION``.

        Raises:
            UsageError: there is no such file.
        """
        file, colon, function = text.rpartition(":")
        if Path(text).is_file() or not (colon and function.isidentifier()):
            return cls(_existing(Path(text)))
        return cls(_existing(Path(file)), function)


def _existing(path: Path) -> Path:
    try:
        other = other_than_file(path)
        why = f"it is {other}" if other else ""
    except (OSError, ValueError):  # a name that no file can have
        why = "there is no such file"
    if why:
        raise UsageError(f"cannot check {path}: {why}; `init {path}` writes one to start from")
    return path
