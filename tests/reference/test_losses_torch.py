"""Every loss, over its options and reductions, against autograd and against a complex step."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import Array, losses
from tests.support.activation_checks import (
    DTYPES,
    RTOL,
    assert_near,
    autograd,
    check_loss_with_complex_step,
    check_loss_with_torch,
    frozen,
    gradients_of,
    largest,
    reference_loss,
    scattered,
    torch_module,
)
from tests.support.loss_grid import (
    DIFFERENTIABLE,
    REDUCED,
    REDUCTIONS,
    Options,
    draw,
    label,
    shapes_for,
)

each_loss = pytest.mark.parametrize(
    ("name", "options", "inputs"), REDUCED, ids=[label(*entry) for entry in REDUCED]
)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)

#: Deprecated in PyTorch and not mirrored.
DEPRECATED = {"self", "size_average", "reduce"}


def cast(arrays: list[Array], dtype: str) -> list[Array]:
    """In this dtype, all but whole numbers."""
    return [array.astype(dtype) if array.dtype.kind == "f" else array for array in arrays]


def wanted(name: str) -> tuple[int, ...]:
    return DIFFERENTIABLE.get(name, (0,))


def test_all_of_the_package_is_checked() -> None:
    exported = set(losses.__all__) - {"Loss", "HalfSquaredErrorLoss"}
    assert {name for name, _, _ in REDUCED} == exported


@pytest.mark.parametrize("name", sorted({name for name, _, _ in REDUCED}))
def test_arguments_and_defaults_are_those_of_torch(name: str) -> None:
    assert arguments(getattr(losses, name)) == arguments(getattr(torch.nn, name))


def arguments(kind: Any) -> dict[str, Any]:
    """The constructor's arguments, with their defaults."""
    parameters = inspect.signature(kind.__init__).parameters
    return {key: one.default for key, one in parameters.items() if key not in DEPRECATED}


@each_dtype
@each_loss
def test_agrees_with_torch(name: str, options: Options, inputs: str, dtype: str) -> None:
    rng = np.random.default_rng(7)
    loss, twin = reference_loss(name, options), torch_module(name, options, dtype)
    for shape in shapes_for(name, inputs):
        arrays = cast(draw(inputs, rng, shape), dtype)
        for arranged in ([frozen(one) for one in arrays], [scattered(one) for one in arrays]):
            check_loss_with_torch(loss, twin, arranged, wanted(name), rng)


@each_loss
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**32 - 1), choice=st.integers(0, 100))
def test_agrees_with_torch_on_any_inputs(
    name: str, options: Options, inputs: str, seed: int, choice: int
) -> None:
    shapes = shapes_for(name, inputs)
    rng = np.random.default_rng(seed)
    arrays = draw(inputs, rng, shapes[choice % len(shapes)])
    loss, twin = reference_loss(name, options), torch_module(name, options, "float64")
    check_loss_with_torch(loss, twin, arrays, wanted(name), rng)


@each_loss
def test_backward_is_the_derivative_of_forward(name: str, options: Options, inputs: str) -> None:
    rng = np.random.default_rng(11)
    for shape in shapes_for(name, inputs):
        arrays = draw(inputs, rng, shape)
        check_loss_with_complex_step(reference_loss(name, options), arrays, wanted(name), rng)


@each_loss
def test_upstream_gradient_is_by_default_one(name: str, options: Options, inputs: str) -> None:
    rng = np.random.default_rng(13)
    loss = reference_loss(name, options)
    value, cache = loss.forward(*draw(inputs, rng, shapes_for(name, inputs)[-1]))
    ones = gradients_of(loss, cache, np.ones_like(value))
    if np.ndim(value):
        with pytest.raises(ValueError, match=f"^{name}: the loss's gradient has shape"):
            loss.backward(cache)
        return
    for actual, expected in zip(gradients_of(loss, cache), ones, strict=True):
        np.testing.assert_array_equal(actual, expected)


#: With more axes before it, this is no longer the only one that differs.
NOT_OF_AN_ENSEMBLE = "a variance for each column"

#: An ensemble is possible before y's own axes; the target is the same for all.
ENSEMBLES = [entry for entry in REDUCED if entry[2] not in ("triplets", NOT_OF_AN_ENSEMBLE)]


