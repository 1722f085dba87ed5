"""What holds for all layers, and for layers made of others."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from torch import nn

import reference
from reference.module import Module
from tests.support.layer_checks import assert_layer, normal

SIDE_BY_SIDE = [
    *("Linear", "Bilinear", "Flatten", "Unflatten", "Embedding", "Dropout", "Conv1d", "Conv2d"),
    *("ConvTranspose2d", "MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool2d"),
    *("Upsample", "BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm", "InstanceNorm2d"),
    "RMSNorm",
]


@pytest.mark.parametrize("name", SIDE_BY_SIDE)
def test_signature_is_pytorchs(name: str) -> None:
    """The arguments come in PyTorch's order, with its defaults; rare ones at the end may lack."""
    ours = arguments(getattr(reference, name))
    theirs = arguments(getattr(nn, name))
    assert ours == theirs[: len(ours)]


def arguments(layer: Any) -> list[tuple[str, Any]]:
    found = inspect.signature(layer).parameters.values()
    return [(p.name, p.default) for p in found if p.name not in ("device", "dtype")]


def layers(side: Any) -> list[Any]:
    return [
        side.Conv2d(2, 4, 3, padding=1, bias=False),
        side.BatchNorm2d(4),
        side.ReLU(),
        side.MaxPool2d(2),
        side.Flatten(),
        side.Linear(4 * 3 * 2, 3, bias=False),
        side.BatchNorm1d(3, momentum=None),
    ]


@pytest.mark.parametrize("training", [True, False])
def test_sequential(training: bool) -> None:
    """A small convolutional network; its buffers are its layers'.

    Before a normalisation there is no bias: its gradient is 0, and a rounding error all there is.
    """
    both = nn.Sequential(*layers(nn)), reference.Sequential(*layers(reference))
    assert_layer(*both, normal(5, 2, 6, 4), training=training)


def test_nested_sequential() -> None:
    theirs = nn.Sequential(
        nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4)), nn.Linear(4, 2)
    )
    inner = reference.Sequential(reference.Linear(3, 4, bias=False), reference.BatchNorm1d(4))
    ours = reference.Sequential(inner, reference.Linear(4, 2))
    assert "0.1.running_mean" in ours.buffer_shapes()
    assert_layer(theirs, ours, normal(6, 3))


def test_buffers_of_others_are_not_lost() -> None:
    """A module made of layers with buffers has to say what becomes of them."""

    class Pair(Module):
        def __init__(self) -> None:
            self.norm = reference.BatchNorm1d(3)

    with pytest.raises(NotImplementedError, match=r"Pair has buffers \['norm.running_mean'"):
        Pair().buffers({}, None)
    assert reference.Linear(2, 3).buffers({}, None) == {}


def test_init_holds_buffers_but_parameter_shapes_do_not() -> None:
    network = reference.Sequential(*layers(reference))
    drawn = network.init(np.random.default_rng(0))
    assert {name: value.shape for name, value in drawn.items()} == (
        network.parameter_shapes() | network.buffer_shapes()
    )
    assert not network.parameter_shapes().keys() & network.buffer_shapes().keys()
