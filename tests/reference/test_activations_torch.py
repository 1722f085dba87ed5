"""Every activation, over its options, against autograd and against a complex step."""

from __future__ import annotations

import inspect
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import Array, Module, activations
from reference.support.special import erf
from tests.support.activation_checks import (
    DTYPES,
    autograd,
    check_layer_with_complex_step,
    check_layer_with_torch,
    frozen,
    scattered,
    torch_module,
)
from tests.support.activation_grid import (
    ACTIVATIONS,
    EXTREMES,
    KINKS,
    TORCH_ERRORS,
    Options,
    fits,
    label,
    shapes_for,
)

each_activation = pytest.mark.parametrize(
    ("name", "options"), ACTIVATIONS, ids=[label(*entry) for entry in ACTIVATIONS]
)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)

#: Not mirrored: nothing is done in place, and dtype and device are those of the arrays.
ELSEWHERE = {"self", "inplace", "device", "dtype", "min_value", "max_value", "args", "kwargs"}


def build(name: str, options: Options) -> Module:
    layer: Module = getattr(activations, name)(**options)
    return layer


def test_all_of_the_package_is_checked() -> None:
    exported = set(activations.__all__) - {"ACTIVATIONS"}
    assert {name for name, _ in ACTIVATIONS} == exported


@pytest.mark.parametrize("name", sorted({name for name, _ in ACTIVATIONS}))
def test_arguments_and_defaults_are_those_of_torch(name: str) -> None:
    assert arguments(getattr(activations, name)) == arguments(getattr(torch.nn, name))


def arguments(kind: Any) -> dict[str, Any]:
    """The constructor's arguments, in order, with their defaults."""
    if "__init__" not in {key for one in kind.__mro__[:-2] for key in vars(one)}:
        return {}
    parameters = inspect.signature(kind.__init__).parameters
    return {key: one.default for key, one in parameters.items() if key not in ELSEWHERE}


@each_dtype
@each_activation
def test_agrees_with_torch(name: str, options: Options, dtype: str) -> None:
    rng = np.random.default_rng(7)
    layer, twin = build(name, options), torch_module(name, options, dtype)
    for shape in shapes_for(name, options):
        x = (2 * rng.normal(size=shape)).astype(dtype)
        for arranged in (frozen(x), scattered(x)):
            twin.zero_grad()
            check_layer_with_torch(layer, twin, arranged, rng, TORCH_ERRORS.get(name, 0))


@each_activation
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple),
    spread=st.sampled_from([1e-3, 1.0, 8.0]),
)
def test_agrees_with_torch_on_any_shape(
    name: str, options: Options, seed: int, shape: tuple[int, ...], spread: float
) -> None:
    if not fits(name, options, shape):
        shape = shapes_for(name, options)[seed % len(shapes_for(name, options))]
    rng = np.random.default_rng(seed)
    x = spread * rng.normal(size=shape)
    layer, twin = build(name, options), torch_module(name, options, "float64")
    check_layer_with_torch(layer, twin, x, rng, TORCH_ERRORS.get(name, 0))


@each_activation
def test_backward_is_the_derivative_of_forward(name: str, options: Options) -> None:
    rng = np.random.default_rng(11)
    layer = build(name, options)
    for shape in shapes_for(name, options):
        params = {key: rng.normal(size=s) for key, s in layer.parameter_shapes().items()}
        check_layer_with_complex_step(layer, params, 2 * rng.normal(size=shape), rng)


@each_dtype
@each_activation
def test_extreme_inputs(name: str, options: Options, dtype: str) -> None:
    rng = np.random.default_rng(13)
    layer, twin = build(name, options), torch_module(name, options, dtype)
    if options.get("alpha", 1) < 0:
        return check_that_it_grows(layer)
    for shape in shapes_for(name, options):
        x = rng.choice(EXTREMES, size=shape).astype(dtype)
        with np.errstate(all="raise", under="ignore"):
            check_layer_with_torch(layer, twin, x, rng, TORCH_ERRORS.get(name, 0))
        twin.zero_grad()
    return None


#: Its square and cube overflow in either precision, and so would what a branch not taken computes.
HUGE = {"float64": 1e200, "float32": 1e30}


