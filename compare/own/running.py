"""Running a user's functions: what they raise, print and change."""

from __future__ import annotations

import contextlib
import io
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from compare.errors import BackproofError, CannotCompare
from compare.own.time_limit import TimeUp

#: What lies here is not the user's code.
_OURS = str(Path(__file__).resolve().parent.parent)


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
        printed = _Lines()
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
        except TimeUp as up:
            up.doing = up.doing or what
            raise
        except (Exception, SystemExit) as error:
            raise CannotCompare(f"{what} raised {told(error)}") from error
        finally:
            self.lines += printed.number


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
