"""What can go wrong without a fault in either network, and the exit code of each."""

from __future__ import annotations

from compare.base.printable import printable


class BackproofError(Exception):
    """A message for the user, in one line: what happened, where, and what to do about it.

    Args:
        message: it may hold names and texts of the user's code, whatever is in them.
    """

    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class UsageError(BackproofError):
    """The request itself is wrong: an unknown name, a value out of range."""

    exit_code = 2


class CannotCompare(BackproofError):
    """There is no verdict: bad data, values that are not finite, a missing package."""

    exit_code = 3
