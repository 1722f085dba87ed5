"""Recurrent layers and attention against PyTorch: ``python -m benchmarks.sequence_layers``.

As :mod:`benchmarks.layers`, in float32 and float64. Exit code 1 if a ratio is above its limit.
"""

# ruff: noqa: I001 (NumPy and PyTorch read the number of threads once, when they are loaded)

from __future__ import annotations

import benchmarks.one_thread  # noqa: F401

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

import reference
from benchmarks.timing import Ratio, measure, show
from reference.attention import MultiheadAttention
from reference.recurrent import GRU, LSTM, RNN

ROUNDS = 31
LIMITS = {"LSTM": 2.0, "Attention": 2.0}

RECURRENT = {
    "RNN": (RNN(128, 128), nn.RNN(128, 128)),
    "LSTM": (LSTM(128, 128), nn.LSTM(128, 128)),
    "GRU": (GRU(128, 128), nn.GRU(128, 128)),
}


def compare(
    name: str,
    layer: reference.Module,
    module: nn.Module,
    x: Any,
    copies: int = 1,
    **options: Any,
) -> Ratio:
    """Time ``layer`` and ``module`` on the same numbers, x being given ``copies`` times."""
    rng = np.random.default_rng(0)
    params = {name: v.astype(x.dtype) for name, v in layer.init(rng).items()}
    module.to(getattr(torch, x.dtype.name)).load_state_dict(
        {name: torch.tensor(value) for name, value in params.items()}
    )
    output = layer.forward(params, *[x] * copies, **options)[0][0]
    dy = rng.standard_normal(output.shape).astype(x.dtype)
    tensor, upstream = torch.tensor(x, requires_grad=True), torch.tensor(dy)

    def ours() -> None:
        _, cache = layer.forward(params, *[x] * copies, **options)
        dx, _ = layer.backward(params, cache, (dy, None))
        if copies > 1:
            sum(dx)  # as PyTorch does, to whom the copies are one tensor

    def theirs() -> None:
        module.zero_grad()
        tensor.grad = None
        module(*[tensor] * copies, **options)[0].backward(upstream)

    return measure(f"{x.dtype} {name}", ours, theirs, LIMITS.get(name.split()[0]), ROUNDS)


def ratios() -> Iterator[Ratio]:
    """Every layer in both dtypes."""
    rng = np.random.default_rng(1)
    sequence, short = rng.standard_normal((64, 32, 128)), rng.standard_normal((64, 16, 128))
    for dtype in ("float32", "float64"):
        for name, (layer, module) in RECURRENT.items():
            yield compare(f"{name} 128, T 64, batch 32", layer, module, sequence.astype(dtype))
        for weights in (False, True):
            yield compare(
                f"Attention 128, 4 heads, T 64, batch 16, weights {weights}",
                MultiheadAttention(128, 4),
                nn.MultiheadAttention(128, 4),
                short.astype(dtype),
                copies=3,
                need_weights=weights,
            )


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(show("forward + backward of the reference and of PyTorch", ratios()))
