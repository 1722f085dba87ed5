"""Networks without a fault give no false alarm, and a small one in any of them is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.calibrate_own import some
from benchmarks.handmade import Handmade, draw_recipe
from compare import crosscheck


@pytest.mark.parametrize("start", range(100_000, 100_150, 50))
def test_no_false_alarm(start: int) -> None:
    tally = some(range(start, start + 50))
    assert tally.alarms == []
    assert tally.networks > 40
    returned = np.concatenate([r for kind, r in tally.ratios.items() if "step" not in kind])
    assert returned.max() < 0.25
    assert np.mean(np.array(tally.detectable) < 1e-9) > 0.9


class Spoilt(Handmade):
    """One of its gradients is off by a small factor."""

    place = 0

    def backward(self) -> tuple[Any, ...]:
        answer = super().backward()
        self.d_weights[0] = np.asarray(self.d_weights[0]) * (1 + 1e-9)
        return answer


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("seed", range(40))
def test_error_of_one_in_a_billion_is_seen(seed: int) -> None:
    recipe = draw_recipe(200_000 + seed)
    if recipe.dtype != "float64" or recipe.style == "steps":
        recipe = type(recipe)(**{**vars(recipe), "dtype": "float64", "style": "columns"})
    report = crosscheck(**Spoilt(recipe).check())
    quantity = "gradient weights[0]"
    metrics = [m for s in report.sections for m in s.metrics if m.quantity == quantity]
    assert all(m.detectable > 1e-9 for m in metrics) or not report.agrees
