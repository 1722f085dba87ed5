"""Each network learns its task at its default size, in seconds, whatever its first weights."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import reference
from compare.cases.case import Case
from compare.cases.datasets import DATASETS, Dataset
from compare.cases.plan import plan, steps
from compare.cases.text import zen
from reference import Array
from tests.support.network_sides import RECIPES, Ours, first_params


@cache
def taught(name: str, seed: int = 0) -> tuple[Dataset, Array, float]:
    """The data, the network's outputs in evaluation after training, and their loss."""
    recipe = RECIPES[name]
    data = DATASETS[recipe.data]()
    ours = Ours(recipe, first_params(recipe, seed=seed))
    for path, layer in ours.network.children().items():
        if isinstance(layer, reference.Dropout):
            layer.rng = np.random.default_rng((seed, int(path)))
    for number in range(recipe.epochs):
        order = np.random.default_rng((seed, number)).permutation(len(data.inputs))
        for samples in pieces(order, recipe):
            ours.step(data.inputs[samples], data.targets[samples], {})
    outputs = ours.predict(data.inputs)
    return data, outputs, float(ours.loss.forward(outputs, data.targets)[0])


def pieces(order: Array, recipe: Case) -> list[Array]:
    """The order of the samples in batches, a last partial one included."""
    size = recipe.batch_size or len(order)
    return [order[start : start + size] for start in range(0, len(order), size)]


def test_lenet_tells_the_digits() -> None:
    data, logits, _ = taught("LeNet")
    assert np.mean(logits.argmax(axis=1) == data.targets) > 0.98


@pytest.mark.parametrize("name", ["CharRNN", "CharLSTM", "GPT"])
def test_the_next_character_is_foretold(name: str) -> None:
    """Far better than by how often each character occurs."""
    text = zen()
    shares = [count / len(text) for count in Counter(text).values()]
    entropy = -sum(share * math.log(share) for share in shares)
    assert entropy == pytest.approx(3.109, abs=1e-3)
    data, logits, loss = taught(name)
    assert loss < entropy / 3
    assert np.mean(logits.argmax(axis=1) == data.targets) > 0.75


def test_autoencoder_keeps_what_the_digits_differ_in() -> None:
    data, _, loss = taught("Autoencoder")
    assert loss < 0.3 * np.mean((data.inputs - data.inputs.mean(axis=0)) ** 2)


def test_regression_explains_the_progress() -> None:
    data, outputs, loss = taught("Regression")
    assert outputs.shape == data.targets.shape
    assert 1 - loss / np.var(data.targets) > 0.45


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("changes", [{}, {"epochs": 1}, {"epochs": 3, "batch_size": 7}], ids=str)
def test_schedules_end_with_the_training(name: str, changes: dict[str, Any]) -> None:
    recipe = replace(RECIPES[name], **changes)
    samples = len(DATASETS[recipe.data]().inputs)
    assert steps(recipe) == recipe.epochs * len(pieces(np.arange(samples), recipe))
    lengths = [
        options[phase.span]
        for phase, (_, options) in zip(recipe.phases, plan(recipe).schedules, strict=True)
    ]
    assert plan(recipe).milestones == [sum(lengths[: k + 1]) for k in range(len(lengths) - 1)]
    assert sum(lengths) == (steps(recipe) if recipe.phases else 0)
