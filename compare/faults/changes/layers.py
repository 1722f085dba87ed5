"""Building blocks of faults in layers and losses, beside those in ``methods``."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from compare.faults.changes.methods import around
from compare.faults.fault import Changes, Method
from reference import Array, Params
from reference.support.ensemble import summed_to

#: Other attributes for an object, from what it is.
Attributes = Callable[[Any], dict[str, Any]]


def when(fits: Callable[[Any], bool], changes: Changes) -> Changes:
    """Changes to those objects only that the condition fits; the others stay right."""

    def guarded(change: Callable[[Method], Method]) -> Callable[[Method], Method]:
        def method(right: Method) -> Method:
            wrong = change(right)

            def chosen(self: Any, *args: Any, **options: Any) -> Any:
                return (wrong if fits(self) else right)(self, *args, **options)

            return chosen

        return method

    return {name: guarded(change) for name, change in changes.items()}


def having(**values: Any) -> Callable[[Any], bool]:
    """Whether an object has these attributes, a condition for :func:`when`."""
    return lambda self: all(getattr(self, name) == value for name, value in values.items())


def as_if(**values: Any) -> Attributes:
    """These attributes, whatever the object is."""
    return lambda self: values


def twin(self: Any, attributes: Attributes) -> Any:
    """A copy of an object with other attributes."""
    other = copy.copy(self)
    vars(other).update(attributes(self))
    return other


def other(method: str, attributes: Attributes) -> Changes:
    """A method run with other attributes, which depend on the object."""
    return around(
        method,
        lambda right, self, *args, **options: right(twin(self, attributes), *args, **options),
    )


def cache_of(attributes: Attributes) -> Changes:
    """A forward that gives the right output, but remembers what another object would."""

    def forward(right: Method, self: Any, *args: Any, **options: Any) -> Any:
        y, _ = right(self, *args, **options)
        return y, right(twin(self, attributes), *args, **options)[1]

    return around("forward", forward)


def output_of(attributes: Attributes) -> Changes:
    """A forward that gives the output of another object, with the right backward to follow."""

    def forward(right: Method, self: Any, *args: Any, **options: Any) -> Any:
        _, cache = right(self, *args, **options)
        return right(twin(self, attributes), *args, **options)[0], cache

    return around("forward", forward)


def forward_with(change: Callable[[Any, Params], Params]) -> Changes:
    """A forward that uses other parameters."""
    return around(
        "forward", lambda right, self, params, *inputs: right(self, change(self, params), *inputs)
    )


def without_bias(self: Any, params: Params) -> Params:
    """Parameters whose bias is 0."""
    return params | {"bias": 0 * params["bias"]} if self.bias else params


def dx_with(change: Callable[[Any, Params], Params]) -> Changes:
    """A backward that carries the error back through other parameters."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
        _, found = right(self, params, cache, dy)
        return right(self, change(self, params), cache, dy)[0], found

    return around("backward", backward)


def grad_of(name: str, function: Callable[[Any, Params, Any, Array], Array]) -> Changes:
    """A backward that computes one gradient as ``function(self, params, cache, dy)``."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, found = right(self, params, cache, dy)
        if name not in found:
            return dx, found
        wrong = summed_to(function(self, params, cache, dy), params[name].shape)
        return dx, found | {name: wrong}

    return around("backward", backward)


def grads_at(change: Callable[[Any, Any, Array], Array]) -> Changes:
    """A backward whose parameters' gradients come of ``change(self, cache, dy)``, not of dy."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, _ = right(self, params, cache, dy)
        return dx, right(self, params, cache, change(self, cache, dy))[1]

    return around("backward", backward)


def grad_at(name: str, change: Callable[[Any, Any, Array], Array]) -> Changes:
    """A backward one of whose gradients comes of ``change(self, cache, dy)``, not of dy."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, found = right(self, params, cache, dy)
        wrong = right(self, params, cache, change(self, cache, dy))[1]
        return dx, found | ({name: wrong[name]} if name in found else {})

    return around("backward", backward)


def loss_slope(function: Callable[..., Any]) -> Changes:
    """A loss's backward that is ``function(self, *inputs)`` times the gradient of each term."""

    def forward(right: Method, self: Any, *inputs: Any) -> Any:
        loss, cache = right(self, *inputs)
        return loss, (cache, inputs)

    def backward(right: Method, self: Any, cache: Any, dloss: Any = 1.0) -> Any:
        inner, inputs = cache
        dterms = inner[-1].backward(dloss, inputs[0].shape)
        return function(self, *inputs) * dterms

    return {**around("forward", forward), **around("backward", backward)}


def loss_terms(function: Callable[..., Any]) -> Changes:
    """A loss made of other terms, ``function(self, *inputs)``, with the right gradient to follow.

    In every cache of a loss the reduction comes last.
    """

    def forward(right: Method, self: Any, *inputs: Any) -> Any:
        _, cache = right(self, *inputs)
        return cache[-1].forward(function(self, *inputs)), cache

    return around("forward", forward)
