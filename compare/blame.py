"""Whose code raised an error: this program's or that of its user."""

from __future__ import annotations

import traceback

from compare.ownership import is_harness, is_ours, is_users


def raised_in_compare(error: BaseException) -> bool:
    """Whether the very line that raised an error is one of :mod:`compare`."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and is_harness(frames[-1].filename)


def passed_users(error: BaseException) -> bool:
    """Whether an error came up through code of the user."""
    return any(is_users(frame.filename) for frame in traceback.extract_tb(error.__traceback__))


def fault(error: BaseException) -> str:
    """An error of this program's own in a line: what, where, and what to do about it."""
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if is_ours(frame.filename)] or frames
    where = f" (at {ours[-1].filename}, line {ours[-1].lineno}, in {ours[-1].name})" if ours else ""
    return f"a fault of Backproof, not of your network: {what}{where}; please report it"
