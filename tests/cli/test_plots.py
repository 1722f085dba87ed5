"""Plots are pictures, and the same numbers give the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

import reference
from tests.support.checks import assert_png, assert_svg, run

#: How many losses each draws over the epochs.
COMMANDS = {"compare": 2, "train": 1}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("ending", ["png", "svg", "PNG"])
def test_pictures(command: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"curves.{ending}"
    result = run(command, "--epochs", "60", "--plot", str(path))
    assert (result.exit_code, result.stderr) == (0, "")
    if ending == "svg":
        assert_svg(path, COMMANDS[command])
    else:
        assert_png(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_same_run_gives_the_same_file(command: str, ending: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.{ending}" for name in ("one", "two", "other")]
    for path, seed in zip(paths, ("0", "0", "1"), strict=True):
        run(command, "--epochs", "40", "--seed", seed, "--plot", str(path))
    one, two, other = (path.read_bytes() for path in paths)
    assert one == two
    assert one != other


@pytest.mark.parametrize("case", ["line", "digits"])
@pytest.mark.parametrize("epochs", ["1", "3"])
def test_losses_that_never_differ_can_be_drawn(case: str, epochs: str, tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    result = run("compare", "--case", case, "--epochs", epochs, "--plot", str(path))
    assert (result.exit_code, result.stderr) == (0, "")
    assert_png(path)


def test_a_comparison_that_ends_at_once_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference.Linear, "backward", lambda *args: 1 / 0)
    path = tmp_path / "curves.png"
    result = run("compare", "--plot", str(path))
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stdout
    assert_png(path)


def test_there_is_no_plot_without_a_report(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    arguments = ["compare", "--case", "xor-relu", "--lr", "1e300", "--plot", str(path)]
    assert run(*arguments).exit_code == 3
    assert not path.exists()
