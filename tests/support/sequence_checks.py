"""Comparing a sequence layer with PyTorch's and with the complex-step derivative of itself.

Inputs, outputs and gradients may be nested tuples, as ``(output, (h_n, c_n))``; they are compared
leaf by leaf. The upstream gradient is random at every leaf of the output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter, methodcaller
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import torch.fx.experimental.symbolic_shapes  # on import adds warnings filters: now, not in a test
from torch import Tensor, nn

from reference import Array, Module, Params

TOLERANCES = {"float32": 1e-5, "float64": 1e-12}
STEP = 1e-30
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def built(build: Callable[[], nn.Module], dtype: str = "float64") -> nn.Module:
    """A PyTorch module; its first weights are drawn without a trace in the global generator."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build().to(getattr(torch, dtype))


def random_params(
    layer: Module, seed: int = 0, dtype: str = "float64", scale: float = 0.6
) -> Params:
    """Parameters of order ``scale``: far from the tiny ones that hide faults."""
    rng = np.random.default_rng(seed)
    shapes = layer.parameter_shapes().items()
    return {name: (scale * rng.standard_normal(shape)).astype(dtype) for name, shape in shapes}


def random_like(structure: Any, rng: np.random.Generator) -> Any:
    """Random numbers of the shape and dtype of each array in ``structure``; None stays None."""
    return mapped(lambda a: rng.standard_normal(a.shape).astype(a.real.dtype), structure)


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply ``function`` to each leaf of nested tuples; None stays None."""
    if isinstance(structure, tuple):
        return tuple(mapped(function, part) for part in structure)
    return None if structure is None else function(structure)


def leaves(structure: Any, path: str) -> dict[str, Any]:
    """Each leaf of nested tuples by its path, such as ``dx[1][0]``; None is left out."""
    if isinstance(structure, tuple):
        found: dict[str, Any] = {}
        for position, part in enumerate(structure):
            found |= leaves(part, f"{path}[{position}]")
        return found
    return {} if structure is None else {path: structure}


def random_upstream(layer: Module, params: Params, inputs: Any, options: Mapping[str, Any]) -> Any:
    """A random gradient at every leaf of the layer's output."""
    return random_like(layer.forward(params, *inputs, **options)[0], np.random.default_rng(99))


def everything(
    layer: Module, params: Params, inputs: Any, upstream: Any, options: Mapping[str, Any]
) -> dict[str, Array]:
    """All that a layer computes: outputs, gradients of the inputs and of the parameters."""
    y, cache = layer.forward(params, *inputs, **options)
    dx, grads = layer.backward(params, cache, upstream)
    return leaves(y, "y") | leaves(dx, "dx") | {f"grad {name}": g for name, g in grads.items()}


def assert_agrees(
    layer: Module,
    theirs: nn.Module,
    params: Params,
    *inputs: Any,
    upstream: Any = None,
    options: Mapping[str, Any] = NO_OPTIONS,
    slack: float = 1.0,
) -> None:
    """Assert that ``layer`` computes what ``theirs`` does, forward and backward.

    Args:
        layer: the layer under test.
        theirs: the PyTorch module; it is given ``params`` under the very same names.
        params: the parameters.
        inputs: arrays or tuples of arrays.
        upstream: the gradient at the output; random at every leaf if None.
        options: for both forwards, such as masks; arrays, which PyTorch is handed as tensors.
        slack: how many times the usual error is allowed, for inputs that magnify rounding.
    """
    if upstream is None:
        upstream = random_upstream(layer, params, inputs, options)
    actual = everything(layer, params, inputs, upstream, options)
    tensors = mapped(lambda a: torch.tensor(a, requires_grad=True), inputs)
    _hand_over(params, theirs)
    expected = _autograd(theirs, tensors, upstream, options)
    dtype = str(next(iter(leaves(inputs, "x").values())).dtype)
    assert_close(actual, expected, slack * TOLERANCES[dtype])


def assert_matches_complex_step(
    layer: Module, params: Params, *inputs: Any, options: Mapping[str, Any] = NO_OPTIONS
) -> None:
    """Assert that ``backward`` is the derivative of ``forward``, along random directions.

    L(v + i h d) has the imaginary part h · ∇L·d up to h², so with h = 1e-30 the directional
    derivative comes out exact to rounding. Each parameter and each input has directions of its own.
    """
    rng = np.random.default_rng(7)
    upstream = random_upstream(layer, params, inputs, options)
    _, cache = layer.forward(params, *inputs, **options)
    dx, grads = layer.backward(params, cache, upstream)
    dx = (dx,) if len(inputs) == 1 else dx

    def loss(params: Params, inputs: Any) -> complex:
        out = leaves(layer.forward(params, *inputs, **options)[0], "y")
        dy = leaves(upstream, "y")
        return complex(sum((out[path] * dy[path]).sum() for path in dy))

    actual, expected = {}, {}
    places = leaves(inputs, "x")
    for name, gradient in (grads | leaves(dx, "x")).items():
        for turn in range(3):
            direction = rng.standard_normal(gradient.shape)
            if name in places:
                step = loss(params, _moved(inputs, "x", name, direction))
            else:
                step = loss(params | {name: params[name] + 1j * STEP * direction}, inputs)
            actual[f"{name} along {turn}"] = np.asarray((gradient * direction).sum())
            expected[f"{name} along {turn}"] = np.asarray(step.imag / STEP)
    # Relative to the largest derivative: a sum whose terms cancel is known no better.
    whole = max(float(np.abs(value)) for value in expected.values())
    assert expected
    assert whole > 0
    assert_close(actual, expected, 1e-12, floor=whole)


