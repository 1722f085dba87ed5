"""The process that runs a user's file: it checks it, and sends what came out to its parent."""

from __future__ import annotations

import ctypes
import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare.base.errors import BackproofError, CannotCompare
from compare.own.child_process.mailbox import BEGAN, DONE, RESULT, STANDS, Post, Request
from compare.own.parse_target import Target
from compare.process.loading import missing
from compare.process.startup import settle, start

if TYPE_CHECKING:
    from compare.results.own_report import CrossReport

#: Seconds between two messages on how much is done.
OFTEN = 0.1

#: Of Linux's prctl: the signal that a process gets when its parent ends.
PR_SET_PDEATHSIG = 1

#: What a report says that is given because no more came after it.
CUT_SHORT = "no cause found: the process that ran your code ended, or was ended, before one was"


def main() -> None:
    """Answer the request in the folder that is the one argument."""
    start()
    _end_with_parent()
    post, request = Post.join(Path(sys.argv[1]))
    post.send(RESULT, answer(request, post))


def _end_with_parent() -> None:
    """End when the parent is killed, where the system offers that: nobody else would end this."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(CannotCompare.exit_code)


def answer(request: Request, post: Post) -> dict[str, Any]:
    """Do what is asked, whatever comes of it.

    Returns:
        The report, or what went wrong.
    """
    try:
        return _checked(request, post)
    except BackproofError as error:
        return _error(str(error), error.exit_code)
    except KeyboardInterrupt:
        return {"kind": "interrupted"}
    except ModuleNotFoundError as error:
        return _error(missing(error))
    except MemoryError as error:
        return _error(f"not enough memory: {error}")
    except Exception as error:  # no sentence of a report
        traceback.print_exc()
        from compare.process.blame import fault

        return _error(fault(error))


def _error(message: str, code: int = CannotCompare.exit_code) -> dict[str, Any]:
    return {"kind": "error", "message": message, "code": code}


def _checked(request: Request, post: Post) -> dict[str, Any]:
    from compare.own.oracle.gradient_tolerance import Allowance

    options = request.options
    Allowance(options["tolerance"], options["rtol"], options["atol"])  # before PyTorch is loaded
    from compare.own.load_file import check_file

    settle()
    post.send(BEGAN, {})
    report = check_file(
        Target(Path(request.file), request.function),
        request.timeout,
        options,
        _progress(post) if request.watched else lambda done, total: None,
        lambda report: post.send(STANDS, _message(_cut_short(report), request)),
    )
    return _message(report, request)


def _progress(post: Post) -> Callable[[int, int], object]:
    """Tells the parent now and then how much is done."""
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > OFTEN:
            last = time.monotonic()
            post.send(DONE, {"percent": 100 * done // total})

    return tell


def _cut_short(report: CrossReport) -> CrossReport:
    if not report.failures:
        return report
    return replace(report, remarks=(*report.remarks, CUT_SHORT))


def _message(report: CrossReport, request: Request) -> dict[str, Any]:
    return {
        "kind": "report",
        "code": report.verdict.value,
        "text": _text(report, request),
        "json": report.to_json(),
    }


def _text(report: CrossReport, request: Request) -> str:
    """The report for the parent's terminal, or what can be shown of it."""
    from rich.console import Console

    file = _Page(request.encoding)
    try:
        forced = True if request.terminal else None
        report.show(Console(file=file, width=request.columns, force_terminal=forced))
    except Exception as error:
        from compare.process.blame import fault

        return f"{report.verdict.name.lower()}; no more can be shown: {fault(error)}\n"
    return file.getvalue()


class _Page(io.StringIO):
    """Text for something with an encoding, which decides how tables are drawn."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding
