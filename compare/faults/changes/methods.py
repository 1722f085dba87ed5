"""How methods are made wrong: the building blocks of the catalogue.

What they change may hold numbers of any kind: floats, complex numbers, or such as carry their
rounding error. So a fault uses no more of NumPy than the reference does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.fault import Changes, Method
from reference import Array, Params


def instead(method: str, function: Method) -> Changes:
    """Another method in place of the right one."""
    return {method: lambda right: function}


def around(method: str, function: Method) -> Changes:
    """``function(right, self, *args)`` in place of ``right(self, *args)``."""
    return {method: lambda right: lambda *args, **options: function(right, *args, **options)}


def result(method: str, change: Callable[[Any], Any]) -> Changes:
    """A method with what it returns changed."""
    return around(method, lambda right, *args, **options: change(right(*args, **options)))


def output(change: Callable[[Any], Any]) -> Changes:
    """A forward with y changed."""
    return result("forward", lambda pair: (change(pair[0]), pair[1]))


def dx(change: Callable[[Any], Any]) -> Changes:
    """A backward with dx changed."""
    return result("backward", lambda pair: (change(pair[0]), pair[1]))


def grads(change: Callable[[Params], Params]) -> Changes:
    """A backward with the gradients of the parameters changed."""
    return result("backward", lambda pair: (pair[0], change(pair[1])))


def grad(name: str, change: Callable[[Array], Array]) -> Changes:
    """A backward with the gradient of one parameter changed."""
    return grads(lambda found: found | {name: change(found[name])} if name in found else found)


def dx_of(function: Callable[[Any, Array, Array, Array], Array]) -> Changes:
    """A backward whose dx is ``function(self, x, y, dy)``; forward remembers x and y for it."""

    def forward(right: Method, self: Any, params: Params, x: Array) -> tuple[Array, Any]:
        y, cache = right(self, params, x)
        return y, (cache, x, y)

    def backward(
        right: Method, self: Any, params: Params, cache: Any, dy: Array
    ) -> tuple[Array, Params]:
        inner, x, y = cache
        _, found = right(self, params, inner, dy)
        return function(self, x, y, dy), found

    return {**around("forward", forward), **around("backward", backward)}


def passing(where: Callable[[Any, Array], Array]) -> Changes:
    """A backward whose dx is dy where ``where(self, x)`` holds, 0 elsewhere."""
    return dx_of(lambda self, x, y, dy: np.where(where(self, x), dy, 0))


def fed(change: Callable[[Any, Array], Array]) -> Changes:
    """The right forward and backward of ``change(self, x)``, not of x."""
    return around(
        "forward", lambda right, self, params, x, *rest: right(self, params, change(self, x), *rest)
    )


def y_of(function: Callable[[Any, Array], Array]) -> Changes:
    """A forward whose y is ``function(self, x)``, with the right backward to follow."""
    return around(
        "forward", lambda right, self, params, x: (function(self, x), right(self, params, x)[1])
    )


def options(method: str, **changed: Any) -> Changes:
    """A method run with other attributes of its object, such as another ``eps``."""

    def with_others(right: Method, self: Any, *args: Any, **named: Any) -> Any:
        twin = copy.copy(self)
        vars(twin).update(changed)
        return right(twin, *args, **named)

    return around(method, with_others)
