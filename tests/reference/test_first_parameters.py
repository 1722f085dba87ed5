"""Parameters are drawn from the distribution that PyTorch draws them from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

import reference
from compare.catalogue.table import CATALOGUE
from reference import Array

Draws: TypeAlias = dict[str, Array]
Options: TypeAlias = Mapping[str, Any]

DRAWS = 300

#: All that PyTorch has too, as the first of its variants makes it.
LAYERS = {
    name: entry.variants[0].options
    for name, entry in CATALOGUE.items()
    if entry.kind in ("layer", "activation") and hasattr(torch.nn, name)
}


def drawn_here(name: str, options: Options) -> Draws:
    """The parameters and buffers of many first states, stacked."""
    layer, rng = getattr(reference, name)(**options), np.random.default_rng(0)
    draws = [layer.init(rng) for _ in range(DRAWS)]
    return {key: np.stack([draw[key] for draw in draws]) for key in draws[0]}


def drawn_there(name: str, options: Options) -> Draws:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        draws = [getattr(torch.nn, name)(**options).state_dict() for _ in range(DRAWS)]
    return {key: torch.stack([draw[key] for draw in draws]).numpy() for key in draws[0]}


def unlike(ours: Draws, theirs: Draws) -> set[str]:
    """What one side alone has, or has in another shape, or draws from another distribution.

    Samples of one distribution are as far apart as to count once in a million times.
    """
    found = set(ours) ^ set(theirs)
    for key in set(ours) & set(theirs):
        here, there = ours[key], theirs[key]
        if here.shape != there.shape or ks_2samp(here.ravel(), there.ravel()).pvalue < 1e-6:
            found.add(key)
    return found


@pytest.mark.parametrize("name", LAYERS)
def test_drawn_as_pytorch_draws(name: str) -> None:
    assert unlike(drawn_here(name, LAYERS[name]), drawn_there(name, LAYERS[name])) == set()