@each_dtype
@each_activation
def test_huge_inputs(name: str, options: Options, dtype: str) -> None:
    rng = np.random.default_rng(13)
    layer, twin = build(name, options), torch_module(name, options, dtype)
    # The square in a GELU's slope does overflow, and the exponential of a CELU of negative alpha.
    overflows = name == "GELU" or options.get("alpha", 1) < 0
    for shape in shapes_for(name, options):
        x = rng.choice([-HUGE[dtype], HUGE[dtype]], size=shape).astype(dtype)
        with np.errstate(all="ignore" if overflows else "raise", under="ignore"):
            if options.get("approximate") == "tanh":
                assert_that_the_slope_is_unknown(layer, twin, x)
            else:
                check_layer_with_torch(layer, twin, x, rng, TORCH_ERRORS.get(name, 0))
        twin.zero_grad()


def assert_that_the_slope_is_unknown(layer: Module, twin: torch.nn.Module, x: Array) -> None:
    """In PyTorch as here it is 0 times infinity."""
    y, cache = layer.forward({}, x)
    theirs = torch.tensor(x, requires_grad=True)
    twin(theirs).sum().backward()
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    assert theirs.grad is not None
    assert theirs.grad.isnan().all()
    assert np.isnan(layer.backward({}, cache, x)[0]).all()


def check_that_it_grows(layer: Module) -> None:
    """A CELU of negative alpha is an exponential that does overflow; here, before it does."""
    x = np.array([-200.0])
    y, cache = layer.forward({}, x)
    np.testing.assert_allclose(y, -2 * np.expm1(100.0), rtol=1e-14)
    np.testing.assert_allclose(layer.backward({}, cache, x)[0], -200 * np.exp(100.0), rtol=1e-14)


@each_dtype
@pytest.mark.parametrize(
    ("name", "options", "points"), KINKS, ids=[label(name, options) for name, options, _ in KINKS]
)
def test_kinks_follow_torch(name: str, options: Options, points: list[float], dtype: str) -> None:
    rng = np.random.default_rng(17)
    x = np.array(points, dtype)
    layer, twin = build(name, options), torch_module(name, options, dtype)
    check_layer_with_torch(layer, twin, x, rng, TORCH_ERRORS.get(name, 0))


@pytest.mark.parametrize("x", [-2.0, -0.3])
def test_torch_rounds_constants_of_two_gradients(x: float) -> None:
    """Where the two sides differ in float64, it is this; if PyTorch mends it, so must the grid."""
    sixth, alpha = float(np.float32(1 / 6)), 0.4
    inverse = 1 / float(np.float32(alpha))
    assert torch_slope("Hardsigmoid", {}, x) == sixth
    expected = inverse * alpha * np.exp(x * inverse)
    np.testing.assert_allclose(torch_slope("CELU", {"alpha": alpha}, x), expected, rtol=1e-15)


def torch_slope(name: str, options: Options, x: float) -> float:
    _, (dx,), _ = autograd(torch_module(name, options, "float64"), [np.array([x])], [0], None)
    return float(dx[0])


@each_activation
def test_what_is_not_a_number_stays_so(name: str, options: Options) -> None:
    layer = build(name, options)
    x = np.full(shapes_for(name, options)[0], np.nan)
    assert np.isnan(layer.forward(layer.init(np.random.default_rng(0)), x)[0]).all()


