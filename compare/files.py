"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from compare.errors import BackproofError, UsageError

#: How the name of a file begins that is not complete yet.
PARTIAL = ".backproof-"


def require_writable(path: Path) -> None:
    """Find out before the work, not after it, whether ``path`` can be written.

    Raises:
        UsageError: it cannot.
    """
    try:
        mode = _mode(path)
        if mode is not None and stat.S_ISDIR(mode):
            raise UsageError(f"cannot write {path}: it is a directory; name a file in it")
        if mode is not None and not os.access(path, os.W_OK):
            raise UsageError(f"cannot write {path}: permission denied")
        if mode is None or stat.S_ISREG(mode):
            with tempfile.NamedTemporaryFile(dir=_place(path).parent, prefix=PARTIAL):
                pass
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror} (in {_folder(path)})") from error


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file next to its place and move it there when it is complete.

    A link is followed, and what is no file, such as a pipe or ``/dev/null``, is written to as it
    is: a file moved to its place would do away with it.

    Args:
        path: where the file is to be.
        write: writes the contents into the open file that it is given.

    Raises:
        BackproofError: the file cannot be written; whatever was at ``path`` is still there.
    """
    try:
        mode = _mode(path)
        if mode is None or stat.S_ISREG(mode):
            _replace(_place(path), _new_mode() if mode is None else stat.S_IMODE(mode), write)
        else:
            with open(path, "wb") as file:
                write(file)
    except OSError as error:
        raise BackproofError(f"cannot write {path}: {error.strerror or error}") from error


def _replace(path: Path, mode: int, write: Callable[[BinaryIO], object]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PARTIAL)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _place(path: Path) -> Path:
    """Where a file of that name really is, or would be."""
    return Path(os.path.realpath(path))


def _folder(path: Path) -> Path:
    """Where a file of that name would be, or what is told of that if there is no such place."""
    try:
        return _place(path).parent
    except OSError:  # the current directory has been removed
        return path.parent


def _mode(path: Path) -> int | None:
    """What is there already; None for nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _new_mode() -> int:
    """The permissions of a new file."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
