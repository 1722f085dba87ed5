"""Networks written by hand at random, without any fault, in the styles in which people write them.

For the calibration of the tolerance on networks whose arithmetic cannot be seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Array = np.ndarray[Any, Any]


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _gelu(x: Array) -> Array:
    return np.asarray(
        0.5 * x * (1 + np.tanh(_ROOT.astype(x.dtype) * (x + _CUBE.astype(x.dtype) * x**3)))
    )


def _gelu_slope(x: Array, y: Array) -> Array:
    root, cube = _ROOT.astype(x.dtype), _CUBE.astype(x.dtype)
    t = np.tanh(root * (x + cube * x**3))
    return np.asarray(0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * cube * x**2))


_ROOT = np.asarray(math.sqrt(2 / math.pi))
_CUBE = np.asarray(0.044715)

#: Forward, slope from input and output, and the same in PyTorch.
ACTIVATIONS: dict[str, tuple[Callable[..., Array], Callable[..., Array], Callable[..., Tensor]]] = {
    "sigmoid": (_sigmoid, lambda x, y: y * (1 - y), torch.sigmoid),
    "tanh": (np.tanh, lambda x, y: 1 - y**2, torch.tanh),
    "relu": (lambda x: np.maximum(x, 0), lambda x, y: (x > 0).astype(x.dtype), torch.relu),
    "identity": (lambda x: x, lambda x, y: np.ones_like(x), lambda x: x),
    "gelu": (_gelu, _gelu_slope, lambda x: functional.gelu(x, approximate="tanh")),
    "softplus": (
        lambda x: np.logaddexp(np.zeros_like(x), x),
        lambda x, y: _sigmoid(x),
        lambda x: functional.softplus(x, threshold=50.0),  # beyond which PyTorch takes x itself
    ),
}

LOSSES = ("half", "mean", "cross entropy")
STYLES = ("batch", "columns", "steps", "lists")


@dataclass(frozen=True)
class Recipe:
    """A network and its data, by numbers."""

    widths: tuple[int, ...]
    batch: int
    activation: str
    loss: str
    style: str
    dtype: str
    gain: float
    scale: float
    seed: int


def draw_recipe(seed: int, largest: int = 64) -> Recipe:
    """A recipe at random."""
    rng = np.random.default_rng(seed)
    style = str(rng.choice(STYLES))
    most = 6 if style == "lists" else largest

    def size(limit: int) -> int:
        return int(2 ** rng.uniform(0, math.log2(limit)))

    return Recipe(
        widths=tuple(size(most) for _ in range(int(rng.integers(2, 7)))),
        batch=size(8 if style == "lists" else 4 * largest),
        activation=str(rng.choice(list(ACTIVATIONS))),
        loss=str(rng.choice(LOSSES)),
        style=style,
        dtype="float64" if style == "lists" else str(rng.choice(["float32", "float64"])),
        gain=float(10 ** rng.uniform(-1.5, 0.7)),
        scale=float(10 ** rng.uniform(-2, 2)),
        seed=seed,
    )


class Handmade:
    """A fully connected network as people write it; its parts are chosen by the recipe."""

    def __init__(self, recipe: Recipe) -> None:
        rng = np.random.default_rng(recipe.seed + 1)
        self.recipe = recipe
        pairs = list(zip(recipe.widths, recipe.widths[1:], strict=False))

        def numbers(*shape: int) -> Array:
            return rng.standard_normal(shape).astype(recipe.dtype)

        self.weights = [
            numbers(i, o) * np.asarray(recipe.gain / math.sqrt(i), recipe.dtype) for i, o in pairs
        ]
        self.biases = [numbers(o) * np.asarray(0.3, recipe.dtype) for _, o in pairs]
        self.x = numbers(recipe.batch, recipe.widths[0]) * np.asarray(recipe.scale, recipe.dtype)
        self.x[:, rng.random(recipe.widths[0]) < 0.1] = 0
        if recipe.loss == "cross entropy":
            labels = rng.integers(recipe.widths[-1], size=recipe.batch)
            self.y = np.eye(recipe.widths[-1], dtype=recipe.dtype)[labels]
        else:
            self.y = numbers(recipe.batch, recipe.widths[-1])
        self.lr = 0.125
        self.d_weights: list[Any] = []
        self.d_biases: list[Any] = []
        if recipe.style == "lists":
            self.weights = [w.tolist() for w in self.weights]
            self.biases = [b.tolist() for b in self.biases]

    def names(self) -> tuple[Any, ...]:
        """Its parameters, in the words of crosscheck."""
        size = range(len(self.weights))
        return (self, *(f"weights[{i}]" for i in size), *(f"biases[{i}]" for i in size))

    def backward(self) -> tuple[Any, ...]:
        """Compute all gradients, and say where they are."""
        size = range(len(self.weights))
        if self.recipe.style == "columns":
            self._columns()
        elif self.recipe.style == "lists":
            self._lists()
        else:
            self._batch()
        paths = [f"d_weights[{i}]" for i in size] + [f"d_biases[{i}]" for i in size]
        return (self, *paths)

    def step(self, lr: float) -> None:
        """One step of plain descent, in place."""
        self._batch()
        for p, g in zip(self.weights + self.biases, self.d_weights + self.d_biases, strict=True):
            p -= np.asarray(lr, p.dtype) * g

    def _forward(self, x: Array) -> tuple[list[Array], list[Array]]:
        f = ACTIVATIONS[self.recipe.activation][0]
        zs, outputs = [], [x]
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            zs.append(outputs[-1] @ w + b)
            outputs.append(f(zs[-1]) if i + 1 < len(self.weights) else zs[-1])
        return zs, outputs

    def _error(self, output: Array, y: Array) -> Array:
        """The gradient at the output; the loss is a mean over the batch, or half a sum."""
        n = len(self.x)
        if self.recipe.loss == "half":
            return np.asarray(output - y)
        if self.recipe.loss == "mean":
            return np.asarray(2 * (output - y) / (n * output.shape[-1]))
        e = np.exp(output - output.max(axis=-1, keepdims=True))
        return np.asarray((e / e.sum(axis=-1, keepdims=True) - y) / n)

    def _batch(self) -> None:
        zs, outputs = self._forward(self.x)
        d = self._error(outputs[-1], self.y)
        self.d_weights, self.d_biases = [], []
        for i in reversed(range(len(self.weights))):
            if i + 1 < len(self.weights):
                d = d * ACTIVATIONS[self.recipe.activation][1](zs[i], outputs[i + 1])
            self.d_weights.insert(0, outputs[i].T @ d)
            self.d_biases.insert(0, d.sum(axis=0))
            d = d @ self.weights[i].T

    def _columns(self) -> None:
        """Sample by sample, on column vectors."""
        self.d_weights = [np.zeros_like(w) for w in self.weights]
        self.d_biases = [np.zeros_like(b) for b in self.biases]
        for x, y in zip(self.x, self.y, strict=True):
            zs, outputs = self._forward(x)
            d = self._error(outputs[-1], y)
            for i in reversed(range(len(self.weights))):
                if i + 1 < len(self.weights):
                    d = d * ACTIVATIONS[self.recipe.activation][1](zs[i], outputs[i + 1])
                self.d_weights[i] += np.outer(outputs[i], d)
                self.d_biases[i] += d
                d = np.dot(self.weights[i], d)

    def _lists(self) -> None:
        """Without NumPy's sums: one number after the other."""
        f, slope, _ = ACTIVATIONS[self.recipe.activation]
        self.d_weights = [[[0.0] * len(row) for row in w] for w in self.weights]
        self.d_biases = [[0.0] * len(b) for b in self.biases]
        last = len(self.weights) - 1
        for x, y in zip(self.x.tolist(), self.y, strict=True):
            zs, outputs = [], [x]
            for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
                z = [
                    sum(outputs[-1][k] * w[k][j] for k in range(len(w))) + b[j]
                    for j in range(len(b))
                ]
                zs.append(z)
                outputs.append([float(f(np.float64(v))) for v in z] if i < last else z)
            d = self._error(np.array(outputs[-1]), y).tolist()
            for i in reversed(range(last + 1)):
                if i < last:
                    slopes = slope(np.array(zs[i]), np.array(outputs[i + 1])).tolist()
                    d = [one * s for one, s in zip(d, slopes, strict=True)]
                for j, one in enumerate(d):
                    self.d_biases[i][j] += one
                    for k, value in enumerate(outputs[i]):
                        self.d_weights[i][k][j] += value * one
                d = [sum(row[j] * d[j] for j in range(len(d))) for row in self.weights[i]]

    def torch_loss(self, p: dict[str, Tensor]) -> Tensor:
        """The same loss in PyTorch."""
        f = ACTIVATIONS[self.recipe.activation][2]
        depth = len(self.weights)
        h = torch.tensor(self.x)
        for i in range(depth):
            h = h @ p[f"weights[{i}]"] + p[f"biases[{i}]"]
            h = f(h) if i + 1 < depth else h
        y = torch.tensor(self.y)
        if self.recipe.loss == "half":
            return ((h - y) ** 2).sum() / 2
        return (
            functional.mse_loss(h, y)
            if self.recipe.loss == "mean"
            else functional.cross_entropy(h, y)
        )

    def loss(self) -> float:
        """The loss at its weights, by values that the complex step cannot have."""
        several = {"weights": self.weights, "biases": self.biases}
        return self.torch_loss(
            {
                f"{name}[{i}]": torch.tensor(np.asarray(one))
                for name, values in several.items()
                for i, one in enumerate(values)
            }
        ).item()

    def check(self, alone: bool = False) -> dict[str, Any]:
        """The arguments of crosscheck: against PyTorch, or with its own loss alone."""
        source: dict[str, Any] = (
            {"step": self.step, "lr": self.lr}
            if self.recipe.style == "steps"
            else {"grads": self.backward}
        )
        against = {"loss": self.loss} if alone else {"torch_loss": self.torch_loss}
        return {"parameters": self.names(), **against, **source}