@pytest.mark.parametrize(
    ("name", "options", "inputs"), ENSEMBLES, ids=[label(*entry) for entry in ENSEMBLES]
)
def test_ensemble_has_a_loss_each(name: str, options: Options, inputs: str) -> None:
    rng = np.random.default_rng(17)
    loss = reference_loss(name, options)
    shape = next(one for one in shapes_for(name, inputs) if len(one) == 2 and one[0] > 1)
    members = [draw(inputs, rng, shape) for _ in range(4)]
    stacked = [
        np.stack([member[i] for member in members]) if i in wanted(name) else members[0][i]
        for i in range(len(members[0]))
    ]
    values, cache = loss.forward(*stacked)
    dloss = rng.normal(size=values.shape)
    together = gradients_of(loss, cache, dloss)
    for number in range(4):
        own = [one[number] if i in wanted(name) else one for i, one in enumerate(stacked)]
        value, own_cache = loss.forward(*own)
        np.testing.assert_allclose(values[number], value, rtol=1e-13)
        alone = gradients_of(loss, own_cache, dloss[number])
        for actual, expected in zip(together, alone, strict=True):
            np.testing.assert_allclose(actual[number], expected, rtol=1e-13, atol=1e-15)


@each_loss
def test_extended_precision_is_kept(name: str, options: Options, inputs: str) -> None:
    rng = np.random.default_rng(19)
    loss = reference_loss(name, options)
    arrays = draw(inputs, rng, shapes_for(name, inputs)[-1])
    value, cache = loss.forward(*arrays)
    long_value, long_cache = loss.forward(*cast(arrays, "longdouble"))
    dloss = np.asarray(rng.normal(size=value.shape))
    assert long_value.dtype == np.longdouble
    assert_near(long_value.astype(float), value, 1e-13, "loss")
    actual = gradients_of(loss, long_cache, dloss.astype(np.longdouble))
    for long, short in zip(actual, gradients_of(loss, cache, dloss), strict=True):
        assert long.dtype == np.longdouble
        assert_near(long.astype(float), short, 1e-13, "gradient")


def test_half_squared_error() -> None:
    rng = np.random.default_rng(23)
    loss, y, target = losses.HalfSquaredErrorLoss(), *rng.normal(size=(2, 5, 3))
    value, cache = loss.forward(y, target)
    np.testing.assert_allclose(value, 0.5 * np.sum((y - target) ** 2), rtol=1e-15)
    np.testing.assert_allclose(loss.backward(cache, 3.0), 3 * (y - target), rtol=1e-15)
    check_loss_with_complex_step(loss, [y, target], (0,), rng)


Inputs = list[Any]

