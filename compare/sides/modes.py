"""Evaluation for a while, of a network whose layers need not all be in training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import reference
from compare.sides.networks.beside import Beside

if TYPE_CHECKING:
    from torch import nn


@contextmanager
def evaluating(network: nn.Module | reference.Module) -> Iterator[None]:
    """Within the block all layers are in evaluation; afterwards each is in the mode it was in."""
    layers = _layers(network)
    before = [layer.training for layer in layers]
    network.train(False)
    try:
        yield
    finally:
        for layer, training in zip(layers, before, strict=True):
            layer.training = training


def _layers(network: nn.Module | reference.Module) -> list[Any]:
    """A network and all within it."""
    if not isinstance(network, reference.Module):
        return list(network.modules())
    if isinstance(network, Beside):
        return [network, *_layers(network.network)]
    if isinstance(network, reference.Tied):
        return [network, *_layers(network.module)]
    return [network, *(one for child in network.children().values() for one in _layers(child))]
