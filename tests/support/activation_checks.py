"""Holding a layer or a loss of the reference against autograd and against a complex step.

Both checks look at every entry, use a random upstream gradient, and allow an error relative to the
tensor's largest entry. What is not a number never passes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy  # noqa: F401 - the first backward imports it, and it adds a warnings filter: now
import torch

from reference import Array, Loss, Module, Params
from reference import losses as reference_losses

#: Of the largest entry, against PyTorch.
RTOL = {"float32": 1e-5, "float64": 1e-12}

#: Of the largest entry, against the complex step.
STEP_RTOL = 1e-13

#: So small that its square vanishes; nothing is subtracted, so nothing cancels.
STEP = 1e-30

DTYPES = ("float32", "float64")


def assert_near(actual: Array, expected: Array, rtol: float, what: str, floor: float = 0.0) -> None:
    """Same shape and dtype, same infinities, and no entry off by more than allowed.

    Args:
        actual: of the reference.
        expected: what it should be.
        rtol: allowed error, relative to the largest finite entry of ``expected``.
        what: named in the message.
        floor: the largest entry counts as at least this.
    """
    actual = np.asarray(actual)
    assert actual.shape == expected.shape, f"{what}: {actual.shape} != {expected.shape}"
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype} != {expected.dtype}"
    finite = np.isfinite(expected)
    scale = max(floor, np.max(np.abs(expected[finite]), initial=0.0))
    with np.errstate(invalid="ignore"):
        near = np.abs(actual - expected) <= rtol * scale
    agree = np.where(finite, near, actual == expected)
    assert agree.all(), f"{what} is {actual[~agree]}, but should be {expected[~agree]}"


def largest(array: Array) -> float:
    """The largest absolute value."""
    return float(np.max(np.abs(array), initial=0.0))


def scattered(array: Array) -> Array:
    """The same numbers, neither contiguous nor in C order in memory."""
    if array.ndim == 0:
        return array
    wide = np.zeros(tuple(2 * length for length in array.shape[::-1]), array.dtype)
    view = wide[(slice(None, None, 2),) * array.ndim].T
    view[...] = array
    return view


def frozen(array: Array) -> Array:
    """A copy that refuses to be written to."""
    copy = np.array(array)
    copy.setflags(write=False)
    return copy


def tensor(array: Array, differentiable: bool = False) -> torch.Tensor:
    """A copy as a leaf of the graph, contiguous: some of PyTorch's backward passes insist."""
    twin: torch.Tensor = torch.from_numpy(np.array(array, order="C"))
    return twin.requires_grad_() if differentiable else twin


def torch_module(name: str, options: dict[str, Any], dtype: str) -> torch.nn.Module:
    """The module of ``torch.nn``, in evaluation of this dtype, its weights tensors."""
    kind = getattr(torch, dtype)
    ready = {
        key: torch.tensor(value, dtype=kind) if isinstance(value, tuple) else value
        for key, value in options.items()
    }
    module: torch.nn.Module = getattr(torch.nn, name)(**ready)
    return module.to(kind)


