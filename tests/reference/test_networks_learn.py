"""Each network learns its task at its default size, in seconds, whatever its first weights."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache

import numpy as np
import pytest

import reference
from compare.data import DATASETS, Dataset
from compare.text import zen
from reference import Array
from tests.reference.network_recipes import RECIPES, Recipe
from tests.reference.network_sides import Ours, first_params


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


def pieces(order: Array, recipe: Recipe) -> list[Array]:
    """The order of the samples in batches, a last partial one included."""
    return [
        order[start : start + recipe.batch_size]
        for start in range(0, len(order), recipe.batch_size)
    ]


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
def test_schedules_end_with_the_training(name: str) -> None:
    recipe = RECIPES[name]
    samples = len(DATASETS[recipe.data]().inputs)
    steps = recipe.epochs * math.ceil(samples / recipe.batch_size)
    if recipe.schedules:
        last = recipe.schedules[-1][1]
        assert sum(recipe.milestones) + last["T_max"] == steps