#: Corners, ties, saturation, overflow: name, options, inputs as lists.
EDGES: list[tuple[str, Options, Inputs]] = [
    ("L1Loss", {}, [[0.5, -0.5, 0.0, 1e-30], [0.5, 0.0, 0.0, 0.0]]),
    ("SmoothL1Loss", {"beta": 0.5}, [[0.5, -0.5, 0.0, 1e3], [0.0, 0.0, 0.0, 0.0]]),
    ("SmoothL1Loss", {"beta": 0.0}, [[0.5, -0.5, 0.0], [0.0, 0.0, 0.0]]),
    ("HuberLoss", {"delta": 0.5}, [[0.5, -0.5, 0.0, 1e3], [0.0, 0.0, 0.0, 0.0]]),
    ("HuberLoss", {}, [[3e30, -3e30], [0.0, 0.0]]),
    ("SmoothL1Loss", {}, [[3e30, -3e30], [0.0, 0.0]]),
    ("BCELoss", {}, [[0.0, 1.0, 0.0, 1.0, 0.5], [1.0, 0.0, 0.0, 1.0, 1.0]]),
    ("BCELoss", {}, [[1e-30, 1e-30, 1e-13, 1e-13, 1e-11], [1.0, 0.0, 1.0, 0.3, 1.0]]),
    (
        "BCEWithLogitsLoss",
        {},
        [[1e3, -1e3, 1e3, -1e3, 0.0, 1e-30], [1.0, 1.0, 0.0, 0.0, 0.5, 1.0]],
    ),
    ("BCEWithLogitsLoss", {"pos_weight": (3.0,)}, [[1e3, -1e3, 50.0, -50.0], [1.0, 1.0, 1.0, 1.0]]),
    ("BCEWithLogitsLoss", {}, [[1.0, -2.0], [3.0, -1.0]]),
    ("NLLLoss", {}, [[[-1e3, -1e-30, -5.0], [-1.0, -1e3, -1.0]], [0, 1]]),
    ("NLLLoss", {}, [[[-1.0, -np.inf], [-np.inf, 0.0]], [0, 1]]),
    ("NLLLoss", {}, [[[-1.0, -2.0]], [-100]]),
    ("CrossEntropyLoss", {}, [[[1e3, -1e3, 0.0], [-1e3, 1e3, 1e3], [1e-30, 0.0, 0.0]], [1, 0, 2]]),
    ("CrossEntropyLoss", {}, [[[1e3, -1e3, 0.0]], [[0.0, 0.5, 0.5]]]),
    ("CrossEntropyLoss", {}, [[[1.0, -np.inf, 2.0]], [0]]),
    ("CrossEntropyLoss", {}, [[[1.0, 2.0]], [-100]]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, [[[1.0, 2.0]], [-100]]),
    ("CrossEntropyLoss", {"weight": (1.0, 2.0)}, [[[1.0, 2.0]], [-100]]),
    ("CrossEntropyLoss", {}, [[[7.0, 7.0, 7.0]], [1]]),
    ("KLDivLoss", {}, [[-1.0, -1e3, -1e-30, -1.0], [0.0, 0.5, 0.5, 1e-30]]),
    ("KLDivLoss", {"log_target": True}, [[-1.0, -1e3, -1.0], [-1e3, -1.0, 0.0]]),
    ("HingeEmbeddingLoss", {}, [[1.0, 1.0, 1.5, 0.0, -1e3], [-1.0, 1.0, -1.0, -1.0, -1.0]]),
    ("MultiMarginLoss", {}, [[[1.0, 2.0, 0.0], [0.0, 0.0, 1.0], [1e3, -1e3, 0.0]], [1, 2, 1]]),
    ("MultiMarginLoss", {"p": 2}, [[[1.0, 2.0, 0.0], [1e3, -1e3, 0.0]], [1, 1]]),
    ("CosineEmbeddingLoss", {}, [[[1.0, 0.0]], [[0.0, 1.0]], [-1.0]]),
    ("CosineEmbeddingLoss", {}, [[[0.0, 0.0]], [[0.0, 1.0]], [1.0]]),
    ("CosineEmbeddingLoss", {}, [[[0.0, 0.0]], [[0.0, 0.0]], [1.0]]),
    ("CosineEmbeddingLoss", {}, [[[1e3, -1e3]], [[1e3, 1e-30]], [1.0]]),
    ("TripletMarginLoss", {"eps": 0.0}, [[[0.0, 0.0]], [[0.0, 1.0]], [[2.0, 0.0]]]),
    ("TripletMarginLoss", {"eps": 0.0}, [[[0.0, 0.0]], [[0.0, 0.0]], [[0.5, 0.5]]]),
    ("TripletMarginLoss", {"eps": 0.0, "p": 1.0}, [[[0.0, 0.0]], [[0.0, 1.0]], [[0.5, 0.2]]]),
    ("TripletMarginLoss", {"eps": 0.0, "p": 3.0}, [[[0.0, 0.0]], [[0.0, 0.0]], [[0.5, 0.2]]]),
    ("TripletMarginLoss", {"eps": 0.0, "swap": True}, [[[0.0, 0.0]], [[0.0, 1.0]], [[0.5, 0.5]]]),
    ("TripletMarginLoss", {}, [[[1e3, -1e3]], [[1e3, 1e-30]], [[-1e3, 1e3]]]),
    ("PoissonNLLLoss", {}, [[1e3, -1e3, 0.0, 1e-30], [1.0, 2.0, 0.0, 3.0]]),
    ("PoissonNLLLoss", {"full": True}, [[1.0, 1.0, 1.0, 1.0], [1.0, 1.5, 0.0, 1e3]]),
    ("PoissonNLLLoss", {"log_input": False}, [[0.0, 1e-30, 2.0, 1e3], [1.0, 1.0, 0.0, 5.0]]),
    ("GaussianNLLLoss", {}, [[1.0, 1e3, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0], [1e-30, 1.0, 0.0, 1e-6]]),
    ("GaussianNLLLoss", {"eps": 0.5}, [[1.0, 1.0], [0.0, 0.0], [0.5, 0.2]]),
]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@each_dtype
@pytest.mark.parametrize(("name", "options", "inputs"), EDGES)
def test_edges_follow_torch(
    name: str, options: Options, inputs: Inputs, dtype: str, reduction: str
) -> None:
    """The upstream gradient is 1, so that an infinite gradient keeps its sign."""
    options = options | {"reduction": reduction}
    loss, twin = reference_loss(name, options), torch_module(name, options, dtype)
    arrays = cast([np.array(one) for one in inputs], dtype)
    with np.errstate(all="raise", under="ignore"):
        value, cache = loss.forward(*arrays)
        gradients = gradients_of(loss, cache, np.ones_like(value))
    expected_value, expected, _ = autograd(twin, arrays, wanted(name), None)
    np.testing.assert_allclose(value, expected_value, rtol=RTOL[dtype], equal_nan=True)
    for actual, gradient in zip(gradients, expected, strict=True):
        floor = largest(gradient[np.isfinite(gradient)]) * RTOL[dtype]
        np.testing.assert_allclose(actual, gradient, rtol=RTOL[dtype], atol=floor)


