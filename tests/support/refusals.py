"""Asking both sides to do what PyTorch refuses."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

import reference
from reference.losses import Loss
from tests.support.refusal_grid import GRIDS, Options

#: Layers made of others: what one of those refuses, it refuses by that one's name.
INNER = {"TransformerEncoderLayer": ("MultiheadAttention", "Linear", "LayerNorm")}

#: What a refusal may be about, beside arguments.
SUBJECTS = {"class", "entry", "index", "indices", "input", "inputs", "mask", "output", "prediction"}
SUBJECTS |= {"state", "states", "values", "variance"}


@dataclass(frozen=True)
class Request:
    """A class, how to make it, and what to give it."""

    name: str
    options: Options
    inputs: tuple[Any, ...]
    given: Options

    def __str__(self) -> str:
        options = {key: _told(value) for key, value in (self.options | self.given).items()}
        return f"{self.name} {options} {[_told(one) for one in self.inputs]}"


def right() -> Iterator[Request]:
    """What neither side should refuse, for every class."""
    for name, grid in GRIDS.items():
        yield Request(name, grid.options, grid.inputs, {})


def wrong() -> Iterator[Request]:
    """Everything that PyTorch refuses."""
    for name, grid in GRIDS.items():
        for options in grid.bad_options:
            yield Request(name, grid.options | options, grid.inputs, {})
        for inputs in grid.bad_inputs:
            yield Request(name, grid.options, inputs, {})
        for given in grid.bad_given:
            yield Request(name, grid.options, grid.inputs, given)


def ask_torch(request: Request) -> None:
    """Make the module, run it forward, and back from random numbers."""
    options = {key: _tensor(value) for key, value in request.options.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = getattr(nn, request.name)(**options)
        inputs = [_tensor(_array(one)) for one in request.inputs]
        first = inputs[0]
        if first.is_floating_point():
            first.requires_grad_()
        y = module(*inputs, **{key: _tensor(value) for key, value in request.given.items()})
        y = y[0] if isinstance(y, tuple) else y
        if first.dtype != torch.int64 or not isinstance(module, nn.Embedding):
            torch.autograd.backward(y, torch.rand_like(y))


def ask_reference(request: Request) -> None:
    """The same of the reference, with parameters in float32."""
    made = getattr(reference, request.name)(**request.options)
    inputs = [_array(one) for one in request.inputs]
    if isinstance(made, Loss):
        loss, cache = made.forward(*inputs)
        made.backward(cache, np.ones_like(loss))
        return
    drawn = made.init(np.random.default_rng(0))
    params = {k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in drawn.items()}
    y, cache = made.forward(params, *inputs, **request.given)
    dy = (np.ones_like(y[0]), None) if isinstance(y, tuple) else np.ones_like(y)
    made.backward(params, cache, dy)


def check_refused(request: Request, ask: Callable[[Request], None] = ask_reference) -> str:
    """Why the answer is not a good refusal; empty if it is.

    A good one is a ValueError that names the class and what is wrong with it, and tells what it got
    and what it needs.
    """
    try:
        ask(request)
    except ValueError as error:
        names = (request.name, *INNER.get(request.name, ()))
        name, colon, rest = str(error).partition(": ")
        if not colon or name not in names:
            return f"the layer is not named: {error}"
        subject = re.split(r" (?:is|are|has|must|should|needs|supported)\b", rest)[0]
        if not set(re.findall(r"\w+", subject)) & (SUBJECTS | _arguments(name)):
            return f"what is wrong is not named: {error}"
        words = ("should", "must", "supported", "needs")
        return "" if any(word in str(error) for word in words) else f"no remedy: {error}"
    except Exception as error:  # what is wanted is a ValueError
        return f"{type(error).__name__}: {error}"
    return "accepted"


def _arguments(name: str) -> set[str]:
    """What a class is made of and takes."""
    kind = getattr(reference, name)
    return {*inspect.signature(kind).parameters, *inspect.signature(kind.forward).parameters}


def _array(one: Any) -> Any:
    if isinstance(one, tuple):
        if not all(isinstance(length, int) for length in one):
            return tuple(map(_array, one))
        return np.asarray(np.random.default_rng(0).standard_normal(one), np.float32)
    return one


def _tensor(one: Any) -> Any:
    if isinstance(one, tuple):
        return tuple(map(_tensor, one))
    return torch.tensor(one) if isinstance(one, np.ndarray) else one


def _told(one: Any) -> str:
    if isinstance(one, np.ndarray):
        few = one.size <= 4
        return f"{one.dtype}{one.tolist() if few else one.shape}"
    if isinstance(one, tuple) and any(isinstance(part, np.ndarray) for part in one):
        return f"({', '.join(map(_told, one))})"
    return str(one)
