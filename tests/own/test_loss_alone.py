"""Right networks agree with the derivatives of their own losses; wrong ones do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.calibrate_own import WIDTH_ALONE, some
from benchmarks.handmade import ACTIVATIONS, Handmade, draw_recipe
from compare import Verdict, crosscheck


@pytest.mark.parametrize("seed", [242, 323, 338, 504])
def test_loss_out_of_a_cancellation_or_with_a_corner_nearby(seed: int) -> None:
    """Saturated cross entropies, one that changes in large units; a ReLU almost at its corner."""
    assert some(range(seed, seed + 1), alone=True).alarms == []


def test_no_false_alarm() -> None:
    tally = some(range(300_000, 300_020), alone=True)
    assert tally.alarms == []
    assert tally.networks > 15


class Spoilt(Handmade):
    """One of its gradients is off by a thousandth."""

    def backward(self) -> tuple[Any, ...]:
        where = super().backward()
        wrong = np.multiply(self.d_weights[0], np.float32(1.001))
        self.d_weights[0] = wrong.tolist() if self.recipe.style == "lists" else wrong
        return where


@pytest.mark.parametrize("seed", [2000, 2003, 2007, 2009, 2010, 2030])
def test_error_of_a_thousandth_is_found(seed: int) -> None:
    report = crosscheck(**Spoilt(draw_recipe(seed, WIDTH_ALONE)).check(alone=True))
    assert report.verdict is Verdict.DISAGREE
    assert {f.quantity for f in report.failures} >= {"gradient weights[0]"}


@pytest.mark.parametrize("seed", [2001, 2003, 2004, 2005, 2007, 2008])
def test_missing_derivative_of_relu_is_found(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    forward, _, in_torch = ACTIVATIONS["relu"]

    def missing(x: Any, y: Any) -> Any:
        return np.ones_like(x)

    monkeypatch.setitem(ACTIVATIONS, "relu", (forward, missing, in_torch))
    recipe = replace(draw_recipe(seed, WIDTH_ALONE), activation="relu")
    assert crosscheck(**Handmade(recipe).check(alone=True)).verdict is Verdict.DISAGREE
