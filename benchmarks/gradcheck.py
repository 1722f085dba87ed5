"""What a crosscheck costs, against PyTorch's own check of gradients by differences, on one network.

``torch.autograd.gradcheck`` in its slow mode moves every parameter by itself. It looks at the same
module, with the same 10,000 parameters in float64, and tells whether autograd is right; crosscheck
holds gradients written by hand against autograd, and tells how far rounding explains a difference.

Run as ``python -m benchmarks.gradcheck``.
"""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from benchmarks.timing import Ratio, medians, show
from compare import crosscheck

SAMPLES, INPUTS, HIDDEN, OUTPUTS = 256, 60, 140, 10


class Written:
    """The network by hand: a tanh layer and a linear one, mean squared error."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.standard_normal((SAMPLES, INPUTS))
        self.y = rng.standard_normal((SAMPLES, OUTPUTS))
        self.W1 = rng.standard_normal((INPUTS, HIDDEN)) / np.sqrt(INPUTS)
        self.b1 = rng.standard_normal(HIDDEN)
        self.W2 = rng.standard_normal((HIDDEN, OUTPUTS)) / np.sqrt(HIDDEN)
        self.b2 = rng.standard_normal(OUTPUTS)

    def gradients(self) -> dict[str, Any]:
        hidden = np.tanh(self.x @ self.W1 + self.b1)
        d_output = 2 * (hidden @ self.W2 + self.b2 - self.y) / self.y.size
        d_hidden = (d_output @ self.W2.T) * (1 - hidden**2)
        return {
            "W1": self.x.T @ d_hidden,
            "b1": d_hidden.sum(axis=0),
            "W2": hidden.T @ d_output,
            "b2": d_output.sum(axis=0),
        }


def ratios(limit: float = 1 / 500) -> list[Ratio]:
    """A crosscheck at the same weights, and one at drawn weights as well, against a gradcheck."""
    network = Written()
    module = nn.Sequential(
        nn.Linear(INPUTS, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, OUTPUTS)
    ).double()
    x, y = torch.tensor(network.x), torch.tensor(network.y)
    names = {"W1": "0.weight.T", "b1": "0.bias", "W2": "2.weight.T", "b2": "2.bias"}
    parameters = dict(module.named_parameters())

    def own(draws: int) -> None:
        report = crosscheck(
            (network, *names),
            grads=network.gradients,
            module=module,
            names=names,
            torch_loss=lambda net: nn.functional.mse_loss(net(x), y),
            draws=draws,
        )
        assert report.agrees  # noqa: S101

    def slow() -> None:
        def output(*values: torch.Tensor) -> torch.Tensor:
            given = dict(zip(parameters, values, strict=True))
            result: torch.Tensor = torch.func.functional_call(module, given, (x,))
            return result

        values = tuple(p.detach().clone().requires_grad_() for p in parameters.values())
        assert torch.autograd.gradcheck(output, values, fast_mode=False)  # noqa: S101

    size = sum(p.numel() for p in parameters.values())
    own(draws=1)
    rounds = [
        (*medians(slow, rounds=1), *medians(lambda: own(0), lambda: own(1), rounds=9))
        for _ in range(3)
    ]
    base, *seconds = (statistics.median(times) for times in zip(*rounds, strict=True))
    return [
        Ratio(
            f"crosscheck of {size:,} parameters, {where}",
            seconds[draws],
            base,
            limit,
        )
        for draws, where in ((0, "at the same weights"), (1, "and at drawn weights"))
    ]


if __name__ == "__main__":
    torch.set_num_threads(1)  # waiting for another core is no part of either
    with threadpool_limits(1):
        found = ratios()
    show("crosscheck against torch.autograd.gradcheck, slow mode", found)
    for one in found:
        print(f"{1 / one.ratio:,.0f} times faster: {one.name}")
