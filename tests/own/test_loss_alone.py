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
    tally = some(range(300_000, 300_010), alone=True)
    assert tally.alarms == []
    assert tally.networks > 7


class Spoilt(Handmade):
    """One of its gradients is off by a factor, a thousandth."""

    factor = 1.001

    def backward(self) -> tuple[Any, ...]:
        where = super().backward()
        wrong = np.multiply(self.d_weights[0], self.factor)
        self.d_weights[0] = wrong.tolist() if self.recipe.style == "lists" else wrong
        return where


class Analytic(Spoilt):
    """The same with a cross entropy that the complex step can have."""

    factor = 1.0

    def loss(self) -> Any:
        z, last = self.x, len(self.weights) - 1
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = z @ np.array(w) + np.array(b)
            z = z if i == last else ACTIVATIONS["gelu"][0](z)
        top = z.real.max(axis=-1, keepdims=True)
        sums = np.log(np.exp(z - top).sum(axis=-1)) + top[:, 0]
        return (sums - (z * self.y).sum(axis=-1)).mean()


@pytest.mark.parametrize("seed", [323, 504])
def test_complex_step_out_of_a_cancellation(seed: int) -> None:
    report = crosscheck(**Analytic(draw_recipe(seed, WIDTH_ALONE)).check(alone=True))
    assert "complex step" in report.against
    assert report.failures == ()


def test_small_error_is_found_by_the_complex_step(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(draw_recipe(504, WIDTH_ALONE), scale=1.0, gain=1.0)
    assert crosscheck(**Analytic(recipe).check(alone=True)).agrees
    monkeypatch.setattr(Analytic, "factor", 1 + 1e-9)
    report = crosscheck(**Analytic(recipe).check(alone=True))
    assert "complex step" in report.against
    assert {f.quantity for f in report.failures} >= {"gradient weights[0]"}


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("seed", [2000, 2003, 2007, 2009, 2010, 2030])
def test_error_of_a_thousandth_is_found(seed: int) -> None:
    report = crosscheck(**Spoilt(draw_recipe(seed, WIDTH_ALONE)).check(alone=True))
    assert report.verdict is Verdict.DISAGREE
    assert {f.quantity for f in report.failures} >= {"gradient weights[0]"}


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("seed", [2001, 2003, 2004, 2005, 2007, 2008])
def test_missing_derivative_of_relu_is_found(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    forward, _, in_torch = ACTIVATIONS["relu"]

    def missing(x: Any, y: Any) -> Any:
        return np.ones_like(x)

    monkeypatch.setitem(ACTIVATIONS, "relu", (forward, missing, in_torch))
    recipe = replace(draw_recipe(seed, WIDTH_ALONE), activation="relu")
    assert crosscheck(**Handmade(recipe).check(alone=True)).verdict is Verdict.DISAGREE


def test_a_cause_speaks_of_the_derivative_where_there_is_no_pytorch() -> None:
    weights = {"w": np.array([0.3, -0.2, 0.5])}
    report = crosscheck(
        weights,
        grads=lambda: {"w": 4 * weights["w"]},
        loss=lambda: float(weights["w"] @ weights["w"]),
    )
    told = [cause.told for cause in report.causes]
    assert told
    assert "2 times the derivative" in told[0]
    assert "PyTorch" not in " ".join(told)
