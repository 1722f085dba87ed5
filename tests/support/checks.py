"""What the tests of the command line assert again and again; tests/meta shows each can fail."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import matplotlib.image
from typer.testing import CliRunner, Result

import cli

ROOT = Path(cli.__file__).parent
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run(*arguments: str, input: str | None = None, **environment: str) -> Result:
    """Run the command line within this process; wide and without colours unless told otherwise."""
    fresh = {"COLUMNS": "120", "NO_COLOR": "1", "FORCE_COLOR": None, "TERM": "xterm"}
    return CliRunner().invoke(cli.app, arguments, input=input, env=fresh | environment)


def process(code: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a process of its own, with the arguments of a command line."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        text=True,
        timeout=120,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
    )


def assert_refused(result: Result, code: int, *words: str) -> None:
    """The message is on stderr alone, says all of ``words``, and shows no traceback."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    for word in words:
        assert word in last


def assert_ended(done: subprocess.CompletedProcess[str], code: int, stderr: str) -> None:
    """A process ended with this code and said just this on stderr."""
    assert (done.returncode, done.stderr) == (code, stderr)


def assert_not_loaded(modules: tuple[str, ...], *arguments: str) -> None:
    """The command line does its work without loading any of the modules."""
    code = (
        "import atexit, sys, cli\n"
        f"loaded = lambda: sorted({set(modules)!r} & sys.modules.keys())\n"
        "atexit.register(lambda: print(*loaded(), file=sys.stderr))\n"
        "cli.main()"
    )
    assert_ended(process(code, *arguments), 0, "\n")


def assert_atomic(
    write_whole: Callable[[Path, Callable[[BinaryIO], object]], None], path: Path
) -> None:
    """A writer that fails half-way leaves what was there, and nothing beside it."""
    path.write_bytes(b"old")

    def half(file: BinaryIO) -> None:
        file.write(b"ne")
        file.flush()
        assert path.read_bytes() == b"old"
        raise RuntimeError("half-way")

    with contextlib.suppress(RuntimeError):
        write_whole(path, half)
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


@contextlib.contextmanager
def other_than_file(kind: str) -> Iterator[Path]:
    """Something in the current folder that is no file: opening it may wait for ever."""
    path = Path("other.npz")
    if kind == "a socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
            yield path
        return
    if kind == "a directory":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    yield path


def strict_json(text: str) -> Any:
    """The value of a JSON text as the standard has it, without NaN and without repeated keys."""

    def no_constant(name: str) -> Any:
        raise AssertionError(f"{name} is not JSON")

    def no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=no_constant, object_pairs_hook=no_repeats)


def assert_png(path: Path) -> None:
    """A PNG picture of some size on which something is drawn."""
    pixels = matplotlib.image.imread(path, format="png")
    assert min(pixels.shape[:2]) > 200
    assert pixels[..., :3].std() > 0.01


def assert_svg(path: Path, curves: int) -> None:
    """An SVG drawing with at least so many lines of at least ten points each."""
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    drawn = [path.get("d", "") for path in root.iter("{http://www.w3.org/2000/svg}path")]
    assert sum(line.count("L") >= 10 and "Q" not in line for line in drawn) >= curves


def assert_fits(text: str, columns: int) -> None:
    """No line is longer than the terminal is wide."""
    long = [line for line in ANSI.sub("", text).splitlines() if len(line) > columns]
    assert not long
