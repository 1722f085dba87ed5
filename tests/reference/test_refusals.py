"""What PyTorch refuses is refused, in words that tell the layer, what it got and what it needs."""

from __future__ import annotations

import pytest
from torch import nn

from compare.catalogue.table import CATALOGUE
from tests.support.refusal_grid import GRIDS
from tests.support.refusals import Request, ask_reference, ask_torch, check_refused, right, wrong


@pytest.mark.parametrize("request_", [*right()], ids=str)
def test_what_is_right_is_taken(request_: Request) -> None:
    ask_torch(request_)
    ask_reference(request_)


@pytest.mark.parametrize("request_", [*wrong()], ids=str)
def test_what_pytorch_refuses_is_refused(request_: Request) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - PyTorch has many kinds of them
        ask_torch(request_)
    assert check_refused(request_) == ""


def test_every_layer_activation_and_loss_is_asked() -> None:
    kinds = ("layer", "activation", "loss")
    names = {name for name, entry in CATALOGUE.items() if entry.kind in kinds and hasattr(nn, name)}
    takes_anything = {"Identity", "Sigmoid", "Softsign", "Tanh"}  # in PyTorch, whole numbers too
    assert names - set(GRIDS) == takes_anything
