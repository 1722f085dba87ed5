"""The loss that torch.nn does not have, and one step of training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from torch_impl import HalfSquaredErrorLoss, eager_optimizers, step


def test_by_hand() -> None:
    y = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    target = torch.tensor([[0.0, 2.0], [3.0, 6.0]])
    loss = HalfSquaredErrorLoss()(y, target)
    (slope,) = torch.autograd.grad(loss, y)
    assert loss.item() == 2.5
    assert torch.equal(slope, y.detach() - target)


@pytest.mark.parametrize(
    ("prediction", "target"), [((4,), (4, 1)), ((4, 1), (4,)), ((4, 2), (4, 1))]
)
def test_shapes_that_would_broadcast_are_refused(
    prediction: tuple[int, ...], target: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"input is .* target"):
        HalfSquaredErrorLoss()(torch.ones(prediction), torch.zeros(target))


@pytest.mark.usefixtures("drawing")
def test_step_forgets_the_gradients_of_the_step_before() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    x, target = torch.tensor([[2.0]]), torch.tensor([[0.0]])
    with eager_optimizers():
        optimizer = torch.optim.SGD(network.parameters(), lr=0.125)
        losses = [step(network, HalfSquaredErrorLoss(), optimizer, x, target) for _ in range(3)]
    assert losses == [2.0, 0.5, 0.125]
    assert network.weight.item() == 0.125
