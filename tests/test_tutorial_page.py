"""What docs/tutorial.md prints is so, its other numbers are printed there, its pictures drawn."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from docs.figures import FOLDER, PICTURES, draw, line_model, neuron_model, path
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def examples(page: str) -> doctest.DocTest:
    return doctest.DocTestParser().get_doctest(page.replace("```", ""), {}, "tutorial", None, 0)


def failures(page: str) -> int:
    return doctest.DocTestRunner(verbose=False).run(examples(page), out=lambda text: None).failed


def test_code_prints_what_the_page_shows() -> None:
    assert len(examples(PAGE).examples) > 30
    assert failures(PAGE) == 0


def test_another_number_would_be_noticed() -> None:
    start = PAGE.split("## A neuron")[0]
    assert failures(start) == 0
    assert failures(start.replace("k = 3.4902", "k = 3.4903")) == 1


def test_numbers_in_sentences_are_those_of_the_code() -> None:
    parts = re.split(r"^```pycon\n(.*?)^```", PAGE, flags=re.M | re.S)
    words, code = "".join(parts[::2]), "".join(parts[1::2])
    known = {float(number) for number in NUMBER.findall(code)}
    for number in NUMBER.findall(words):
        assert float(number.replace(",", "")) in known, number


def test_pictures_are_those_that_are_drawn(tmp_path: Path) -> None:
    shown = re.findall(r"\]\(pictures/(\w+)\.svg\)", PAGE)
    assert sorted(shown) == sorted(PICTURES)
    assert sorted(p.stem for p in FOLDER.glob("*")) == sorted(PICTURES)
    draw(tmp_path)
    assert sorted(p.stem for p in tmp_path.glob("*.svg")) == sorted(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_curves_and_names_its_axes(name: str) -> None:
    axes = Figure().subplots()
    PICTURES[name](axes)
    assert axes.lines
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    for curve in axes.lines:
        assert np.isfinite(np.asarray(curve.get_ydata(), float)).all()


def test_steps_that_are_drawn_lead_down() -> None:
    one, two = np.array([[5.0]]), np.array([[21.0]])
    ends = np.array([[0.0], [1.0]])
    for steps in (
        path(line_model(1.0), one, two, 12),
        path(neuron_model(-3.0, 2.0), ends, ends, 99),
    ):
        losses = [loss for _, loss in steps]
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < losses[0] / 50
