"""Small networks as people write them, with faults to choose from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

Array = Any

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.3, -0.7]])
TARGETS = np.array([[0.0], [1.0], [1.0], [0.0], [0.5]])
NAMES = ("W1", "b1", "W2", "b2")


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


class Network:
    """Weights in attributes, updated in place by one method, no gradients to be seen."""

    def __init__(self, fault: str = "", dtype: str = "float64") -> None:
        rng = np.random.default_rng(1)
        self.fault = fault
        self.W1: Array = rng.random((2, 3)).astype(dtype)
        self.b1: Array = rng.random((1, 3)).astype(dtype)
        self.W2: Array = rng.random((3, 1)).astype(dtype)
        self.b2: Array = rng.random((1, 1)).astype(dtype)
        self.lr = 0.5
        self.inputs, self.targets = INPUTS.astype(dtype), TARGETS.astype(dtype)
        self.hidden: Array = None
        self.output: Array = None

    @property
    def where(self) -> tuple[Any, ...]:
        return (self, *NAMES)

    def feedforward(self) -> None:
        self.hidden = sigmoid(self.inputs @ self.W1 + self.b1)
        self.output = sigmoid(self.hidden @ self.W2 + self.b2)

    def gradients(self) -> dict[str, Array]:
        self.feedforward()
        d2 = (self.output - self.targets) * self.output * (1 - self.output)
        slope = self.hidden * (1 - self.hidden)
        if self.fault == "missing derivative":
            slope = np.ones_like(slope)
        if self.fault == "derivative at pre-activation":
            z = self.inputs @ self.W1 + self.b1
            slope = z * (1 - z)
        carried = self.W2
        d1 = d2 @ carried.T * slope
        found = {
            "W1": self.inputs.T @ d1,
            "b1": d1.sum(axis=0, keepdims=True),
            "W2": self.hidden.T @ d2,
            "b2": d2.sum(axis=0, keepdims=True),
        }
        return self._spoilt(found)

    def _spoilt(self, found: dict[str, Array]) -> dict[str, Array]:
        if self.fault == "shared bias":
            found["b1"] = np.full_like(found["b1"], found["b1"].sum())
        if self.fault == "mean":
            found = {name: g / len(self.inputs) for name, g in found.items()}
        if self.fault == "ascent":
            found = {name: -g for name, g in found.items()}
        if self.fault == "untrained":
            found["b2"] = np.zeros_like(found["b2"])
        if self.fault == "decay":
            found = {name: g + 0.01 * getattr(self, name) for name, g in found.items()}
        return found

    def step(self, lr: float | None = None) -> None:
        rate = self.lr if lr is None else lr
        if self.fault == "order":
            old = self.gradients()
            self.W2 = self.W2 - rate * old["W2"]
            self.b2 = self.b2 - rate * old["b2"]
            d2 = (self.output - self.targets) * self.output * (1 - self.output)
            d1 = d2 @ self.W2.T * self.hidden * (1 - self.hidden)
            self.W1 = self.W1 - rate * self.inputs.T @ d1
            self.b1 = self.b1 - rate * d1.sum(axis=0, keepdims=True)
            return
        for name, gradient in self.gradients().items():
            setattr(self, name, getattr(self, name) - np.asarray(rate, gradient.dtype) * gradient)

    def loss(self) -> float:
        self.feedforward()
        return np.sum((self.output - self.targets) ** 2) / 2  # type: ignore[no-any-return]


def torch_loss(p: dict[str, Tensor]) -> Tensor:
    """The loss of :class:`Network` in PyTorch."""
    dtype = p["W1"].dtype
    x, y = torch.tensor(INPUTS, dtype=dtype), torch.tensor(TARGETS, dtype=dtype)
    hidden = torch.sigmoid(x @ p["W1"] + p["b1"])
    return ((torch.sigmoid(hidden @ p["W2"] + p["b2"]) - y) ** 2).sum() / 2
