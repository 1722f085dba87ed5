"""What comes after a verdict: it neither changes, nor delays, nor loses it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from compare.base.errors import BackproofError
from compare.process.blame import told
from compare.process.budget import Budget, TimeUp

T = TypeVar("T")

#: Seconds in which a disagreement is explained, unless the comparison took more than half of that.
EXPLANATION = 10.0


@dataclass(frozen=True)
class Wanted:
    """What is looked for, in words.

    Attributes:
        nothing: that there was no time for it.
        failed: that it could not be looked for.
    """

    nothing: str
    failed: str


FAULT = Wanted("not found", "could not be found out")
CAUSE = Wanted("no cause found", "could not look for a cause")
SIDE = Wanted("which side is wrong was not found out", "could not find out which side is wrong")
OTHER = Wanted("nothing else was looked for", "could not look for anything else")
SECOND_STEP = Wanted("no second step was looked at", "a second step could not be looked at")


def time_for_it(began: float, left: float = math.inf) -> Budget:
    """How long a verdict may be explained, which depends on how long it took to find.

    Args:
        began: when the comparison did, by ``time.monotonic``.
        left: seconds that are left at most.
    """
    return Budget(min(max(EXPLANATION, 2 * (time.monotonic() - began)), left))


def attempt(
    wanted: Wanted,
    find: Callable[[], T],
    budget: Budget,
    alarmed: Callable[[float], Any] = nullcontext,
) -> tuple[T | None, str]:
    """Look for something that is not needed.

    Args:
        wanted: what it is.
        find: looks for it, and asks the budget wherever it calls code under test.
        budget: the time for it.
        alarmed: makes a context that raises ``TimeUp`` after some seconds.

    Returns:
        What was found; or None, and in a sentence why.
    """
    try:
        budget.require()
        with alarmed(budget.left):
            return find(), ""
    except TimeUp:
        return None, f"{wanted.nothing} in the time there was, {budget.seconds:.2g} seconds"
    except BackproofError as error:
        return None, f"{wanted.failed}: {error}"
    except Exception as error:  # code under test, run elsewhere or on other kinds of number
        return None, f"{wanted.failed}: {told(error)}"
