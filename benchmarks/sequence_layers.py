"""LSTM and attention against PyTorch in eager mode: one thread each, forward and backward.

Runs of both sides alternate, so that what else the machine does falls on both; the ratio is that
of the medians. Run with ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m
benchmarks.sequence_layers``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

import reference
from reference.attention import MultiheadAttention
from reference.recurrent import GRU, LSTM, RNN

RUNS = 31


def interleaved(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float]:
    """The median time of each in milliseconds, after two runs to warm up."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS + 2):
        for run, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            run()
            kept.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[0][2:]), statistics.median(times[1][2:])


def compare(
    layer: reference.Module, module: nn.Module, x: Any, copies: int, dtype: str, **options: Any
) -> tuple[float, float]:
    """Time ``layer`` and ``module`` on the same numbers, x being given ``copies`` times."""
    rng = np.random.default_rng(0)
    params = {name: v.astype(dtype) for name, v in layer.init(rng).items()}
    module.to(getattr(torch, dtype)).load_state_dict(
        {name: torch.tensor(value) for name, value in params.items()}
    )
    x = x.astype(dtype)
    output = layer.forward(params, *[x] * copies, **options)[0][0]
    dy = rng.standard_normal(output.shape).astype(dtype)
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

    return interleaved(ours, theirs)


def main() -> None:
    """Print milliseconds of both sides and their ratio."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    sequence, short = rng.standard_normal((64, 32, 128)), rng.standard_normal((64, 16, 128))
    for dtype in ("float32", "float64"):
        rows: dict[str, tuple[float, float]] = {
            "RNN 128, T 64, batch 32": compare(RNN(128, 128), nn.RNN(128, 128), sequence, 1, dtype),
            "LSTM 128, T 64, batch 32": compare(
                LSTM(128, 128), nn.LSTM(128, 128), sequence, 1, dtype
            ),
            "GRU 128, T 64, batch 32": compare(GRU(128, 128), nn.GRU(128, 128), sequence, 1, dtype),
        }
        for need_weights in (False, True):
            name = f"Attention 128, 4 heads, T 64, batch 16, weights {need_weights}"
            rows[name] = compare(
                MultiheadAttention(128, 4),
                nn.MultiheadAttention(128, 4),
                short,
                3,
                dtype,
                need_weights=need_weights,
            )
        for name, (ours, theirs) in rows.items():
            print(f"{dtype}  {name:55} {ours:7.2f} ms {theirs:7.2f} ms  {ours / theirs:5.2f}")


if __name__ == "__main__":
    main()
