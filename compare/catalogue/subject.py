"""A layer or a loss of the reference, as one kind of thing: what a comparison calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import reference
from compare.base.nested import leaves, mapped
from compare.base.quantities import Array, Observation, buffer, gradient
from compare.catalogue.entries.entry import Entry, Variant

OUTPUT = "output"
INPUT = "gradient at input"


def array_options(options: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Constructor arguments, with the weights of a loss as arrays."""
    return {
        key: np.array(value, dtype) if key in ("weight", "pos_weight") else value
        for key, value in options.items()
    }


@dataclass(frozen=True)
class Subject:
    """What is compared: ``forward`` and ``backward`` of a layer or a loss.

    Attributes:
        module: the layer or the loss.
        differentiable: positions of the inputs that have a gradient; None for all that can.
    """

    module: Any
    differentiable: tuple[int, ...] | None = None

    @property
    def is_loss(self) -> bool:
        return isinstance(self.module, reference.Loss)

    def learns(self, position: int) -> bool:
        """Whether the input at this position has a gradient, if it is made of real numbers."""
        return self.differentiable is None or position in self.differentiable

    def forward(
        self, params: Observation, inputs: tuple[Any, ...], given: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        """The output and the cache."""
        if self.is_loss:
            return self.module.forward(*inputs)  # type: ignore[no-any-return]
        return self.module.forward(params, *inputs, **given)  # type: ignore[no-any-return]

    def backward(
        self, params: Observation, cache: Any, dy: Any, count: int
    ) -> tuple[tuple[Any, ...], Observation]:
        """The gradient at each of so many inputs, None where there is none, and the parameters'."""
        if not self.is_loss:
            dx, grads = self.module.backward(params, cache, dy)
            return (dx,) if count == 1 else dx, grads
        found = self.module.backward(cache, dy)
        places = self.differentiable or (0,)
        several = dict(zip(places, found if len(places) > 1 else (found,), strict=True))
        return tuple(several.get(position) for position in range(count)), {}

    def everything(
        self,
        params: Observation,
        inputs: tuple[Any, ...],
        given: Mapping[str, Any],
        dy: Any,
        seen: Observation | None = None,
    ) -> Observation:
        """One pass forward and back: all that comes of it, by name, in order of computation.

        It is put into ``seen``, if that is given, so that what was computed before an error is
        there.
        """
        seen = {} if seen is None else seen
        y, cache = self.forward(params, inputs, given)
        seen |= leaves(y, OUTPUT)
        dx, grads = self.backward(params, cache, dy, len(inputs))
        seen |= {gradient(name): value for name, value in grads.items()}
        seen |= leaves(dx[0] if len(dx) == 1 else dx, INPUT)
        if not self.is_loss:
            after = self.module.buffers(params, cache)
            seen |= {buffer(name): value for name, value in after.items()}
        return seen


def subject_of(entry: Entry, variant: Variant, dtype: str) -> Subject:
    """The reference's side of a variant."""
    module = getattr(reference, entry.name)(**array_options(variant.options, dtype))
    if entry.kind == "loss":
        return Subject(module, entry.differentiable)
    return Subject(module.train(variant.training))


def random_params(subject: Subject, rng: np.random.Generator, dtype: str) -> dict[str, Array]:
    """Parameters and buffers without a special value among them."""
    if subject.is_loss:
        return {}
    drawn: dict[str, Array] = {}
    for name, value in subject.module.init(rng).items():
        if value.dtype.kind != "f":
            drawn[name] = value + 3
        elif name.endswith("running_var"):
            drawn[name] = rng.uniform(0.5, 2, value.shape).astype(dtype)
        else:
            drawn[name] = np.asarray(rng.standard_normal(value.shape), dtype)
    return drawn


def random_like(structure: Any, rng: np.random.Generator, dtype: str) -> Any:
    """A random upstream gradient for each output."""
    return mapped(lambda y: np.asarray(rng.standard_normal(y.shape), dtype), structure)
