"""Running a user's functions: what they raise, print and change."""

from __future__ import annotations

import contextlib
import dis
import io
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from compare.base.errors import BackproofError, CannotCompare
from compare.own.isolation.patches import Theirs
from compare.own.user.calls import Calls
from compare.process.blame import described, raised_in_compare
from compare.process.budget import Budget, TimeUp
from compare.process.ownership import is_ours, is_users


class _Lines(io.StringIO):
    """Counts what is printed, keeps nothing, and stays open: code may close its standard output."""

    number = 0

    def write(self, text: str) -> int:
        self.number += text.count("\n")
        return len(text)

    def close(self) -> None:
        pass


class Runner:
    """Runs functions of the user, and counts what they print.

    Args:
        keeps: whether functions of libraries that they replace stay so for the next one.

    Attributes:
        lines: how many lines were printed, and not shown.
        calls: how often each function was called, and how long that took.
        budget: the time in which functions may be called.
    """

    def __init__(self, keeps: bool = False) -> None:
        self._theirs = Theirs(keeps)
        self.lines = 0
        self.calls = Calls()
        self.budget = Budget()

    def __call__(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of the user.

        Args:
            what: it is called so in errors.
            function: the function.
            arguments: what to hand it.

        Raises:
            CannotCompare: it raised something.
            TimeUp: there is no time left to call it.
        """
        self.budget.require()
        printed = _Lines()
        start = time.monotonic()
        depth = sys.getrecursionlimit()
        try:
            with (
                self._theirs.during(what),
                contextlib.redirect_stdout(printed),
                np.errstate(all="ignore"),  # whether numbers are finite is looked at afterwards
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("ignore")
                result = function(*arguments)
            self.calls.add(what, time.monotonic() - start)
            return result
        except BackproofError:
            raise
        except TimeUp as up:
            if not up.doing:
                up.doing, up.busy = what, self.calls.told(what, time.monotonic() - start)
            raise
        except BaseException as error:
            if raised_in_compare(error) and not _may_be_theirs(error):
                raise  # a fault of ours, in what watches or disturbs the user's computation
            if is_interruption(error):
                raise
            raise CannotCompare(f"{what} raised {told(error)}") from error
        finally:
            sys.setrecursionlimit(depth)
            self.lines += printed.number

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Time that is up between two calls is as much due to them as within one."""
        try:
            yield
        except TimeUp as up:
            if not up.doing and self.calls.last:
                up.doing, up.busy = self.calls.last, self.calls.told(self.calls.last, 0.0)
            raise


def told(error: BaseException) -> str:
    """An error of the user's code in a line: what, and where."""
    what = described(error)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not is_ours(frame.filename)
    ]
    own = [frame for frame in frames if is_users(frame.filename)] or frames
    if isinstance(error, SyntaxError) or not own:
        return what
    return f"{what} (at {own[-1].filename}, line {own[-1].lineno}, in {own[-1].name})"


def must_pass(error: BaseException) -> bool:
    """Whether it is not what the user's code has raised, but is raised in the midst of it."""
    return isinstance(error, BackproofError | TimeUp) or is_interruption(error)


def is_interruption(error: BaseException) -> bool:
    """Whether somebody has interrupted the program, rather than its code raised that itself."""
    if not isinstance(error, KeyboardInterrupt):
        return False
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    handler = getattr(signal.getsignal(signal.SIGINT), "__code__", None)
    if not frames or any(frame.f_code is handler for frame in frames):
        return True
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    assert last is not None  # noqa: S101
    return dis.opname[frames[-1].f_code.co_code[last.tb_lasti]] != "RAISE_VARARGS"


def _may_be_theirs(error: BaseException) -> bool:
    """Whether it is the call of the user's function that failed, or what it has used up."""
    if isinstance(error, RecursionError | MemoryError):
        return True
    return traceback.extract_tb(error.__traceback__)[-1].filename == __file__
