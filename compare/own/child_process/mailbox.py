"""How a process that runs a user's file tells its parent what came out: by files in a folder.

They are plain data, JSON, each there whole or not at all. An open pipe could be closed by the
user's code, written to, or kept open by what it leaves running.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

#: The messages: the comparison begins, so much is done, the verdict, and all of the report.
BEGAN, DONE, STANDS, RESULT = "began", "done", "stands", "result"


@dataclass(frozen=True)
class Request:
    """What to do, and for what kind of terminal.

    Attributes:
        file: the user's.
        function: in it.
        timeout: seconds after which to give up.
        options: of the comparison.
        columns: how wide the report may be.
        terminal: whether it is shown on a terminal.
        encoding: of what it is written to.
        watched: whether it is to be told how much is done.
    """

    file: str
    function: str
    timeout: float
    options: dict[str, Any]
    columns: int
    terminal: bool
    encoding: str
    watched: bool


class Post:
    """The folder.

    Args:
        folder: where it is.
        seal: what every message carries, so that a file put there by somebody else is none.
    """

    def __init__(self, folder: Path, seal: str) -> None:
        self._folder, self._seal = folder, seal
        self._process = os.getpid()

    @classmethod
    def begin(cls, folder: Path, request: Request) -> Self:
        """The parent's end, with a request for the child."""
        post = cls(folder, secrets.token_hex(16))
        post.send("request", asdict(request))
        return post

    @classmethod
    def join(cls, folder: Path) -> tuple[Self, Request]:
        """The child's end, and what it is asked for."""
        path = folder / "request"
        message = json.loads(path.read_bytes())
        path.unlink()
        return cls(folder, message["seal"]), Request(**message["body"])

    def send(self, name: str, body: Mapping[str, Any]) -> None:
        """Put a message there, in the place of one of the same name."""
        if os.getpid() != self._process:
            os._exit(3)  # a fork of the user's code, which goes on as if it were this process
        path = self._folder / f".{name}"
        path.write_text(json.dumps({"seal": self._seal, "body": body}))
        path.replace(self._folder / name)

    def receive(self, name: str) -> dict[str, Any] | None:
        """A message, if there is one."""
        try:
            message = json.loads((self._folder / name).read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(message, dict) or message.get("seal") != self._seal:
            return None
        body = message.get("body")
        return body if isinstance(body, dict) else None
