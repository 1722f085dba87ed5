"""Time that may be spent on what is not needed for a verdict, such as its cause."""

from __future__ import annotations

import math
import time


class TimeUp(BaseException):
    """Raised wherever code is when its time is up; no ``except Exception`` holds it.

    Attributes:
        doing: the innermost of the user's functions that was running.
        busy: what it was busy with, if it has always come back so far.
    """

    doing = ""
    busy = ""


class Budget:
    """So many seconds from now on; loops ask it at each turn.

    Args:
        seconds: how many; none are left if it is 0 or less.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.seconds = max(seconds, 0.0)
        self._end = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(self._end - time.monotonic(), 0.0)

    def require(self) -> None:
        """Go on only if there is time left.

        Raises:
            TimeUp: there is none.
        """
        if not self.left:
            raise TimeUp
