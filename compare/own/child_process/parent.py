"""The check of a user's file in a process of its own, so that nothing it does passes for a verdict.

This process waits, and loads neither NumPy nor PyTorch. Only what the other one has sent is a
verdict, never how it ends: it may exit, crash, be killed, or hang where no signal reaches.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compare.base.errors import CannotCompare, UsageError
from compare.own.child_process.mailbox import BEGAN, DONE, RESULT, STANDS, Post, Request

#: Seconds between two looks at what the other process has sent.
TICK = 0.1

#: Seconds past the time limit in which the other process may still tell of it by itself, and in
#: which it is to end once it has told.
GRACE = 5.0

#: Runs the other process with the import path of this one, wherever it was started.
_START = (
    "import sys; sys.path[:] = {path!r}; from backproof.packages import claim; claim(); "
    "from compare.own.child_process.child import main; main()"
)

#: The exit codes of verdicts.
_AGREE, _VERDICTS = 0, (0, 1, 4)


@dataclass(frozen=True)
class Answer:
    """A verdict and its report.

    Attributes:
        code: the verdict, as an exit code.
        text: the report as it is shown.
        json: the same as JSON.
        note: what happened to the other process, where the verdict was all it could tell.
    """

    code: int
    text: str
    json: str
    note: str = ""


def check_apart(request: Request, progress: Callable[[int], object]) -> Answer:
    """Run a check in another process.

    Args:
        request: what to check.
        progress: told now and then how much is done, in percent.

    Raises:
        BackproofError: there is no verdict, for whatever reason.
        KeyboardInterrupt: the other process was interrupted.
    """
    with tempfile.TemporaryDirectory(prefix="backproof-", ignore_cleanup_errors=True) as folder:
        post = Post.begin(Path(folder), request)
        start = _START.format(path=[str(place) for place in sys.path])
        child = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-c", start, folder],
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # what it starts ends with it, and Ctrl-C is for this process
        )
        ended = threading.Event()
        threading.Thread(target=_await, args=(child, ended), daemon=True).start()
        try:
            late = _wait(ended, post, request, progress)
        finally:
            if not ended.is_set():
                _kill(child)
                ended.wait()
        return _answer(post, request, late, child.returncode)


def _await(child: subprocess.Popen[bytes], ended: threading.Event) -> None:
    child.wait()
    ended.set()


def _wait(
    ended: threading.Event, post: Post, request: Request, progress: Callable[[int], object]
) -> bool:
    """Wait until the other process has ended; if it is to be ended, whether for being late."""
    began = told = None
    while not ended.wait(TICK):
        now = time.monotonic()
        done = post.receive(DONE) if request.watched else None
        if done is not None:
            progress(done["percent"])
        if began is None and post.receive(BEGAN) is not None:
            began = now
        if told is None and post.receive(RESULT) is not None:
            told = now
        if told is not None:
            if now - told > GRACE:
                return False  # all is told; what keeps it is its own affair
        elif began is not None and now - began > request.timeout + GRACE:
            return True
    return False


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the other process, and all that it has started, whatever they are doing."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def _answer(post: Post, request: Request, late: bool, code: int) -> Answer:
    result = post.receive(RESULT)
    if result is not None:
        return told(result)
    how = _late(request) if late else _ended(request, code)
    stands = post.receive(STANDS)
    if stands is not None:
        answer = told(stands)
        if late or answer.code != _AGREE:
            return Answer(answer.code, answer.text, answer.json, how)
    raise CannotCompare(how)


def told(body: dict[str, Any]) -> Answer:
    """What a message says."""
    kind = body.get("kind")
    if kind == "report" and body.get("code") in _VERDICTS:
        return Answer(body["code"], str(body["text"]), str(body["json"]))
    if kind == "interrupted":
        raise KeyboardInterrupt
    message = str(body.get("message", "the process that ran your code told nothing"))
    raise (UsageError if body.get("code") == UsageError.exit_code else CannotCompare)(message)


def _late(request: Request) -> str:
    return (
        f"{request.file} has not come back within {request.timeout:g} seconds, nor could it be "
        f"interrupted, as in one long call of compiled code, so it was ended; a larger timeout, or "
        f"a smaller network or batch, gives it more time"
    )


def _ended(request: Request, code: int) -> str:
    """How a process ended that had told no result."""
    if code >= 0:
        how = f"ended itself, with exit code {code}: by os._exit, perhaps"
    else:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        known = {"SIGKILL": ", perhaps for want of memory", "SIGSEGV": ", a crash in compiled code"}
        how = f"was ended by {name}{known.get(name, '')}"
    return f"the process that ran {request.file} {how}; it had told no result"
