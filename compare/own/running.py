"""Running a user's functions: what they raise, print, change, and whether they come back at all."""

from __future__ import annotations

import contextlib
import io
import signal
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from compare.errors import BackproofError, CannotCompare, UsageError

#: What lies here is not the user's code.
_OURS = str(Path(__file__).resolve().parent.parent)


class _TimeUp(BaseException):
    """Raised wherever a user's code is when the time is up; no ``except Exception`` holds it.

    Attributes:
        doing: the innermost of the user's functions that was running.
    """

    doing = ""


class Runner:
    """Runs functions of the user, and counts what they print.

    Attributes:
        lines: how many lines were printed, and not shown.
    """

    def __init__(self) -> None:
        self.lines = 0

    def __call__(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of the user.

        Args:
            what: it is called so in errors.
            function: the function.
            arguments: what to hand it.

        Raises:
            CannotCompare: it raised something.
        """
        printed = io.StringIO()
        try:
            with (
                contextlib.redirect_stdout(printed),
                np.errstate(all="ignore"),  # whether numbers are finite is looked at afterwards
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("ignore")
                return function(*arguments)
        except BackproofError:
            raise
        except _TimeUp as up:
            up.doing = up.doing or what
            raise
        except (Exception, SystemExit) as error:
            raise CannotCompare(f"{what} raised {told(error)}") from error
        finally:
            self.lines += printed.getvalue().count("\n")


def told(error: BaseException) -> str:
    """An error of the user's code in a line: what, and where."""
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_OURS)
    ]
    own = [frame for frame in frames if _is_users_file(frame.filename)] or frames
    if isinstance(error, SyntaxError) or not own:
        return what
    return f"{what} (at {own[-1].filename}, line {own[-1].lineno}, in {own[-1].name})"


def _is_users_file(name: str) -> bool:
    return "site-packages" not in name and not name.startswith(("<frozen", "<__array_function__"))


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """End the block with an error if it takes longer.

    Raises:
        CannotCompare: the time was up.
        UsageError: a limit is asked for where none can be kept: it takes a signal.
    """
    if seconds is None:
        yield
        return
    if not seconds > 0:
        raise UsageError(f"timeout is {seconds:g} seconds, but should be more than 0")
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        raise UsageError(
            "timeout needs the signals of the main thread, which are not to be had here; leave it "
            "out"
        )

    def stop(number: int, frame: types.FrameType | None) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again, should an `except:` swallow it
    try:
        yield
    except _TimeUp as up:
        raise CannotCompare(
            f"{up.doing or 'your code'} has not come back within {seconds:g} seconds; is there a "
            f"loop without end? A larger timeout, or a smaller network or batch, gives it more time"
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
