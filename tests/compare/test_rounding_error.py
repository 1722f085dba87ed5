"""The errors that arrays carry are those that they have: computed again in a wider dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.base.quantities import Array
from compare.measure.rounding import Rigorous, Rounded, Statistical
from compare.measure.tolerances import MULTIPLE
from reference import MLP, HalfSquaredErrorLoss, MSELoss, Params, gradients
from tests.support.strategies import draw_params
from tests.support.true_values import WIDER, errors, ratios

STATISTICAL = Statistical(MULTIPLE)
RIGOROUS = Rigorous(2.0)

#: What the root mean square of error ÷ standard deviation may be. Accuracy constants are those of
#: the worst argument and long sums are added in blocks, so most errors are smaller than carried.
RMS = (0.02, 1.5)

#: The largest of thousands of such ratios: far below the multiple, which is there for whole steps.
LARGEST = 10.0

each_dtype = pytest.mark.parametrize("dtype", WIDER)

OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "add a third": lambda x, y: x + 1 / 3,
    "times a third": lambda x, y: x * (1 / 3),
    "square": lambda x, y: np.square(x),
    "sqrt": lambda x, y: np.sqrt(abs(x)),
    "power 1.5": lambda x, y: abs(x) ** 1.5,
    "power 1/3": lambda x, y: abs(x) ** (1 / 3),
    "power −2.2": lambda x, y: abs(x) ** -2.2,
    "exp": lambda x, y: np.exp(x),
    "expm1": lambda x, y: np.expm1(x),
    "log": lambda x, y: np.log(abs(x)),
    "log1p": lambda x, y: np.log1p(abs(x)),
    "tanh": lambda x, y: np.tanh(x),
    "sin": lambda x, y: np.sin(x),
    "cos": lambda x, y: np.cos(x),
    "difference of products": lambda x, y: x * x - y * y,
    "exp of a sum": lambda x, y: np.exp(x + y),
    "log of a quotient": lambda x, y: np.log(abs(x / y)),
    "tanh of a product": lambda x, y: np.tanh(x * y),
    "sigmoid": lambda x, y: 1 / (1 + np.exp(-(x * y))),
    "root of a sum": lambda x, y: np.sqrt(x * x + y * y),
    "sine of a sum": lambda x, y: np.sin(x + y),
    "power of a product": lambda x, y: abs(x * y) ** 2.5,
}


@each_dtype
@pytest.mark.parametrize("compute", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_single_operations(compute: Callable[..., Any], dtype: str) -> None:
    rng = np.random.default_rng(0)
    found = ratios(compute, STATISTICAL, *rng.normal(size=(2, 3000)).astype(dtype))
    assert found.max() <= LARGEST
    assert RMS[0] <= np.sqrt(np.mean(found**2)) <= RMS[1]


@each_dtype
@pytest.mark.parametrize("compute", [lambda x: -x, abs, lambda x: x * 1, lambda x: x + 0])
def test_what_rounds_nothing_has_no_error(compute: Callable[[Any], Any], dtype: str) -> None:
    x = np.random.default_rng(0).normal(size=100).astype(dtype)
    assert not ratios(compute, STATISTICAL, x).any()


@each_dtype
@pytest.mark.parametrize("exponent", [1 / 3, 0.7, -0.9])
def test_exponent_that_the_dtype_cannot_hold(exponent: float, dtype: str) -> None:
    """Rounding it moves the power of a very large or small number by many units."""
    rng = np.random.default_rng(0)
    x = np.exp(rng.uniform(-80, 80, 3000)).astype(dtype)
    for model in (STATISTICAL, RIGOROUS):
        found = ratios(lambda x: x**exponent, model, x)
        assert found.max() <= (1 + 1e-6 if model is RIGOROUS else LARGEST / 3)


@each_dtype
def test_bias_may_have_been_added_before_all_products(dtype: str) -> None:
    """As a fused multiply-add does: then each product is rounded at the size of the bias."""
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 200, 1000)).astype(dtype)
    bias = np.array(1e4, dtype)
    total = np.full(200, bias)
    for column in (x * weight).T:
        total = total + column
    for model, largest in ((STATISTICAL, LARGEST), (RIGOROUS, 1.0)):
        lifted = (Rounded(array, model) for array in (x[:, None, :], weight[:, :, None], bias))
        rows, columns, offset = lifted
        result = (rows @ columns + offset).reshape(200)
        assert (np.abs(total - result.value) <= largest * result.error).all()


def _factors(kind: str, n: int, dtype: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(30, n)), rng.normal(size=(n, 20))
    if kind == "one sign":
        x, y = np.abs(x), np.abs(y)
    if kind == "sorted":
        x, y = np.sort(x, axis=1), np.sort(np.abs(y), axis=0)
    return x.astype(dtype), y.astype(dtype)


SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "inner products": lambda x, y: x @ y,
    "sums": lambda x, y: x.sum(axis=1),
    "sums, one after the other": lambda x, y: y.sum(axis=0),
    "means": lambda x, y: x.mean(axis=-1, keepdims=True),
    "squares": lambda x, y: (x * x).sum(axis=(-1,)),
    "product of products": lambda x, y: (x @ y) @ (y.T @ x.T),
    "sum of products": lambda x, y: (x @ y).sum(axis=0),
}


@each_dtype
@pytest.mark.parametrize("n", [2, 30, 1000])
@pytest.mark.parametrize("kind", ["random sign", "one sign", "sorted"])
@pytest.mark.parametrize("compute", SUMS.values(), ids=SUMS.keys())
def test_sums(compute: Callable[[Any, Any], Any], kind: str, n: int, dtype: str) -> None:
    found = ratios(compute, STATISTICAL, *_factors(kind, n, dtype))
    assert found.max() <= LARGEST
    assert RMS[0] <= np.sqrt(np.mean(found**2)) <= RMS[1]


def _network_gradients(case: tuple[MLP, Any], x: Any, target: Any, *values: Any) -> Any:
    network, loss = case
    params = dict(zip(network.parameter_shapes(), values, strict=True))
    value, grads = gradients(network, loss, params, x, target)
    flat = [value.reshape(1), *(grad.reshape(-1) for grad in grads.values())]
    return np.concatenate(flat)


def _drawn(network: MLP, rng: np.random.Generator, dtype: str, size: float) -> list[Array]:
    params: Params = draw_params(network, rng)
    return [(size * value).astype(dtype) for value in params.values()]


@each_dtype
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "identity"])
@pytest.mark.parametrize("loss", [HalfSquaredErrorLoss(), MSELoss()])
@pytest.mark.parametrize("size", [0.1, 1.0, 4.0])
def test_loss_and_gradients_of_networks(
    activation: str, loss: Any, size: float, dtype: str
) -> None:
    rng = np.random.default_rng(3)
    network = MLP((7, 5, 3), activation, "sigmoid")
    x, target = rng.normal(size=(11, 7)).astype(dtype), rng.random((11, 3)).astype(dtype)
    found = ratios(
        lambda *arrays: _network_gradients((network, loss), *arrays),
        STATISTICAL,
        x,
        target,
        *_drawn(network, rng, dtype, size),
    )
    assert found.max() <= LARGEST
    assert RMS[0] <= np.sqrt(np.mean(found**2)) <= RMS[1]


# The rigorous bound holds, always.

numbers = st.one_of(
    st.just(0.0),
    st.sampled_from([1.0, -1.0, 0.1, 1 / 3]),
    st.floats(-2, 2, allow_subnormal=False),
    st.floats(-50, 50, allow_subnormal=False),
).map(lambda number: number if abs(number) > 1e-6 else 0.0)

BOUNDED: dict[str, Callable[[Any, Any], Any]] = {
    "product of products": lambda x, y: (x @ y) @ (y.T @ x.T),
    "means": lambda x, y: x.mean(axis=0) - x.mean(),
    "softmax": lambda x, y: (
        np.exp(x - x.max(axis=-1, keepdims=True))
        / np.exp(x - x.max(axis=-1, keepdims=True)).sum(axis=-1, keepdims=True)
    ),
    "normalised": lambda x, y: (
        (x - x.mean(axis=-1, keepdims=True))
        / np.sqrt(((x - x.mean()) * (x - x.mean())).mean(axis=-1, keepdims=True) + 1e-2)
    ),
    "log of one and more": lambda x, y: np.log(1 + x * x) - np.log1p(x * x),
    "tanh": lambda x, y: np.tanh(x @ y) * (1 - np.tanh(x @ y) * np.tanh(x @ y)),
    "rectified": lambda x, y: np.where((x @ y) > 0, x @ y, 0),
    "slope of the rectified": lambda x, y: np.where((x @ y) > 0, 1.0, 0) * (x @ y + 1),
    "largest": lambda x, y: np.maximum(x @ y, x[:, :1] * 3).max(axis=0),
    "roots": lambda x, y: np.sqrt(x * x + 0.01) ** 1.5 / (1 + abs(x)),
    "waves": lambda x, y: np.sin(x) * np.cos(x * 3) + np.sin(x @ y).sum(),
    "powers": lambda x, y: (1 + abs(x)) ** (1 / 3) - (1 + abs(x)) ** -2.2,
    "expm1": lambda x, y: np.expm1(-abs(x)) * np.exp(-abs(x)),
}


@each_dtype
@pytest.mark.parametrize("compute", BOUNDED.values(), ids=BOUNDED.keys())
@given(values=st.lists(numbers, min_size=24, max_size=24), rows=st.sampled_from([1, 2, 4]))
def test_rigorous_bound_holds_for_every_entry(
    compute: Callable[[Any, Any], Any], dtype: str, values: list[float], rows: int
) -> None:
    flat = np.array(values, dtype)
    x, y = flat[:12].reshape(rows, -1), flat[12:].reshape(-1, rows)
    true, bound, result = errors(compute, RIGOROUS, x, y)
    assert np.isfinite(result.value).all()
    assert (true <= bound * (1 + 1e-6)).all()


@each_dtype
@given(values=st.lists(numbers, min_size=24, max_size=24), rows=st.sampled_from([1, 2, 4]))
def test_rigorous_bound_is_above_the_statistical_one(
    dtype: str, values: list[float], rows: int
) -> None:
    flat = np.array(values, dtype)
    x, y = flat[:12].reshape(rows, -1), flat[12:].reshape(-1, rows)
    for compute in (BOUNDED["product of products"], BOUNDED["softmax"], BOUNDED["tanh"]):
        _, probable, _ = errors(compute, STATISTICAL, x, y)
        _, largest, _ = errors(compute, RIGOROUS, x, y)
        assert (probable <= largest * (1 + 1e-6)).all()
