"""Functions of gradients beside PyTorch's: clipping, and putting micro-batches together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import reference
from compare.audit.exhibits import PLAIN, Stepwise
from compare.base.conversion import to_array, to_tensor
from compare.base.quantities import Array, Observation, gradient
from compare.diagnosis.planting.places import Parts
from compare.diagnosis.planting.replay import Replayed, replay_once
from compare.measure.step_records import StepOutcome, compare_step
from compare.measure.tolerances import Tolerance
from reference import Params

#: The size of gradients and the limit: above it, below it, and so small that 1e-6 matters.
SIZES = ((1.0, 0.3), (0.01, 0.3), (1e-3, 1e-3))

#: Further norms by which to clip, beside that of the sum of squares.
NORMS = (1.0, 3.0, math.inf)

SHAPES = {"0.weight": (3, 4), "0.bias": (3,), "scale": ()}

#: Micro-batches of eight samples: powers of two, so that all their means are exact.
CUTS = (slice(0, 4), slice(4, 6), slice(6, 8))

Call = Callable[[Callable[..., Any], Callable[[Array], Array]], Params]


class FunctionExhibit(Stepwise):
    """One function, called a few times.

    Args:
        name: of the exhibit.
        function: the reference's.
        calls: each calls a function with what it is to get, lifted.
        expected: PyTorch's gradients after each call.
        dtype: of all arithmetic.
        tolerance: of the comparison.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        calls: list[Call],
        expected: list[Params],
        dtype: str,
        tolerance: Tolerance,
    ) -> None:
        self.name, self.label, self.dtype = name, function.__name__, dtype
        self.tolerance = tolerance
        self.function, self.calls = function, calls
        self.expected = [{gradient(n): g for n, g in one.items()} for one in expected]

    @property
    def parts(self) -> dict[str, Any]:
        return {"function": self.function}

    def show(self, parts: Parts) -> Iterator[Replayed]:
        for call in self.calls:
            yield replay_once(partial(_run, call, parts, PLAIN))

    def compare_steps(self, parts: Parts) -> Iterator[StepOutcome]:
        for call, expected in zip(self.calls, self.expected, strict=True):
            run = partial(_run, call, parts, self.tolerance)
            yield compare_step(run, expected, self.tolerance.split)


def _run(call: Call, parts: Parts, tolerance: Tolerance, seen: Observation) -> None:
    found = call(parts["function"], tolerance.lift)
    seen |= {gradient(name): g for name, g in found.items()}


def functions(name: str, dtype: str, tolerance: Tolerance) -> Iterator[FunctionExhibit]:
    """Every function of gradients that the reference has."""
    clips: tuple[Callable[..., Any], ...] = reference.clip_grad_norm, reference.clip_grad_value
    for function in clips:
        several: list[tuple[Params, tuple[float, ...]]] = [
            (_drawn(size, dtype), (limit,)) for size, limit in SIZES
        ]
        if function is reference.clip_grad_norm:
            several += [(_drawn(1.0, dtype), (0.3, norm)) for norm in NORMS]
        calls = [_clip(grads, how) for grads, how in several]
        expected = [_clipped(function.__name__, grads, how) for grads, how in several]
        yield FunctionExhibit(name, function, calls, expected, dtype, tolerance)
    mean, pieces = _pieces(dtype)
    sums = [(n, {"weight": n * g["weight"]}) for n, g in pieces]
    total = {"weight": 8 * mean["weight"]}
    gathers: tuple[tuple[Callable[..., Any], list[Any], Params], ...] = (
        (reference.mean_gradients, pieces, mean),
        (reference.sum_gradients, [g for _, g in sums], total),
    )
    for gather, parts, whole in gathers:
        yield FunctionExhibit(name, gather, [_gather(parts)], [whole], dtype, tolerance)


def _drawn(size: float, dtype: str) -> Params:
    rng = np.random.default_rng(0)
    return {name: np.asarray(size * rng.normal(size=s), dtype) for name, s in SHAPES.items()}


def _clip(grads: Params, how: tuple[float, ...]) -> Call:
    def call(function: Callable[..., Any], lift: Callable[[Array], Array]) -> Params:
        found = function({name: lift(g) for name, g in grads.items()}, *how)
        clipped: Params = found[0] if isinstance(found, tuple) else found
        return clipped

    return call


def _clipped(name: str, grads: Params, how: tuple[float, ...]) -> Params:
    """PyTorch's gradients after clipping."""
    tensors = {key: nn.Parameter(to_tensor(g)) for key, g in grads.items()}
    for key, tensor in tensors.items():
        tensor.grad = to_tensor(grads[key])
    getattr(nn.utils, f"{name}_")(tensors.values(), *how, foreach=False)
    return {key: to_array(_of(tensor)) for key, tensor in tensors.items()}


def _pieces(dtype: str) -> tuple[Params, list[tuple[int, Params]]]:
    """Autograd's gradient of a mean over eight samples, and of its micro-batches."""
    rng = np.random.default_rng(0)
    x, y = (to_tensor(rng.integers(-3, 4, (8, 3)).astype(dtype)) for _ in range(2))

    def found(cut: slice) -> Params:
        weight = torch.ones(3, 3, dtype=x.dtype, requires_grad=True)
        loss = ((x[cut] @ weight.T - y[cut]) ** 2).sum(1).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return {"weight": to_array(_of(weight))}

    return found(slice(None)), [(cut.stop - cut.start, found(cut)) for cut in CUTS]


def _gather(parts: list[Any]) -> Call:
    def lifted(part: Any, lift: Callable[[Array], Array]) -> Any:
        if isinstance(part, tuple):
            return part[0], lifted(part[1], lift)
        return {name: lift(g) for name, g in part.items()}

    return lambda function, lift: function([lifted(part, lift) for part in parts])


def _of(tensor: Tensor) -> Tensor:
    if tensor.grad is None:
        raise AssertionError("a tensor of these always has a gradient")
    return tensor.grad
