"""The gallery: networks in many styles, each checked in a few lines; one has a planted fault."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from compare import crosscheck
from compare.own.isolation.process_state import kept_world
from tests.support.processes import ROOT

GALLERY = sorted((ROOT / "examples").glob("*.py"))
FAULTY = "planted_fault"
RIGHT = [path for path in GALLERY if path.stem != FAULTY]

#: Styles of tutorials, books and courses, in which people take one loss for another.
KNOWN = ("tutorial_class", "column_vectors", "cached_dicts", "layer_objects")


def described(path: Path) -> dict[str, Any]:
    """The comparison that an example describes."""
    with kept_world():
        given: dict[str, Any] = runpy.run_path(str(path))["check"]()
        return given


def test_there_are_at_least_eight() -> None:
    assert len(RIGHT) >= 8


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_example_agrees_in_all_its_parameters(path: Path) -> None:
    report = crosscheck(**described(path))
    assert report.agrees, report
    assert report.undecided == ()
    drawn = "grads draws random numbers of a numpy Generator: each run starts where the first did"
    assert report.remarks == ((drawn,) if path.stem == "dropout" else ())


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_adapter_has_at_most_twelve_lines(path: Path) -> None:
    source = path.read_text()
    tree = ast.parse(source)
    (check,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "check")
    lines = source.splitlines()[check.lineno - 1 : check.end_lineno]
    written = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    assert len(written) <= 12


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_wrong_gradient_in_an_example_is_seen(path: Path) -> None:
    """Each parameter alone takes part in the comparison."""
    given = described(path)
    right = given["torch_loss"]
    if "module" in given:
        given["torch_loss"] = lambda module: right(module) * (1 + 1e-9)
    else:

        def spoilt(p: dict[str, torch.Tensor]) -> Any:
            return right({**p, name: p[name] + (p[name] - p[name].detach()) * 1e-9})

        name = str(next(reversed(crosscheck(**given).sections[0].metrics)).quantity.split()[1])
        given["torch_loss"] = spoilt
    report = crosscheck(**given)
    assert not report.agrees


@pytest.mark.parametrize("stem", KNOWN)
def test_another_reduction_of_the_loss_is_the_same_direction(stem: str) -> None:
    given = described(ROOT / "examples" / f"{stem}.py")
    right = given["torch_loss"]
    report = crosscheck(**(given | {"torch_loss": lambda p: right(p) / 2}))
    assert not report.agrees
    assert "same direction, 2 times the length" in report.causes[0].told


def test_planted_fault_is_caught_and_named() -> None:
    report = crosscheck(**described(ROOT / "examples" / f"{FAULTY}.py"))
    assert {f.quantity for f in report.failures} == {"gradient w_hidden", "gradient b_hidden"}
    assert [cause.name for cause in report.causes] == ["missing derivative"]
    assert report.opinion is not None
    assert "your backward is wrong" in str(report.opinion)