def autograd(
    module: torch.nn.Module, inputs: Sequence[Array], wanted: Sequence[int], dy: Array | None
) -> tuple[Array, list[Array], Params]:
    """PyTorch's output, the gradients of the wanted inputs, and those of the parameters."""
    tensors = [tensor(array, number in wanted) for number, array in enumerate(inputs)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # implicit softmax dim; the mean of KLDivLoss
        y = module(*tensors)
    upstream = torch.ones_like(y) if dy is None else tensor(dy)
    y.backward(upstream)
    grads = {name: p.grad.numpy() for name, p in module.named_parameters() if p.grad is not None}
    dx = [grad.numpy() for grad in (tensors[number].grad for number in wanted) if grad is not None]
    assert len(dx) == len(wanted)
    return y.detach().numpy(), dx, grads


def upstream_of(y: Array, rng: np.random.Generator) -> Array:
    """A random upstream gradient for this output."""
    return np.asarray(rng.normal(size=y.shape), y.dtype)


def check_layer_with_torch(
    layer: Module,
    twin: torch.nn.Module,
    x: Array,
    rng: np.random.Generator,
    torch_error: float = 0.0,
) -> None:
    """Output, dx and the gradient of each parameter, against PyTorch's.

    The largest entry of the output counts as at least a tenth of the largest input, that of dx as a
    tenth of the largest dy: where slopes cancel, that is what their rounding errors come from.

    Args:
        layer: of the reference.
        twin: the module of ``torch.nn``.
        x: the input.
        rng: of the upstream gradient.
        torch_error: relative error of PyTorch's own gradient, if it is more than rounding.
    """
    rtol = RTOL[x.dtype.name]
    params = {name: frozen(p.detach().numpy()) for name, p in twin.named_parameters()}
    y, cache = layer.forward(params, x)
    dy = upstream_of(y, rng)
    dx, grads = layer.backward(params, cache, dy)
    expected_y, (expected_dx,), expected_grads = autograd(twin, [x], [0], dy)
    assert_near(y, expected_y, rtol, "y", largest(x) / 10)
    assert_near(dx, expected_dx, max(rtol, torch_error), "dx", largest(dy) / 10)
    assert grads.keys() == expected_grads.keys()
    for name, grad in grads.items():
        assert_near(grad, expected_grads[name], rtol, name)


def check_layer_with_complex_step(
    layer: Module, params: Params, x: Array, rng: np.random.Generator
) -> None:
    """The gradients of x and of each parameter, against the derivative of the layer's forward."""
    y, cache = layer.forward(params, x)
    dy = upstream_of(y, rng)
    dx, grads = layer.backward(params, cache, dy)

    def of_x(moved: Array) -> Array:
        result: Array = dy * layer.forward(params, moved)[0]
        return result

    assert_near(dx, complex_step(of_x, x), STEP_RTOL, "dx", largest(dy))
    assert grads.keys() == params.keys()
    for name, grad in grads.items():

        def of_parameter(moved: Array, name: str = name) -> Array:
            result: Array = dy * layer.forward(params | {name: moved}, x)[0]
            return result

        assert_near(grad, complex_step(of_parameter, params[name]), STEP_RTOL, name)


def check_loss_with_torch(
    loss: Loss,
    twin: torch.nn.Module,
    inputs: Sequence[Array],
    wanted: Sequence[int],
    rng: np.random.Generator,
    floor: float = 0.0,
) -> None:
    """The loss and the gradients of the wanted inputs, against PyTorch's."""
    rtol = RTOL[inputs[0].dtype.name]
    value, cache = loss.forward(*inputs)
    dloss = upstream_of(value, rng)
    expected_value, expected, _ = autograd(twin, inputs, wanted, dloss)
    assert_near(value, expected_value, rtol, "loss", floor)
    actual = gradients_of(loss, cache, dloss)
    for number, ours, theirs in zip(wanted, actual, expected, strict=True):
        assert_near(ours, theirs, rtol, f"gradient of input {number}", floor)


def check_loss_with_complex_step(
    loss: Loss,
    inputs: Sequence[Array],
    wanted: Sequence[int],
    rng: np.random.Generator,
    floor: float = 0.0,
) -> None:
    """The gradients of the wanted inputs, against the derivative of the loss's own forward."""
    value, cache = loss.forward(*inputs)
    dloss = upstream_of(value, rng)
    actual = gradients_of(loss, cache, dloss)
    for number, ours in zip(wanted, actual, strict=True):

        def of_input(moved: Array, number: int = number) -> Array:
            others = [moved if i == number else array for i, array in enumerate(inputs)]
            result: Array = dloss * loss.forward(*others)[0]
            return result

        expected = complex_step(of_input, inputs[number])
        assert_near(ours, expected, STEP_RTOL, f"gradient of input {number}", floor)


def gradients_of(loss: Loss, cache: Any, *dloss: Any) -> tuple[Array, ...]:
    """What ``backward`` gives, always as a tuple."""
    actual = loss.backward(cache, *dloss)
    return actual if isinstance(actual, tuple) else (actual,)


def complex_step(function: Callable[[Array], Array], point: Array) -> Array:
    """The gradient of the sum of a function's entries, from ``Im f(x + ih)/h``."""
    slopes = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        moved = point.astype(np.complex128)
        moved[index] += 1j * STEP
        slopes[index] = np.sum(function(moved).imag) / STEP
    return slopes


def reference_loss(name: str, options: dict[str, Any]) -> Loss:
    """The reference's loss of this name."""
    loss: Loss = getattr(reference_losses, name)(**options)
    return loss
