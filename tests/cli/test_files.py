"""Files appear whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from compare.errors import BackproofError, UsageError
from compare.files import require_writable, write_whole
from tests.cli.checks import ROOT, assert_atomic, process


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
        "from compare.files import write_whole\n"
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


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    require_writable(pipe)
    write_whole(pipe, _write)
    reader.join(10)
    assert read == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


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
        [sys.executable, "-c", "import sys, compare.files; assert 'numpy' not in sys.modules"],
        cwd=ROOT,
        check=True,
    )
