"""The training loops of cases as people write them: a dozen lines each, and no layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from compare.base.quantities import Array
from compare.cases.case import Case
from compare.sides.feed import Feed
from compare.sides.reference_side import initial_weights

Loop = Callable[[int], list[float]]


def numpy_xor(weights: Mapping[str, Array], feed: Feed, lr: float) -> Loop:
    """Two sigmoid layers and half the squared error, on one batch."""

    def loop(epochs: int) -> list[float]:
        w1, b1, w2, b2 = (weights[name].copy() for name in _NAMES)
        x, t = feed.inputs, feed.targets
        losses: list[float] = []
        for _ in range(epochs):
            h = 1 / (1 + np.exp(-(x @ w1.T + b1)))
            y = 1 / (1 + np.exp(-(h @ w2.T + b2)))
            losses.append(((y - t) ** 2).sum() / 2)
            d2 = (y - t) * y * (1 - y)
            d1 = d2 @ w2 * h * (1 - h)
            w2 -= lr * d2.T @ h
            b2 -= lr * d2.sum(0)
            w1 -= lr * d1.T @ x
            b1 -= lr * d1.sum(0)
        return losses

    return loop


def torch_xor(weights: Mapping[str, Array], feed: Feed, lr: float) -> Loop:
    """The same with ``nn.Sequential`` and ``torch.optim.SGD``."""

    def loop(epochs: int) -> list[float]:
        net = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid()).double()
        net.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
        optimizer = torch.optim.SGD(net.parameters(), lr=lr)
        x, t = torch.tensor(feed.inputs), torch.tensor(feed.targets)
        losses: list[float] = []
        for _ in range(epochs):
            optimizer.zero_grad()
            loss = ((net(x) - t) ** 2).sum() / 2
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return loop


def numpy_digits(weights: Mapping[str, Array], feed: Feed, lr: float) -> Loop:
    """A tanh layer, a sigmoid layer and the mean squared error, on shuffled batches."""

    def loop(epochs: int) -> list[float]:
        w1, b1, w2, b2 = (weights[name].copy() for name in _NAMES)
        losses: list[float] = []
        for epoch in range(1, epochs + 1):
            inputs, targets = feed.epoch(epoch)
            for part in feed.parts:
                x, t = inputs[part], targets[part]
                h = np.tanh(x @ w1.T + b1)
                y = 1 / (1 + np.exp(-(h @ w2.T + b2)))
                losses.append(((y - t) ** 2).mean())
                d2 = 2 * (y - t) / y.size * y * (1 - y)
                d1 = d2 @ w2 * (1 - h**2)
                w2 -= lr * d2.T @ h
                b2 -= lr * d2.sum(0)
                w1 -= lr * d1.T @ x
                b1 -= lr * d1.sum(0)
        return losses

    return loop


def torch_digits(weights: Mapping[str, Array], feed: Feed, lr: float) -> Loop:
    """The same with ``nn.Sequential`` and ``torch.optim.SGD``."""

    def loop(epochs: int) -> list[float]:
        net = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10), nn.Sigmoid()).double()
        net.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
        optimizer = torch.optim.SGD(net.parameters(), lr=lr)
        criterion = nn.MSELoss()
        losses: list[float] = []
        for epoch in range(1, epochs + 1):
            inputs, targets = map(torch.tensor, feed.epoch(epoch))
            for part in feed.parts:
                optimizer.zero_grad()
                loss = criterion(net(inputs[part]), targets[part])
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        return losses

    return loop


_NAMES = ("0.weight", "0.bias", "2.weight", "2.bias")

LOOPS = {"xor": (numpy_xor, torch_xor), "digits": (numpy_digits, torch_digits)}


def loops(case: Case, feed: Feed) -> list[Loop]:
    """NumPy's loop and PyTorch's for a case, from the same weights."""
    weights = initial_weights(case)
    return [write(weights, feed, case.lr) for write in LOOPS[case.name]]
