"""The checks that the command line's tests are made of can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import matplotlib.image
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from tests.support import checks


def _result(act: Callable[[], object]) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(act)
    return CliRunner().invoke(app)


def _refuse(message: str, code: int = 2, stdout: str = "") -> Callable[[], object]:
    def act() -> None:
        typer.echo(stdout, nl=False)
        typer.echo(message, err=True)
        raise typer.Exit(code)

    return act


def _crash() -> None:
    raise ValueError("Error: lr is 0")


def test_assert_refused_passes_what_it_should() -> None:
    checks.assert_refused(_result(_refuse("Error: lr is 0")), 2, "lr is 0")


@pytest.mark.parametrize(
    "act",
    [
        _refuse("Error: lr is 0", code=3),
        _refuse("Error: lr is 0", code=0),
        _refuse("Error: lr is wrong"),
        _refuse("lr is 0"),
        _refuse("Error: lr is 0", stdout="lr is 0"),
        _refuse("Traceback (most recent call last):\nError: lr is 0"),
        _crash,
    ],
)
def test_assert_refused_can_fail(act: Callable[[], object]) -> None:
    with pytest.raises(AssertionError):
        checks.assert_refused(_result(act), 2, "lr is 0")


@pytest.mark.parametrize("end", ["0", "1"])
def test_assert_ended_can_fail(end: str) -> None:
    done = checks.process(f"import sys; print('x', file=sys.stderr); sys.exit({end})")
    with pytest.raises(AssertionError):
        checks.assert_ended(done, 0, "")


def test_assert_not_loaded_can_fail() -> None:
    with pytest.raises(AssertionError):
        checks.assert_not_loaded(("typer", "torch"), "cases")


def _in_place(path: Path, write: Callable[[BinaryIO], object]) -> None:
    with open(path, "wb") as file:
        write(file)


def _leaves_litter(path: Path, write: Callable[[BinaryIO], object]) -> None:
    with open(path.with_suffix(".tmp"), "wb") as file:
        write(file)


def _moves_always(path: Path, write: Callable[[BinaryIO], object]) -> None:
    partial = path.with_suffix(".tmp")
    try:
        with open(partial, "wb") as file:
            write(file)
    finally:
        partial.replace(path)


@pytest.mark.parametrize("write_whole", [_in_place, _leaves_litter, _moves_always])
def test_assert_atomic_can_fail(
    write_whole: Callable[[Path, Callable[[BinaryIO], object]], None], tmp_path: Path
) -> None:
    with pytest.raises(AssertionError):
        checks.assert_atomic(write_whole, tmp_path / "x")


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": -Infinity}', '{"a": 1, "a": 2}'])
def test_strict_json_can_fail(text: str) -> None:
    with pytest.raises(AssertionError):
        checks.strict_json(text)


@pytest.mark.parametrize("shape", [(300, 300, 3), (50, 50, 3)])
def test_assert_png_can_fail(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    noise = np.random.default_rng(0).random(shape) if shape[0] < 200 else np.ones(shape)
    matplotlib.image.imsave(path, noise)
    with pytest.raises(AssertionError):
        checks.assert_png(path)


@pytest.mark.parametrize("curves", [0, 1])
def test_assert_svg_can_fail(curves: int, tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    line = f'<path d="M 0 0 {"L 1 1 " * 20}"/>' * curves
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{line}</svg>')
    checks.assert_svg(path, curves)
    with pytest.raises(AssertionError):
        checks.assert_svg(path, curves + 1)


def test_assert_fits_can_fail() -> None:
    checks.assert_fits("\x1b[1;32m" + "x" * 60 + "\x1b[0m\n", 60)
    with pytest.raises(AssertionError):
        checks.assert_fits("x" * 61, 60)