@each_activation
def test_extended_precision_is_kept(name: str, options: Options) -> None:
    layer = build(name, options)
    rng = np.random.default_rng(19)
    x = 2 * rng.normal(size=shapes_for(name, options)[-1])
    params = layer.init(rng)
    y, cache = layer.forward(params, x)
    long = {key: value.astype(np.longdouble) for key, value in params.items()}
    long_y, long_cache = layer.forward(long, x.astype(np.longdouble))
    dx, _ = layer.backward(params, cache, y)
    long_dx, _ = layer.backward(long, long_cache, long_y)
    assert long_y.dtype == long_dx.dtype == np.longdouble
    np.testing.assert_allclose(long_y.astype(float), y, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(long_dx.astype(float), dx, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("x", [0.0, 1e-30, 0.3, -1.0, 2.5, 5.0, 6.9, -7.1, 40.0])
def test_extended_erf(x: float) -> None:
    with mpmath.workdps(40):
        expected = np.longdouble(mpmath.nstr(mpmath.erf(mpmath.mpf(x)), 30))
    actual = erf(np.array([x], np.longdouble))
    assert actual.dtype == np.longdouble
    assert abs(actual[0] - expected) <= 8 * np.finfo(np.longdouble).eps * abs(expected)


@pytest.mark.parametrize("x", [0.3, -2.5])
def test_extended_erf_has_a_complex_step(x: float) -> None:
    y = erf(np.array([x + 1e-30j], np.clongdouble))
    assert y.dtype == np.clongdouble
    with mpmath.workdps(40):
        slope = 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(mpmath.mpf(x) ** 2))
    expected = np.longdouble(mpmath.nstr(slope, 30))
    # The slope of e^−x² S is e^−x² (S′ − 2xS), in which all but 1 of S′, at most e^x², cancels.
    allowed = 8 * np.finfo(np.longdouble).eps * np.exp(x * x) * expected
    assert abs(y[0].imag / np.longdouble(1e-30) - expected) <= allowed


def test_softplus_is_a_line_from_the_threshold_on() -> None:
    x = np.array([19.5, 20.0, 20.5, 21.5])
    expected = torch.nn.Softplus()(torch.tensor(x)).numpy()
    np.testing.assert_allclose(activations.Softplus().forward({}, x)[0], expected, rtol=1e-15)
    assert list(expected == x) == [False, False, True, True]


@pytest.mark.parametrize("count", [1, 3])
def test_ensemble_of_prelus(count: int) -> None:
    rng = np.random.default_rng(23)
    layer = activations.PReLU(count)
    weight, x, dy = rng.normal(size=(5, count)), *rng.normal(size=(2, 5, 4, 3, 2))
    y, cache = layer.forward({"weight": weight}, x)
    dx, grads = layer.backward({"weight": weight}, cache, dy)
    for number in range(5):
        own = {"weight": weight[number]}
        own_y, own_cache = layer.forward(own, x[number])
        own_dx, own_grads = layer.backward(own, own_cache, dy[number])
        np.testing.assert_array_equal(y[number], own_y)
        np.testing.assert_array_equal(dx[number], own_dx)
        np.testing.assert_allclose(grads["weight"][number], own_grads["weight"], rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("GLU", {}, (4, 3)),
        ("GLU", {"dim": 2}, (4, 2)),
        ("Softmax", {"dim": 2}, (4, 2)),
        ("LogSoftmax", {"dim": -3}, (4, 2)),
        ("Softmin", {"dim": 1}, (4,)),
        ("PReLU", {"num_parameters": 3}, (4, 2)),
        ("PReLU", {"num_parameters": 3}, (3,)),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    name: str, options: Options, shape: tuple[int, ...]
) -> None:
    layer = build(name, options)
    with pytest.raises(ValueError, match=f"^{name}: ") as caught:
        layer.forward(layer.init(np.random.default_rng(0)), np.zeros(shape))
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("GELU", {"approximate": "erf"}),
        ("Hardtanh", {"min_val": 1.0, "max_val": 1.0}),
        ("Softshrink", {"lambd": -0.5}),
        ("CELU", {"alpha": 0.0}),
    ],
)
def test_options_that_torch_refuses_are_refused(name: str, options: Options) -> None:
    with pytest.raises(ValueError, match=f"^{name}: .* but should be "):
        build(name, options)


@pytest.mark.parametrize("name", ["Sigmoid", "LogSigmoid", "Softplus", "SiLU", "Mish", "ELU"])
def test_small_values_keep_their_digits(name: str) -> None:
    """Where a careless formula gives 0 or the wrong digits, each entry is right on its own."""
    x = np.array(EXTREMES)
    with np.errstate(all="raise", under="ignore"):
        actual, _ = build(name, {}).forward({}, x)
    expected, _, _ = autograd(torch_module(name, {}, "float64"), [x], [0], None)
    np.testing.assert_allclose(actual, expected, rtol=1e-13)