def test_clamped_variance_lets_the_gradient_through() -> None:
    rng = np.random.default_rng(29)
    loss = losses.GaussianNLLLoss(eps=0.7)
    y, target = rng.normal(size=(2, 4, 3))
    check_loss_with_complex_step(loss, [y, target, rng.uniform(0.1, 1, (4, 3))], (0, 2), rng)


@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_no_terms_at_all(reduction: str) -> None:
    nothing = np.zeros((0, 3))
    loss, twin = losses.MSELoss(reduction), torch.nn.MSELoss(reduction=reduction)
    value, cache = loss.forward(nothing, nothing)
    expected = twin(torch.tensor(nothing), torch.tensor(nothing)).numpy()
    np.testing.assert_array_equal(value, expected)
    assert loss.backward(cache, np.ones_like(value)).shape == (0, 3)


@pytest.mark.parametrize("kind", [float, int])
def test_one_variance_for_all(kind: type) -> None:
    y, target = np.random.default_rng(31).normal(size=(2, 4, 3))
    loss = losses.GaussianNLLLoss()
    value, cache = loss.forward(y, target, kind(2))
    expected, expected_cache = loss.forward(y, target, np.full((4, 3), 2.0))
    np.testing.assert_allclose(value, expected, rtol=1e-15)
    (dy, dvar), (expected_dy, each) = loss.backward(cache), loss.backward(expected_cache)
    np.testing.assert_array_equal(dy, expected_dy)
    np.testing.assert_allclose(dvar, each.sum(), rtol=1e-13)
    assert dvar.shape == ()
    assert loss.forward(y.astype("float32"), target.astype("float32"), kind(2))[0].dtype == "f4"


