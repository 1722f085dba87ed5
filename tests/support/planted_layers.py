"""Networks written by hand, of any depth, in two styles and sizes, with faults to choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compare import CrossReport, crosscheck

Array = Any


@dataclass(frozen=True)
class Size:
    """How large a network is, and how it is written.

    Attributes:
        samples: in the batch.
        widths: of its input, its layers and its output.
        columns: whether samples are columns, and weights out × in.
    """

    samples: int = 5
    widths: tuple[int, ...] = (3, 4, 2)
    columns: bool = False

    def __str__(self) -> str:
        shape = "-".join(map(str, self.widths))
        return f"{self.samples} x {shape} {'columns' if self.columns else 'rows'}"


SIZES = [
    Size(),
    Size(samples=1),
    Size(widths=(2, 3, 1)),
    Size(samples=1, widths=(2, 3, 1), columns=True),
    Size(samples=4, widths=(3, 4, 4, 2), columns=True),
]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


@dataclass
class Layers:
    """Sigmoid layers, half the squared error, updated by one method.

    Attributes:
        size: how large it is, and how it is written.
        slope: the derivative of a layer's activation, from input and output, by its number.
        lacking: the layer whose error is carried back before its derivative.
        early: whether weights are updated before the error goes on through them.
        turned: whether the error goes on through the weight itself.
        carried: what becomes of the error that is carried back to a layer, by its number.
    """

    size: Size
    slope: Callable[[int, Array, Array], Array] = lambda layer, x, y: y * (1 - y)
    lacking: int | None = None
    early: bool = False
    turned: bool = False
    carried: Callable[[int, Array], Array] = lambda layer, error: error
    lr: float = 0.5
    w: dict[str, Array] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(3)
        pairs = list(zip(self.size.widths, self.size.widths[1:], strict=False))
        self.w = {f"W{k}": rng.normal(size=pair) for k, pair in enumerate(pairs, 1)}
        self.w |= {f"b{k}": rng.normal(size=(1, out)) for k, (_, out) in enumerate(pairs, 1)}
        self.x = rng.normal(size=(self.size.samples, self.size.widths[0]))
        self.y = rng.uniform(0.1, 0.9, size=(self.size.samples, self.size.widths[-1]))
        if self.size.columns:
            self.w = {name: value.T.copy() for name, value in self.w.items()}

    def _get(self, name: str) -> Array:
        return self.w[name].T if self.size.columns else self.w[name]

    def step(self, lr: float | None = None) -> None:
        rate = self.lr if lr is None else lr
        depth = len(self.size.widths) - 1
        z, h = [self.x], [self.x]
        for k in range(1, depth + 1):
            z.append(h[-1] @ self._get(f"W{k}") + self._get(f"b{k}"))
            h.append(sigmoid(z[-1]))
        error = h[-1] - self.y
        for k in range(depth, 0, -1):
            delta = error * self.slope(k, z[k], h[k])
            old = self._get(f"W{k}").copy()
            found = {f"W{k}": h[k - 1].T @ delta, f"b{k}": delta.sum(axis=0, keepdims=True)}
            for name, g in found.items():
                self.w[name] = self.w[name] - rate * (g.T if self.size.columns else g)
            through = self._get(f"W{k}") if self.early else old
            going = error if self.lacking == k else delta
            error = self.carried(k - 1, going @ (through if self.turned and k > 1 else through.T))

    def torch_loss(self, p: dict[str, Tensor]) -> Tensor:
        columns = self.size.columns
        h = torch.tensor(self.x.T.copy() if columns else self.x)
        for k in range(1, len(self.size.widths)):
            w, b = p[f"W{k}"], p[f"b{k}"]
            h = torch.sigmoid((w @ h if columns else h @ w) + b)
        return ((h - torch.tensor(self.y.T.copy() if columns else self.y)) ** 2).sum() / 2

    def check(self, **options: Any) -> CrossReport:
        names = [f"w['{name}']" for name in self.w]
        return crosscheck(
            {name: (self, place) for name, place in zip(self.w, names, strict=True)},
            step=self.step,
            lr=(self, "lr"),
            torch_loss=self.torch_loss,
            **options,
        )


def causes(report: CrossReport) -> list[str]:
    return [cause.name for cause in report.causes]
