"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from compare.base.errors import BackproofError, UsageError

#: How the name of a file begins that is not complete yet.
PARTIAL = ".backproof-"

#: What may be there under a file's name that is none.
_OTHER = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def other_than_file(path: Path) -> str:
    """What is there, if that is no file: reading it may never end, nor begin.

    Raises:
        OSError: nothing is there, or it cannot be looked at.
    """
    mode = path.stat().st_mode
    return next((name for holds, name in _OTHER if holds(mode)), "")


def require_writable(path: Path) -> None:
    """Find out before the work, not after it, whether ``path`` can be written.

    Raises:
        UsageError: it cannot.
    """
    try:
        mode = _mode(path)
        if mode is not None and not os.access(path, os.W_OK):
            raise UsageError(f"cannot write {path}: permission denied")
        with _beside(_place(path)):
            pass
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror} (in {_folder(path)})") from error


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file next to its place and move it there when it is complete; a link is followed.

    Args:
        path: where the file is to be.
        write: writes the contents into the open file that it is given.

    Raises:
        BackproofError: the file cannot be written; whatever was at ``path`` is still there.
    """
    try:
        mode = _mode(path)
        _replace(_place(path), _new_mode() if mode is None else stat.S_IMODE(mode), write)
    except OSError as error:
        raise BackproofError(f"cannot write {path}: {error.strerror or error}") from error


def _replace(path: Path, mode: int, write: Callable[[BinaryIO], object]) -> None:
    with _beside(path) as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
        file.close()
        os.chmod(file.name, mode)
        os.replace(file.name, path)


@contextmanager
def _beside(path: Path) -> Iterator[BinaryIO]:
    """A new file next to a place; at the end, if it has not been moved, it is gone.

    Its name is known before it is there, so that no signal can come in between.
    """
    name = path.parent / f"{PARTIAL}{os.urandom(8).hex()}"
    try:
        with open(name, "xb", opener=_private) as file:
            yield file
    finally:
        with suppress(OSError):
            name.unlink()


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


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
    """The permissions of the file that is there already; None for nothing.

    Raises:
        UsageError: something else is there, which a file moved to its place would do away with.
    """
    try:
        other = other_than_file(path)
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if other:
        where = " in it" if other == "a directory" else ""
        raise UsageError(f"cannot write {path}: it is {other}; name a file{where}")
    return mode


def _new_mode() -> int:
    """The permissions of a new file."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
