"""What can go wrong without a fault in either network, and the exit code of each."""

from __future__ import annotations


class BackproofError(Exception):
    """A message for the user: what happened, where, and what to do about it."""

    exit_code = 3


class UsageError(BackproofError):
    """The request itself is wrong: an unknown name, a value out of range."""

    exit_code = 2


class CannotCompare(BackproofError):
    """There is no verdict: bad data, values that are not finite, a missing package."""

    exit_code = 3
