"""The complex-step derivative: the referee for gradients derived by hand.

For a function that is analytic along the real axis::

    f(x + ih) = f(x) + i h f'(x) − h² f''(x)/2 − …      f'(x) = Im f(x + ih) / h + O(h²)

No difference is taken, so nothing cancels, and h can be so small that h² vanishes: the result is
exact to rounding. The layers' own ``forward`` is what is differentiated, on complex128.

Source:
    W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions,
    SIAM Review 40 (1998) 110-112.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference import Array, Loss, Module, Params

STEP = 1e-30

#: A slope y (1 − y) is known to so much, as 1 − y has the rounding error of y, not of itself.
SATURATED = 1e-14


def gradient(function: Callable[[Array], Array], point: Array) -> Array:
    """∂f/∂x for each entry of ``point``, where ``function`` gives one number.

    Args:
        function: analytic; it is handed complex128 of the point's shape.
        point: float64.
    """
    slopes = []
    for index in np.ndindex(point.shape):
        moved = point.astype(np.complex128)
        moved[index] += 1j * STEP
        slopes.append(function(moved).imag / STEP)
    return np.array(slopes, np.float64).reshape(point.shape)


def expected_gradients(module: Module, params: Params, x: Array, dy: Array) -> tuple[Array, Params]:
    """The gradients of ``Σ dy · forward(params, x)`` for x and each parameter."""

    def along(values: Params, inputs: Array) -> Array:
        total: Array = (dy * module.forward(values, inputs)[0]).sum()
        return total

    def along_one(name: str) -> Callable[[Array], Array]:
        return lambda moved: along(params | {name: moved}, x)

    grads = {name: gradient(along_one(name), value) for name, value in params.items()}
    return gradient(lambda moved: along(params, moved), x), grads


def assert_backward(module: Module, params: Params, x: Array, rng: np.random.Generator) -> None:
    """Hold a module's ``backward`` against its own ``forward``, upstream gradient random.

    Where leading axes of x or of a parameter were broadcast, ``backward`` may give the gradient for
    each network of the ensemble; the derivative is the sum of them.
    """
    y, cache = module.forward(params, x)
    dy = rng.normal(size=y.shape)
    dx, grads = module.backward(params, cache, dy)
    expected_dx, expected = expected_gradients(module, params, x, dy)
    assert grads.keys() == params.keys()
    assert_close(dx, expected_dx, "dx")
    for name, value in expected.items():
        assert_close(grads[name], value, name)


def assert_loss_backward(loss: Loss, y: Array, target: Array) -> None:
    """Hold a loss's ``backward`` against its own ``forward``."""
    actual = loss.backward(loss.forward(y, target)[1])
    assert actual.shape == y.shape
    assert_close(actual, gradient(lambda moved: loss.forward(moved, target)[0].sum(), y), "dy")


def assert_close(actual: Array, expected: Array, name: str) -> None:
    """Equal to rounding, relative to the largest entry; broadcast axes of ``expected`` summed.

    All that is compared comes from numbers of order 1.
    """
    assert actual.dtype == expected.dtype, f"{name} is {actual.dtype}, should be {expected.dtype}"
    total = unbroadcast(actual, expected.shape)
    size = np.max(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(
        total, expected, rtol=1e-10, atol=1e-13 * size + SATURATED, err_msg=name
    )


def unbroadcast(array: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes by which broadcasting ``shape`` would give the array's shape."""
    extra = array.ndim - len(shape)
    assert extra >= 0, f"shape is {array.shape}, but should be {shape}"
    array = array.sum(axis=tuple(range(extra)))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    result: Array = array.sum(axis=stretched, keepdims=True)
    assert result.shape == shape, f"shape is {result.shape}, but should be {shape}"
    return result
