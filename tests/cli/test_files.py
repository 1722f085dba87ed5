"""Files appear whole or not at all."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from compare.base.errors import BackproofError, UsageError
from compare.base.files import PARTIAL, require_writable, write_whole
from tests.support.checks import (
    ROOT,
    assert_atomic,
    assert_ended,
    assert_refused,
    other_than_file,
    process,
    run,
)


def _write(file: BinaryIO) -> None:
    file.write(b"new")


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    assert_atomic(write_whole, tmp_path / "x")


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    done = process(
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from compare.base.files import write_whole\n"
        "def write(file):\n"
        "    file.write(b'ne')\n"
        "    file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(Path(sys.argv[1]), write)",
        str(path),
    )
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    def full(file: BinaryIO) -> None:
        file.write(b"ne")
        raise OSError(28, "No space left on device")

    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(BackproofError, match=r"cannot write .*/x: No space left") as caught:
        write_whole(path, full)
    assert caught.value.exit_code == 3
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_those_of_any_new_file_or_of_the_old_one(tmp_path: Path) -> None:
    new, plain, old = tmp_path / "new", tmp_path / "plain", tmp_path / "old"
    plain.write_text("")
    old.write_text("")
    old.chmod(0o640)
    for path in (new, old):
        write_whole(path, _write)
    assert new.stat().st_mode == plain.stat().st_mode
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_links_are_followed(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "folder" / "target"
    target.parent.mkdir()
    link.symlink_to(target)
    require_writable(link)
    write_whole(link, _write)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("kind", ["a directory", "a pipe", "a device", "a socket"])
def test_what_is_no_file_is_not_written_to(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name may not be long
    with other_than_file(kind) as path:
        told = f"cannot write {path}: it is {kind}; name a file"
        with pytest.raises(UsageError, match=told):
            require_writable(path)
        with pytest.raises(UsageError, match=told):
            write_whole(path, _write)
        assert not path.is_file()
    assert not list(tmp_path.glob(f"{PARTIAL}*"))


@pytest.mark.parametrize("kind", ["a directory", "a pipe", "a device", "a socket"])
@pytest.mark.parametrize(
    ("arguments", "code"), [(["check"], 2), (["predict", "0", "1", "--weights"], 3)]
)
def test_what_is_no_file_is_not_read(
    arguments: list[str], code: int, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with other_than_file(kind) as path:
        assert_refused(run(*arguments, str(path)), code, str(path), f"it is {kind}")


#: Ends itself by the signal ``sys.argv[1]`` while it writes ``sys.argv[2]``.
ENDED = """
import os, sys, time
from pathlib import Path
from compare.base.files import write_whole
from compare.command.run_command import run_as_process

def write(file):
    file.write(b"ne")
    file.flush()
    assert len(list(Path(sys.argv[2]).parent.iterdir())) == 2
    os.kill(os.getpid(), int(sys.argv[1]))
    time.sleep(60)

run_as_process(lambda: write_whole(Path(sys.argv[2]), write))
"""


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGTERM, "Ended by SIGTERM.\n"),
        (signal.SIGHUP, "Ended by SIGHUP: the terminal is gone.\n"),
        (signal.SIGINT, "Interrupted.\n"),
    ],
)
def test_a_process_ended_while_writing_leaves_the_old_file_alone(
    number: signal.Signals, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    done = process(ENDED, str(int(number)), str(path))
    assert_ended(done, 128 + number, told)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_signal_that_was_ignored_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    ignored = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    done = process(
        ignored + ENDED.replace("time.sleep(60)", ""), str(int(signal.SIGHUP)), str(path)
    )
    assert_ended(done, 0, "")
    assert path.read_text() == "ne"


def test_a_long_name_that_can_be_written_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    require_writable(path)
    write_whole(path, _write)
    assert path.read_bytes() == b"new"


def test_asking_whether_it_can_be_written_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    for name in ("old", "new"):
        require_writable(tmp_path / name)
    assert list(tmp_path.iterdir()) == [tmp_path / "old"]
    assert (tmp_path / "old").read_text() == "old"


@pytest.mark.parametrize("name", ["folder", "folder/missing/x", "file/x", "x" * 256, "loop"])
def test_what_cannot_be_written_is_found_out_before(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match="cannot write "):
        require_writable(tmp_path / name)
    with pytest.raises(BackproofError, match="cannot write "):
        write_whole(tmp_path / name, _write)


def test_the_module_needs_neither_numpy_nor_torch() -> None:
    subprocess.run(
        [sys.executable, "-c", "import sys, compare.base.files; assert 'numpy' not in sys.modules"],
        cwd=ROOT,
        check=True,
    )
