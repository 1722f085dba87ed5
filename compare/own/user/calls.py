"""How often a user's functions were called and how long that took, to tell when time is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

#: A call that takes so many times as long as the longest before it may never come back.
LONGER = 20.0

#: Seconds that any call may take once in a while.
HICCUP = 0.2


@dataclass
class _Function:
    times: int = 0
    seconds: float = 0.0
    longest: float = 0.0


@dataclass
class Calls:
    """The calls of all functions.

    Attributes:
        faster: what else to do than to give it more time.
        last: the function that has come back last.
    """

    faster: str = "a smaller network or batch, or fewer draws, need less"
    last: str = ""
    _functions: dict[str, _Function] = field(default_factory=dict)
    _share: tuple[str, int, int, int] | None = None

    def add(self, what: str, seconds: float) -> None:
        """Count a call that has come back."""
        one = self._functions.setdefault(what, _Function())
        self.last = what
        one.times += 1
        one.seconds += seconds
        one.longest = max(one.longest, seconds)

    def part_of(
        self, what: str, where: str, progress: Callable[[int, int], object]
    ) -> Callable[[int, int], None]:
        """A progress that notes, before it goes on to another, how much is done at some weights."""
        before = self._times(what)

        def note(done: int, total: int) -> None:
            self._share = (where, done, total, before)
            progress(done, total)

        return note

    def told(self, what: str, running: float) -> str:
        """What a function has been busy with; nothing if the last call may never come back.

        Args:
            what: the function.
            running: how long its last call has been running.
        """
        one = self._functions.get(what)
        if one is None or running > max(LONGER * one.longest, HICCUP):
            return ""
        each = one.seconds / one.times
        called = f"{what} has come back {one.times:,} times, after {each:.2g} seconds each"
        return f"{called}{self._of(what)}; a larger timeout gives it more time, {self.faster}"

    def _of(self, what: str) -> str:
        """Of how many calls these are, as far as can be told from what is done."""
        if self._share is None:
            return ""
        where, done, total, before = self._share
        if not done:
            return ""
        all_in_all = round(total * (self._times(what) - before) / done)
        return (
            f", and at {where} {done:,} of {total:,} entries are done, which take about "
            f"{all_in_all:,} calls"
        )

    def _times(self, what: str) -> int:
        return self._functions[what].times if what in self._functions else 0