def assert_ensemble_is_each(
    layer: Module, *inputs: Any, options: Mapping[str, Any] = NO_OPTIONS
) -> None:
    """Assert that parameters with a leading axis give what each network gives by itself."""
    members = [random_params(layer, seed) for seed in range(3)]
    ensemble = {name: np.stack([member[name] for member in members]) for name in members[0]}
    upstream = random_upstream(layer, ensemble, inputs, options)
    together = everything(layer, ensemble, inputs, upstream, options)
    for k, member in enumerate(members):
        alone = everything(layer, member, inputs, mapped(itemgetter(k), upstream), options)
        assert_close({path: value[k] for path, value in together.items()}, alone, 1e-12)


def assert_keeps_dtype(
    layer: Module, *inputs: Any, options: Mapping[str, Any] = NO_OPTIONS
) -> None:
    """Assert that every number keeps the dtype of the parameters and inputs."""
    for dtype in (np.float32, np.float64, np.longdouble, np.complex128):
        params = {n: v.astype(dtype) for n, v in random_params(layer).items()}
        given = mapped(methodcaller("astype", dtype), inputs)
        y, _ = layer.forward(params, *given, **options)
        found = everything(layer, params, given, y, options)
        wrong = {path: a.dtype for path, a in found.items() if a.dtype != dtype}
        assert not wrong, f"should be {np.dtype(dtype)}: {wrong}"


def assert_close(
    actual: Mapping[str, Array], expected: Mapping[str, Array], rtol: float, floor: float = 0.0
) -> None:
    """Assert equal keys, shapes and dtypes, and values relative to each tensor's largest.

    A tensor that is zero but for rounding is what is left of numbers as large as the largest of
    all, which measures it instead: a softmax over one source is 1, or 1 but for rounding, as the
    processor has it. None is measured by less than ``floor`` or a thousandth of the largest.
    """
    assert actual.keys() == expected.keys()
    whole = max(float(np.abs(value).max()) for value in expected.values())
    for name, should in expected.items():
        value = actual[name]
        assert value.shape == should.shape, f"{name} is {value.shape}, but should be {should.shape}"
        assert value.dtype == should.dtype, f"{name} is {value.dtype}, not {should.dtype}"
        largest = float(np.abs(should).max())
        scale = whole if largest <= rtol * whole else max(largest, 1e-3 * whole, floor)
        error = float(np.abs(value - should).max())
        assert error <= rtol * scale, f"{name}: {error:.3g} apart, allowed {rtol * scale:.3g}"


def _hand_over(params: Params, module: nn.Module) -> None:
    """Copy the parameters into PyTorch's; a shared one has one name there too."""
    theirs = dict(module.named_parameters())
    assert {name: tuple(p.shape) for name, p in theirs.items()} == {
        name: value.shape for name, value in params.items()
    }
    with torch.no_grad():
        for name, parameter in theirs.items():
            parameter.copy_(torch.tensor(params[name]))


def _autograd(
    module: nn.Module, inputs: Any, upstream: Any, options: Mapping[str, Any]
) -> dict[str, Array]:
    """Output and gradients by autograd, named as the layer's own."""
    module.zero_grad()
    y = module(*inputs, **{name: _tensor(value) for name, value in options.items()})
    outputs = leaves(y, "y")
    weighted = [
        (outputs[path] * torch.tensor(dy)).sum() for path, dy in leaves(upstream, "y").items()
    ]
    torch.stack(weighted).sum().backward()  # type: ignore[no-untyped-call]
    dx = mapped(_gradient, inputs)
    found = outputs | leaves(dx if len(dx) > 1 else dx[0], "dx")
    found |= {f"grad {name}": _gradient(p) for name, p in module.named_parameters()}
    return {path: tensor.detach().numpy() for path, tensor in found.items()}


def _gradient(tensor: Tensor) -> Tensor:
    """What autograd found; where the loss does not depend on the tensor it leaves None for zero."""
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def _moved(structure: Any, path: str, name: str, direction: Array) -> Any:
    if isinstance(structure, tuple):
        return tuple(
            _moved(part, f"{path}[{position}]", name, direction)
            for position, part in enumerate(structure)
        )
    return structure + 1j * STEP * direction if path == name else structure


def _tensor(value: Any) -> Tensor | Any:
    return torch.tensor(value) if isinstance(value, np.ndarray) else value
