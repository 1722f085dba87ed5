"""Faults of how the first weights are drawn."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.methods import around, instead
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Module, Params
from reference.module import prefixed

Rng = np.random.Generator


def _drawn(weight: Callable[[Any, Rng], Array]) -> Changes:
    """The weight drawn otherwise, and the bias by what is left of the generator."""

    def init(self: Any, rng: Rng) -> Params:
        bound = 1 / math.sqrt(self.in_features)
        params = {"weight": weight(self, rng)}
        if self.bias:
            params["bias"] = rng.uniform(-bound, bound, self.out_features)
        return params

    return instead("init", init)


def _bias_first(right: Method, self: Any, rng: Rng) -> Any:
    if not self.bias:
        return right(self, rng)
    bound = 1 / math.sqrt(self.in_features)
    bias = rng.uniform(-bound, bound, self.out_features)
    drawn: Params = right(self, rng)
    return drawn | {"bias": bias}


def _uniform(bound: Callable[[int, int], float]) -> Changes:
    def weight(self: Any, rng: Rng) -> Array:
        limit = bound(self.in_features, self.out_features)
        return rng.uniform(-limit, limit, (self.out_features, self.in_features))

    return _drawn(weight)


def _each_alike(right: Method, self: Any, rng: Rng) -> Params:
    """Every layer with a generator of the same seed."""
    drawn: Params = {}
    for name, child in self.children().items():
        drawn |= prefixed(name, child.init(copy.deepcopy(rng)))
    return drawn


def _one_array(right: Method, self: Any, rng: Rng) -> Params:
    """Parameters of one shape are one array."""
    seen: dict[tuple[int, ...], Array] = {}
    return {name: seen.setdefault(p.shape, p) for name, p in right(self, rng).items()}


def _backwards(right: Method, self: Any, rng: Rng) -> Params:
    """The last layer drawn first."""
    drawn: dict[str, Params] = {}
    children: dict[str, Module] = self.children()
    for name in reversed(children):
        drawn[name] = prefixed(name, children[name].init(rng))
    return {key: value for name in children for key, value in drawn[name].items()}


UNIFORM = "uniform in ±1/√in_features, weights of shape (out, in) first, then the bias"


def _transposed(self: Any, rng: Rng) -> Any:
    return rng.uniform(
        -1 / math.sqrt(self.in_features),
        1 / math.sqrt(self.in_features),
        (self.in_features, self.out_features),
    ).T


def _normal(self: Any, rng: Rng) -> Any:
    return rng.standard_normal((self.out_features, self.in_features)) / math.sqrt(self.in_features)


FIRST_WEIGHTS = faults(
    "Linear", Right(UNIFORM),
    Row("weights drawn transposed", "(in, out) numbers are drawn and transposed", "start",
        _drawn(_transposed), needs="more than one input and output"),
    Row("bias drawn before the weight", "the generator's first numbers become the bias", "start",
        around("init", _bias_first), needs="bias"),
    Row("first weights bounded by the outputs", "weights are uniform in ±1/√out_features", "start",
        _uniform(lambda fan_in, fan_out: 1 / math.sqrt(fan_out)),
        needs="not as many inputs as outputs"),
    Row("first weights bounded by 1/in",
        "weights are uniform in ±1/in_features: the root is missing", "start",
        _uniform(lambda fan_in, fan_out: 1 / fan_in), needs="more than one input"),
    Row("first weights of Glorot", "weights are uniform in ±√(6 / (in + out))", "start",
        _uniform(lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out)))),
    Row("first weights normal",
        "weights are normal with standard deviation 1/√in_features", "start", _drawn(_normal)),
    Row("first weights positive", "weights are uniform between 0 and 1", "start",
        _drawn(lambda self, rng: rng.random((self.out_features, self.in_features)))),
    Row("first weights 0", "all weights are 0, so all units of a layer stay alike", "start",
        _drawn(lambda self, rng: np.zeros((self.out_features, self.in_features)))),
    ("MLP", "Sequential"), Right("one generator for all layers, in their order"),
    Row("layers seeded alike", "each layer's weights are drawn from a generator of the same seed",
        "start", around("init", _each_alike), needs="more than one layer"),
    Right("an array for each parameter"),
    Row("parameters of one shape aliased",
        "parameters of the same shape are one and the same array", "start",
        around("init", _one_array), needs="two parameters of one shape"),
    Right("one generator for all layers, in their order"),
    Row("last layer drawn first", "the layers are drawn from the last to the first", "start",
        around("init", _backwards), needs="more than one layer"),
)  # fmt: skip