@pytest.mark.parametrize(
    ("name", "options", "inputs", "needed"),
    [
        ("MSELoss", {}, [(4, 1), (4,)], "same shape"),
        ("L1Loss", {}, [(4,), (4, 1)], "same shape"),
        ("SmoothL1Loss", {}, [(4, 2), (2,)], "same shape"),
        ("HuberLoss", {}, [(4, 2), ()], "same shape"),
        ("BCEWithLogitsLoss", {}, [(4, 2), (4, 1)], "same shape"),
        ("KLDivLoss", {}, [(4, 2), (1, 2)], "same shape"),
        ("PoissonNLLLoss", {}, [(1, 2), (2, 2)], "same shape"),
        ("GaussianNLLLoss", {}, [(4, 2), (4, 1), (4, 2)], "same shape"),
        ("GaussianNLLLoss", {}, [(4, 2), (4, 2), (2,)], "variance's shape"),
        ("GaussianNLLLoss", {}, [(4, 2), (4, 2), (1, 1)], "variance's shape"),
        ("BCEWithLogitsLoss", {"weight": (1.0, 2.0, 3.0)}, [(4, 2), (4, 2)], "weight's shape"),
        ("BCEWithLogitsLoss", {"pos_weight": (1.0, 2.0, 3.0)}, [(2,), (2,)], "pos_weight's shape"),
        ("CosineEmbeddingLoss", {}, [(4, 2), (4, 3), (4,)], "b's shape"),
        ("CosineEmbeddingLoss", {}, [(4, 2), (4, 2), (2,)], "target's shape"),
        ("TripletMarginLoss", {}, [(4, 2), (4, 2), (1, 2)], "negative's shape"),
        ("MSELoss", {}, [(0, 2), (0, 2)], "number of terms"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    name: str, options: Options, inputs: list[Any], needed: str
) -> None:
    with pytest.raises(ValueError, match=f"^{name}: .*{needed}"):
        reference_loss(name, options).forward(*(np.ones(shape) for shape in inputs))


@pytest.mark.parametrize(
    ("name", "options", "y", "target", "needed"),
    [
        ("NLLLoss", {}, (2, 3), [0, 3], "is 3, but should be between 0 and 2"),
        ("NLLLoss", {}, (2, 3), [-1, 0], "is -1, but should be between 0 and 2"),
        ("NLLLoss", {}, (2, 3), [0.0, 1.0], "dtype is float64"),
        ("NLLLoss", {}, (2, 3), [0, 1, 2], "target's shape is"),
        ("NLLLoss", {}, (3,), [1], "y's shape is"),
        ("NLLLoss", {}, (2, 3), 1, "y's shape is"),
        ("NLLLoss", {"weight": (1.0, 2.0)}, (2, 3), [0, 1], "weight's shape is"),
        ("CrossEntropyLoss", {}, (2, 3), [0, 7], "is 7, but should be between 0 and 2"),
        ("CrossEntropyLoss", {}, (2, 3), [[0, 1, 2], [0, 1, 2]], "y's shape is"),
        ("CrossEntropyLoss", {}, (2, 3), [0.5, 0.5], "y's shape is|same shape"),
        ("CrossEntropyLoss", {}, (2, 2), [[0.5], [0.5]], "same shape"),
        ("CrossEntropyLoss", {"ignore_index": 0}, (1, 2), [[0.5, 0.5]], "ignore_index is 0"),
        ("MultiMarginLoss", {}, (2, 3), [0, 3], "is 3, but should be between 0 and 2"),
        ("MultiMarginLoss", {}, (2, 3), [[0], [1]], "target's shape is"),
        ("BCELoss", {}, (2,), [0.5, 1.5], "target is 1.5, but should be between 0 and 1"),
        ("HingeEmbeddingLoss", {}, (2,), [1.0, 0.0], "is 0.0, but should be 1 or −1"),
    ],
)
def test_targets_that_do_not_fit_are_refused(
    name: str, options: Options, y: tuple[int, ...], target: Any, needed: str
) -> None:
    with pytest.raises(ValueError, match=f"^{name}: .*({needed})"):
        reference_loss(name, options).forward(np.full(y, 0.5), np.array(target))


@pytest.mark.parametrize(
    ("name", "inputs", "needed"),
    [
        ("BCELoss", [[1.5], [1.0]], "y is 1.5, but should be between 0 and 1"),
        ("BCELoss", [[np.nan], [1.0]], "y is nan"),
        ("GaussianNLLLoss", [[1.0], [1.0], [-0.5]], "lowest variance is -0.5"),
        ("PoissonNLLLoss", [[-1.0], [1.0]], "lowest rate y is -1.0"),
        ("PoissonNLLLoss", [[-1e-8], [1.0]], "lowest rate y is -1e-08"),
        ("CosineEmbeddingLoss", [[[1.0]], [[1.0]], [0.5]], "is 0.5, but should be 1 or −1"),
    ],
)
def test_values_out_of_range_are_refused(name: str, inputs: Inputs, needed: str) -> None:
    options = {"log_input": False} if name == "PoissonNLLLoss" else {}
    with pytest.raises(ValueError, match=f"^{name}: .*{needed}"):
        reference_loss(name, options).forward(*map(np.array, inputs))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MSELoss", {"reduction": "batchmean"}),
        ("KLDivLoss", {"reduction": "average"}),
        ("SmoothL1Loss", {"beta": -0.1}),
        ("HuberLoss", {"delta": 0.0}),
        ("CrossEntropyLoss", {"label_smoothing": 1.5}),
        ("MultiMarginLoss", {"p": 3}),
        ("TripletMarginLoss", {"margin": 0.0}),
        ("TripletMarginLoss", {"p": 0.5}),
        ("TripletMarginLoss", {"p": float("inf")}),
    ],
)
def test_options_out_of_range_are_refused(name: str, options: Options) -> None:
    with pytest.raises(ValueError, match=f"^{name}: .* but should be "):
        reference_loss(name, options)
