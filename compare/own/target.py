"""The file and the function that a user names on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from compare.errors import UsageError

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
    if not path.is_file():
        why = "it is a directory" if path.is_dir() else "there is no such file"
        raise UsageError(f"cannot check {path}: {why}; `init {path}` writes one to start from")
    return path
