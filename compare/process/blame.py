"""Whose code raised an error: this program's or that of its user."""

from __future__ import annotations

import traceback
from types import FrameType

from compare.process.budget import TimeUp
from compare.process.ownership import is_harness, is_ours, is_users

#: So many characters of a text are shown, and so many errors of a group.
LONGEST, SHOWN = 1000, 3


def raised_in_compare(error: BaseException) -> bool:
    """Whether the very line that raised an error is one of :mod:`compare`."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and is_harness(frames[-1].filename)


def passed_users(error: BaseException) -> bool:
    """Whether an error came up through code of the user."""
    return any(is_users(_file(frame)) for frame, _ in traceback.walk_tb(error.__traceback__))


def _file(frame: FrameType) -> str:
    """Where a frame's code is from.

    What is made from a string, as methods of a dataclass are, belongs to the module that it is for.
    """
    name = frame.f_code.co_filename
    return str(frame.f_globals.get("__file__", name)) if name == "<string>" else name


def described(error: BaseException) -> str:
    """An error in a line: its class, its text, and, of a group, what is in it."""
    name = type.__dict__["__name__"].__get__(type(error))
    text = _text(error)
    if isinstance(error, BaseExceptionGroup):
        inner = vars(BaseExceptionGroup)["exceptions"].__get__(error)
        more = f" and {len(inner) - SHOWN} more" if len(inner) > SHOWN else ""
        text = f"{text}: {'; '.join(map(_of_group, inner[:SHOWN]))}{more}"
    return f"{name}: {text}" if text else str(name)


def _of_group(error: BaseException) -> str:
    name = type.__dict__["__name__"].__get__(type(error))
    return f"{name}: {_text(error)}"


def _text(error: BaseException) -> str:
    """The text of an error, whose class may have made anything of it."""
    try:
        text = " ".join(str.split(str(error)))
    except (TimeUp, KeyboardInterrupt):
        raise
    except BaseException:
        return "(its text cannot be had)"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def told(error: BaseException) -> str:
    """An error in a line, whosever it is."""
    return described(error) if passed_users(error) else fault(error)


def fault(error: BaseException) -> str:
    """An error of this program's own in a line: what, where, and what to do about it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if is_ours(frame.filename)] or frames
    where = f" (at {ours[-1].filename}, line {ours[-1].lineno}, in {ours[-1].name})" if ours else ""
    return f"a fault of Backproof, not of your network: {described(error)}{where}; please report it"
