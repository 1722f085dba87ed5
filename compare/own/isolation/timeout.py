"""A limit on how long a user's code may take, kept by the one timer that a process has.

The timer may be in use: by a limit around this one, or by anybody else. It is shared: an alarm of
theirs that is due within the block is theirs, and what is left of it goes on after the block.
"""

from __future__ import annotations

import math
import signal
import threading
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from compare.base.errors import CannotCompare, UsageError
from compare.process.budget import TimeUp

#: Seconds between alarms once the time is up, should an ``except:`` swallow one.
AGAIN = 1.0

#: The largest limit, in seconds: three years, far below what overflows a timer.
MOST = 1e8


#: The alarms that are set, the innermost last.
_alarms: list[_Alarm] = []

#: Whether they wait.
_held = False


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """End the block with an error if it takes longer.

    Raises:
        CannotCompare: the time was up.
        UsageError: the limit makes no sense, or none can be kept: it takes a signal.
    """
    if seconds is None:
        yield
        return
    _require_sense(seconds)
    alarm = _Alarm(float(seconds))
    try:
        with _ringing(alarm):
            yield
    except TimeUp as up:
        if up is not alarm.up:
            raise  # of a limit around this one
        raise CannotCompare(_over(up, seconds)) from None


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeUp` in the block when it takes longer, where there are signals for that."""
    if not 0 < seconds <= MOST or not _can_ring():
        yield
        return
    with _ringing(_Alarm(seconds)):
        yield


@contextmanager
def alarms(held: bool) -> Iterator[None]:
    """Within the block all alarms wait, or no longer do.

    They wait once a verdict stands, except where something is still looked for that may be given
    up: nothing else is to be lost by them.
    """
    global _held
    if threading.current_thread() is not threading.main_thread():
        yield  # it hears no alarm, and the main thread goes on hearing its own
        return
    before, _held = _held, held
    try:
        yield
    finally:
        _held = before


def time_left() -> float:
    """The seconds that are left of the time limits around this."""
    return min((one.left for one in _alarms), default=math.inf)


@contextmanager
def _ringing(one: _Alarm) -> Iterator[None]:
    _alarms.append(one)
    try:
        try:
            one.start()
            yield
        finally:
            one.over = True
    finally:
        one.stop()
        _alarms.remove(one)


def _over(up: TimeUp, seconds: float) -> str:
    """What took too long."""
    if up.doing and not up.busy:
        return (
            f"{up.doing} has not come back within {seconds:g} seconds; is there a loop without "
            f"end? A larger timeout, or a smaller network or batch, gives it more time"
        )
    busy = up.busy or "a larger timeout gives it more time, a smaller network or batch needs less"
    return f"the comparison was not done within {seconds:g} seconds: {busy}"


def _require_sense(seconds: Any) -> None:
    if not isinstance(seconds, int | float | np.integer | np.floating):
        raise UsageError(f"timeout is {seconds!r}, but should be a number of seconds")
    if not 0 < seconds <= MOST:
        raise UsageError(
            f"timeout is {float(seconds):g} seconds, but should be more than 0, and at "
            f"most {MOST:g}"
        )
    if not _can_ring():
        raise UsageError(
            "timeout needs the signals of the main thread, which are not to be had here; leave it "
            "out"
        )


def _can_ring() -> bool:
    return threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")


class _Alarm:
    """Raises :class:`TimeUp` after some time, beside whatever the timer was used for before.

    Args:
        seconds: the time.

    Attributes:
        up: what it raises.
        over: whether the block is, so that nothing is raised any more.
    """

    def __init__(self, seconds: float) -> None:
        self.up, self.over = TimeUp(), False
        left, self._every = signal.getitimer(signal.ITIMER_REAL)
        now = time.monotonic()
        self._due, self._theirs = now + seconds, now + left if left else math.inf
        self._end = self._due
        self._before = signal.getsignal(signal.SIGALRM) or signal.SIG_DFL

    @property
    def left(self) -> float:
        """The seconds until it rings for the first time."""
        return max(self._end - time.monotonic(), 0.0)

    def start(self) -> None:
        signal.signal(signal.SIGALRM, self._ring)
        self._set(min(self._due, self._theirs))

    def stop(self) -> None:
        """Leave the timer to those who had it before."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
        if self._theirs < math.inf:
            self._set(self._theirs, self._every)

    def _ring(self, number: int, frame: types.FrameType | None) -> None:
        now = time.monotonic()
        ours, theirs = now >= self._due, now >= self._theirs
        if ours:
            self._due = now + AGAIN
        if theirs:
            self._theirs = now + self._every if self._every else math.inf
        self._set(min(self._due, self._theirs))
        if theirs:
            self._hand_on(number, frame)
        if ours and not self.over and not _held:
            raise self.up

    def _hand_on(self, number: int, frame: types.FrameType | None) -> None:
        if callable(self._before):
            self._before(number, frame)
        elif self._before is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)  # the process ends, as without us

    @staticmethod
    def _set(due: float, every: float = 0.0) -> None:
        signal.setitimer(signal.ITIMER_REAL, max(due - time.monotonic(), 1e-6), every)
