"""One layer of the reference against the layer of PyTorch of the same name, in all respects."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

import reference
from reference.module import Array, Module, Params
from tests.support.strict_array import StrictArray, plain

TOLERANCES = {"float32": 1e-5, "float64": 1e-12}
STEP = 1e-30


def assert_layer(
    theirs: nn.Module,
    ours: Module,
    *inputs: Array,
    dtype: str = "float64",
    training: bool = True,
    seed: int = 0,
    params: Params | None = None,
    unlearned: Params | None = None,
) -> None:
    """Compare outputs, gradients and buffers with autograd's, and gradients with their forward.

    Parameters, buffers and the upstream gradient are random. In float64, the same is computed by
    every other arithmetic of the reference.

    Args:
        theirs: the layer of PyTorch.
        ours: the layer of the reference.
        inputs: of both; floating-point ones are rounded to ``dtype``.
        dtype: float32 or float64.
        training: whether to train or to evaluate.
        seed: of all that is random.
        params: parameters to use in place of random ones.
        unlearned: by parameter, True where the gradient is 0 by decree, whatever forward does.
    """
    rng = np.random.default_rng(seed)
    theirs.to(getattr(torch, dtype)).train(training)
    ours.train(training)
    assert_same_shapes(ours, theirs)
    params = random_params(ours, rng) if params is None else params
    params = {name: strided(cast(value, dtype)) for name, value in params.items()}
    inputs = tuple(strided(cast(x, dtype)) for x in inputs)
    frozen = [value.copy() for value in (*params.values(), *inputs)]

    y, cache = ours.forward(params, *inputs)
    dy = strided(rng.standard_normal(y.shape).astype(dtype))
    dx, grads = ours.backward(params, cache, dy)
    found = collect(y, dx, grads, ours.buffers(params, cache))

    expected = autograd(theirs, ours, params, inputs, dy)
    assert found.keys() == expected.keys(), f"{found.keys()}, but should be {expected.keys()}"
    for name, value in expected.items():
        assert_close(name, found[name], value, TOLERANCES[dtype])
    for before, after in zip(frozen, (*params.values(), *inputs), strict=True):
        np.testing.assert_array_equal(after, before, err_msg="changed in place")
    if dtype == "float64":
        free = {name: ~mask for name, mask in (unlearned or {}).items()}
        assert_gradients_of_forward(ours, params, inputs, dy, dx, grads, free)
        assert_other_arithmetics(ours, params, inputs, dy, found)


def assert_same(
    name: str,
    *inputs: Array,
    training: bool = True,
    params: Params | None = None,
    unlearned: Params | None = None,
    **options: Any,
) -> None:
    """Compare the layers called ``name``, made with the same options, in both precisions."""
    for dtype in TOLERANCES:
        theirs, ours = getattr(nn, name)(**options), getattr(reference, name)(**options)
        assert_layer(
            theirs,
            ours,
            *inputs,
            dtype=dtype,
            training=training,
            params=params,
            unlearned=unlearned,
        )


def assert_same_shapes(ours: Module, theirs: nn.Module) -> None:
    """Same names and shapes of parameters and of buffers, in the same order."""
    drawn = ours.init(np.random.default_rng(0))
    found = {name: value.shape for name, value in drawn.items()}
    assert list(found.items()) == [(n, tuple(v.shape)) for n, v in theirs.state_dict().items()]
    learned = [name for name, _ in theirs.named_parameters()]
    assert list(ours.parameter_shapes()) == learned
    assert ours.parameter_shapes() | ours.buffer_shapes() == found


def random_params(ours: Module, rng: np.random.Generator) -> Params:
    """Parameters and buffers without a special value among them."""
    params = {}
    for name, value in ours.init(rng).items():
        if value.dtype.kind == "i":
            params[name] = value + 3
        elif name.endswith("running_var"):
            params[name] = rng.uniform(0.5, 2, value.shape)
        else:
            params[name] = rng.standard_normal(value.shape)
    return params


def autograd(
    theirs: nn.Module, ours: Module, params: Params, inputs: tuple[Array, ...], dy: Array
) -> dict[str, Array]:
    """What PyTorch computes, by the names of :func:`collect`."""
    state = theirs.state_dict()
    theirs.load_state_dict({name: tensor(params[name]) for name in state})
    theirs.zero_grad()
    tensors = tuple(tensor(x) for x in inputs)
    for x in tensors:
        x.requires_grad_(x.is_floating_point())
    y = theirs(*tensors)
    y.backward(tensor(dy))
    dx = tuple(None if x.grad is None else x.grad.numpy() for x in tensors)
    grads = {n: p.grad.numpy() for n, p in theirs.named_parameters() if p.grad is not None}
    buffers = {name: buffer.numpy() for name, buffer in theirs.named_buffers()}
    return collect(y.detach().numpy(), dx if len(dx) > 1 else dx[0], grads, buffers)


def collect(y: Any, dx: Any, grads: Params, buffers: Params) -> dict[str, Any]:
    """All results under one name each; inputs without a gradient have none."""
    several = dx if isinstance(dx, tuple) else (dx,)
    return {
        "y": y,
        **{f"dx{i}": value for i, value in enumerate(several) if value is not None},
        **{f"gradient {name}": value for name, value in grads.items()},
        **{f"buffer {name}": value for name, value in buffers.items()},
    }


def assert_close(name: str, actual: Any, expected: Any, tolerance: float) -> None:
    """Same shape and dtype; no entry further off than ``tolerance`` of the largest one."""
    assert actual.shape == expected.shape, f"{name}: {actual.shape}, should be {expected.shape}"
    assert actual.dtype == expected.dtype, f"{name}: {actual.dtype}, should be {expected.dtype}"
    if expected.size == 0:
        return
    scale = np.max(np.abs(expected))
    error = np.max(np.abs(actual - expected))
    assert error <= tolerance * scale, f"{name}: off by {error:.3g} where {scale:.3g} is largest"


def assert_gradients_of_forward(
    ours: Module,
    params: Params,
    inputs: tuple[Array, ...],
    dy: Array,
    dx: Any,
    grads: Params,
    free: Params | None = None,
) -> None:
    """Each gradient is that of the layer's own forward, by complex step in a random direction.

    With L = Σ dy · y, L(x + i h v) = L(x) + i h ∂L/∂x · v + O(h²): no difference is taken, so
    h may be so small that nothing but rounding is left of the error.
    """

    rng = np.random.default_rng(1)
    several = dx if isinstance(dx, tuple) else (dx,)
    given = {f"dx{i}": x for i, x in enumerate(inputs)} | params
    gradients = {f"dx{i}": gradient for i, gradient in enumerate(several)} | grads
    for name, gradient in gradients.items():
        if gradient is None:
            continue
        v = rng.standard_normal(given[name].shape) * (free or {}).get(name, 1)
        moved = given | {name: given[name] + 1j * STEP * v}
        y, _ = ours.forward(moved, *(moved[f"dx{i}"] for i in range(len(inputs))))
        found = np.sum(dy * y).imag / STEP
        error, size = abs(found - np.sum(gradient * v)), np.sum(np.abs(gradient * v))
        assert error <= 1e-12 * size, f"{name} is not the forward's: off by {error:.3g}"


def assert_other_arithmetics(
    ours: Module, params: Params, inputs: tuple[Array, ...], dy: Array, expected: dict[str, Array]
) -> None:
    """Extended precision stays extended, and the list of operations is kept."""
    for lift in (extended, strict):
        lifted = {name: lift(value) for name, value in params.items()}
        y, cache = ours.forward(lifted, *map(lift, inputs))
        dx, grads = ours.backward(lifted, cache, lift(dy))
        found = collect(y, dx, grads, ours.buffers(lifted, cache))
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            floating = value.dtype.kind == "f"
            assert type(found[name]) is type(lift(value)), f"{name} is {type(found[name])}"
            assert found[name].dtype == lift(value).dtype, f"{name} is {found[name].dtype}"
            rounded = plain(found[name]).astype(value.dtype)
            assert_close(name, rounded, value, TOLERANCES["float64"] if floating else 0)


def cast(a: Array, dtype: npt.DTypeLike) -> Array:
    """Floating-point arrays in another dtype; others as they are."""
    return a.astype(dtype) if a.dtype.kind == "f" else a


def extended(a: Array) -> Array:
    """Floating-point arrays in extended precision."""
    return cast(a, np.longdouble)


def strict(a: Array) -> Any:
    """Floating-point arrays behind the list of allowed operations."""
    return StrictArray(a) if a.dtype.kind == "f" else a


def strided(a: Array) -> Array:
    """The same numbers, not next to each other in memory."""
    apart: Array = np.stack([a, a], axis=-1)[..., 0]
    return apart


def tensor(a: Array) -> torch.Tensor:
    """The same numbers as a tensor."""
    return torch.tensor(a.copy())


def normal(*shape: int, seed: int = 0) -> Array:
    """Random numbers, the same each time."""
    return np.random.default_rng((seed, *shape)).standard_normal(shape)
