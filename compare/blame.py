"""Whose code raised an error: this program's or that of its user."""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path

_HERE = Path(__file__).resolve().parent

#: The packages of this program, each with a separator, so that no longer name is taken for it.
_OURS = tuple(f"{_HERE.parent / name}{os.sep}" for name in ("compare", "reference", "torch_impl"))

#: Code that is neither ours nor the user's.
_LIBRARIES = (f"{Path(sysconfig.get_path('stdlib')).resolve()}{os.sep}", "<frozen", "<__array_")


def raised_in_compare(error: BaseException) -> bool:
    """Whether the very line that raised an error is one of :mod:`compare`."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and is_ours(frames[-1].filename)


def is_ours(file: str) -> bool:
    """Whether a file is one of :mod:`compare`."""
    return file.startswith(_OURS[0])


def is_users(file: str) -> bool:
    """Whether a file is the user's: not this program's, nor an installed package's."""
    if file.startswith((*_OURS, *_LIBRARIES)):
        return False
    return not {"site-packages", "dist-packages"} & set(Path(file).parts)


def passed_users(error: BaseException) -> bool:
    """Whether an error came up through code of the user."""
    return any(is_users(frame.filename) for frame in traceback.extract_tb(error.__traceback__))


def fault(error: BaseException) -> str:
    """An error of this program's own in a line: what, where, and what to do about it."""
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS)] or frames
    where = f" (at {ours[-1].filename}, line {ours[-1].lineno}, in {ours[-1].name})" if ours else ""
    return f"a fault of Backproof, not of your network: {what}{where}; please report it"
