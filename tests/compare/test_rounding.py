"""Arrays that carry their error: the same numbers, and doubt exactly where there is any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compare import CannotCompare, Verdict, compare
from compare.base.quantities import Array, Observation, Snapshot
from compare.cases.registry import DTYPES, adapt, find
from compare.measure.rounding import Model, Rigorous, Rounded, Statistical, smallest_normal
from compare.measure.tolerances import MULTIPLE, Computed, make
from compare.sides.feed import Feed
from compare.sides.pair import build
from reference import Linear, ReLU, Sigmoid
from tests.support.noise import noise_case

STATISTICAL = Statistical(MULTIPLE)
RIGOROUS = Rigorous(2.0)

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_model = pytest.mark.parametrize("model", [STATISTICAL, RIGOROUS], ids=lambda model: model.name)


def exact(*values: float, dtype: str = "float32", model: Model = STATISTICAL) -> Any:
    return Rounded(np.array(values, dtype), model)


def about(*values: float, error: float, model: Model = STATISTICAL) -> Any:
    return Rounded(np.array(values), model, np.full(len(values), error))


def error_of(array: Any) -> Array:
    return np.zeros(array.shape) if array.error is None else np.asarray(array.error)


# The numbers are those of the plain run.


@each_dtype
@each_model
@pytest.mark.parametrize("name", ["xor", "xor-tanh", "xor-relu", "line", "digits"])
def test_numbers_of_whole_steps_are_bit_for_bit_those_without_errors(
    name: str, dtype: str, model: Model
) -> None:
    case = adapt(find(name), dtype=dtype)
    side, feed = build(case).reference, Feed(case)
    for _, ((x, target),) in zip(range(3), feed.batches(1, side), strict=False):
        start = Snapshot(dict(side.weights()), {})
        plain: Observation = {}
        carrying: Observation = {}
        side.observe(start, x, target, lambda array: array, plain)
        side.observe(start, x, target, Computed(model, 1.0).lift, carrying)
        assert plain.keys() == carrying.keys()
        for quantity, expected in plain.items():
            actual = carrying[quantity]
            assert isinstance(actual, Rounded)
            assert actual.dtype == expected.dtype
            assert actual.value.tobytes() == expected.tobytes(), quantity
        side.step(x, target)


def test_shape_and_dtype_are_those_of_the_numbers() -> None:
    array = Rounded(np.ones((2, 3), np.float32), STATISTICAL)
    assert (array.shape, array.ndim, array.size, len(array)) == ((2, 3), 2, 6, 2)
    assert array.dtype == np.float32
    assert "error" in repr(array)


@pytest.mark.parametrize(
    "move",
    [
        lambda a: a.T,
        lambda a: a[1:, ::-1],
        lambda a: a[..., None, :],
        lambda a: a.reshape(6),
        lambda a: a.reshape((3, 2)),
        lambda a: a.swapaxes(0, 1),
        lambda a: a.transpose(1, 0),
        lambda a: a[:1].squeeze(0),
        lambda a: a.copy(),
        lambda a: np.concatenate([a, a[:1]]),
        lambda a: np.stack([a, a], axis=-1),
        lambda a: np.pad(a, ((1, 0), (0, 2))),
        lambda a: np.moveaxis(a, 0, 1),
        lambda a: np.broadcast_to(a, (4, 2, 3)),
        lambda a: np.take_along_axis(a, np.array([[2], [0]]), axis=1),
        lambda a: np.lib.stride_tricks.sliding_window_view(a, 2, axis=1),
        lambda a: np.split(a, [1], axis=1)[1],
        lambda a: np.where(np.array([True, False, True]), a, 0),
        lambda a: (-a)[0],
        lambda a: abs(a).T,
    ],
)
def test_errors_move_with_their_numbers(move: Callable[[Any], Any]) -> None:
    numbers = np.arange(1.0, 7.0).reshape(2, 3)
    result = move(Rounded(numbers, STATISTICAL, numbers / 1000))
    assert result.value.tobytes() == move(numbers).tobytes()
    np.testing.assert_array_equal(
        error_of(result), move(abs(numbers) / 1000) * np.sign(result.value)
    )


@pytest.mark.parametrize("move", [lambda a: (-a)[0], lambda a: (+a).T, lambda a: abs(a).reshape(4)])
def test_sign_of_an_exact_array_is_exact_and_can_be_moved(move: Callable[[Any], Any]) -> None:
    result = move(Rounded(np.ones((2, 2)), STATISTICAL))
    assert result.shape == error_of(result).shape
    assert not error_of(result).any()


# What is not known is said.

UNKNOWN: dict[str, tuple[Callable[[Any], Any], str]] = {
    "sinh": (np.sinh, "sinh"),
    "norm": (np.linalg.norm, "norm"),
    "add.at": (lambda a: np.add.at(a, 0, 1.0), r"add\.at"),
    "partition": (lambda a: np.partition(a, 1), "partition"),
    "einsum": (lambda a: np.einsum("i->", a), "einsum"),
    "nanargmax": (np.nanargmax, "nanargmax"),
    "accumulate": (np.add.accumulate, r"add\.accumulate"),
    "product": (np.multiply.reduce, r"multiply\.reduce"),
    "outer": (lambda a: np.multiply.outer(a, a), r"multiply\.outer"),
    "remainder": (lambda a: a % 2, "remainder"),
    "where with one argument": (lambda a: np.where(a > 0), "where"),
    "sum of some": (lambda a: np.sum(a, where=a.value > 0), "sum"),
    "sum in another dtype": (lambda a: np.sum(a, dtype=np.float64), "sum"),
    "written into an array": (lambda a: np.add(a, a, out=np.zeros(2)), "add"),
    "method": (lambda a: a.cumprod(), r"ndarray\.cumprod"),
    "sums in another dtype": (lambda a: np.cumsum(a, dtype=np.float64), "cumsum in another dtype"),
    "sorted by name": (lambda a: np.sort(a, kind="stable"), "sort with"),
    "other dtype": (lambda a: a.astype(np.float64), r"ndarray\.astype"),
    "plain array": (np.asarray, "asarray"),
    "plain number": (lambda a: float(a.sum()), "float"),
    "branch": (lambda a: 1 if a.sum() else 0, "truth value"),
    "branch on one entry": (lambda a: 1 if a[:1] else 0, "truth value"),
    "computed index": (lambda a: a[(a * 0 + np.arange(2)) - a > -1.0], "indexing"),
}


@pytest.mark.parametrize(("use", "name"), UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize("array", [exact(1.0, 2.0), about(1.0, 2.0, error=1e-9)])
def test_unknown_operation_is_named(use: Callable[[Any], Any], name: str, array: Rounded) -> None:
    with pytest.raises(CannotCompare, match=f"{name}.* is not known.*--tolerance fixed"):
        use(array)


def test_assignment_is_refused() -> None:
    array = exact(1.0, 2.0)
    with pytest.raises(CannotCompare, match="assignment"):
        array[0] = 1.0
    with pytest.raises(CannotCompare, match="add"):
        array += 1.0


def test_comparison_with_an_unknown_operation_has_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = noise_case(monkeypatch, arguments={"sizes": (3, 4, 2), "activation": "sigmoid"})

    def forward(layer: Sigmoid, params: Any, x: Any) -> Any:
        y = 0.5 + 0.5 * np.sinh(0.5 * x) / np.cosh(0.5 * x)
        return y, y

    monkeypatch.setattr(Sigmoid, "forward", forward)
    with pytest.raises(CannotCompare, match="sinh"):
        compare(case)
    assert compare(case, rtol=1e-9, atol=1e-12).verdict is Verdict.AGREE


# Kinks, zeros and ties.


@each_dtype
@pytest.mark.parametrize("tolerance", ["statistical", "rigorous"])
def test_within_its_error_of_a_corner_either_branch_is_allowed(dtype: str, tolerance: str) -> None:
    """x · w cancels to rounding: the true pre-activation may be of either sign."""
    limits = make(tolerance)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 8)).astype(dtype)
    weight = rng.normal(size=(1, 8)).astype(dtype)
    bias = np.array([-(x.astype(np.float64) @ weight.T.astype(np.float64))[0, 0]], dtype)
    layer, relu = Linear(8, 1), ReLU()
    lifted = {"weight": limits.lift(weight), "bias": limits.lift(bias)}
    before, _ = layer.forward(lifted, limits.lift(x))
    dy = np.full((50, 1), 3, dtype)
    y, cache = relu.forward({}, before)
    dx, _ = relu.backward({}, cache, limits.lift(dy))
    plain, allowed = (limits.split(array, array)[n] for n, array in enumerate((dx, dx)))
    allowed = allowed * limits.multiple
    assert allowed[0, 0] >= 3  # the sample at the corner: 0 and dy are both right
    clear = np.abs(before.value) > 0.1  # type: ignore[attr-defined]
    assert clear.sum() > 30
    assert (allowed[clear] < 1e-3).all()
    assert set(np.unique(plain)) == {0, 3}
    assert (error_of(y) < 1e-3).all()  # ReLU itself is continuous: its output hardly doubts


@each_model
def test_doubt_ends_at_reach_times_the_error(model: Model) -> None:
    error = 1e-6
    near, far = 0.99 * model.reach * error, 1.01 * model.reach * error
    for sign in (1, -1):
        mask = about(sign * near, sign * far, error=error, model=model) > 0
        assert mask.error is not None
        assert mask.error.tolist() == [True, False]


@each_model
def test_exact_zeros_and_ties_carry_no_doubt(model: Model) -> None:
    zeros, ones = exact(0, 0, model=model), exact(1, 1, model=model)
    for mask in (zeros > 0, zeros >= 0, zeros <= 0, zeros == 0, ones > ones, ones == ones.copy()):
        assert mask.error is None
    dx, _ = ReLU().backward({}, ReLU().forward({}, zeros)[1], exact(2, 3, model=model))
    assert not error_of(dx).any()
    weights, bias = exact(0.3, 0.7, model=model), exact(0, model=model)
    before = zeros @ weights + bias[0]
    assert not error_of(before).any()
    assert (before > 0).error is None


@each_model
@pytest.mark.parametrize("function", [np.exp, np.cos])
def test_function_that_is_1_at_an_exact_0_is_exact_there(model: Model, function: Any) -> None:
    found = function(Rounded(np.array([0.0, 1.0]), model))
    assert found.error[0] == 0 < found.error[1]
    doubtful = function(Rounded(np.array([0.0, 0.0]), model, np.array([0.0, 1e-9])))
    assert doubtful.error[0] == 0 < doubtful.error[1]


@each_model
def test_zero_that_rounding_made_is_in_doubt(model: Model) -> None:
    thirds = about(1 / 3, error=1e-17, model=model)
    mask = (thirds - 1 / 3) > 0
    assert mask.error is not None
    assert mask.error.all()


def test_truth_values_combine() -> None:
    doubtful = about(1e-9, 1.0, error=1e-9) > 0
    sure = exact(1.0, -1.0, dtype="float64") > 0
    for combined in (
        doubtful & sure,
        doubtful | sure,
        np.logical_and(sure, doubtful),
        np.logical_or(doubtful, sure),
    ):
        assert combined.error is not None
        assert combined.error.tolist() == [True, False]
    for inverted in (~doubtful, np.logical_not(doubtful)):
        assert inverted.error is not None
        assert inverted.error.tolist() == [True, False]
        assert inverted.value.tolist() == [False, False]
    assert (sure & ~sure).error is None


@each_model
def test_choice_and_product_by_a_doubtful_mask_allow_both_branches(model: Model) -> None:
    mask = about(1e-9, 1.0, error=1e-9, model=model) > 0
    dy = exact(5.0, 5.0, dtype="float64", model=model)
    for chosen in (np.where(mask, dy, 0), np.where(mask, 0, dy), mask * dy, dy * mask):
        reach = model.reach if isinstance(model, Statistical) else 1
        assert error_of(chosen)[0] * reach >= 5 * (1 - 1e-15)
        assert error_of(chosen)[1] < 1e-14


def test_choice_keeps_the_error_of_the_branch_that_is_taken() -> None:
    chosen = np.where(exact(1, -1) > 0, about(1, 1, error=1e-9), about(2, 2, error=1e-3))
    assert error_of(chosen).tolist() == [1e-9, 1e-3]


@each_model
def test_larger_and_smaller_have_the_error_of_the_one_taken_or_in_doubt_the_larger(
    model: Model,
) -> None:
    sure, loose = about(1, 1, 1, error=1e-9, model=model), about(2, 0, 1, error=1e-6, model=model)
    assert error_of(np.maximum(sure, loose)).tolist() == [1e-6, 1e-9, 1e-6]
    assert error_of(np.minimum(sure, loose)).tolist() == [1e-9, 1e-6, 1e-6]
    assert error_of(np.minimum(about(3, -3, error=1e-9, model=model), 0)).tolist() == [0, 1e-9]


# Sums to zero, underflow, overflow.


@each_model
@each_dtype
def test_sum_that_cancels_has_the_error_of_its_terms(model: Model, dtype: str) -> None:
    terms = exact(0.1, 0.7, -0.1, -0.7, dtype=dtype, model=model)
    ones = exact(1, 1, 1, 1, dtype=dtype, model=model)
    eps = float(np.finfo(dtype).eps)
    for total in (terms.sum(), terms @ ones, terms.mean() * 4):
        assert abs(total.value) < 4 * eps
        assert eps / 10 < error_of(total) < 20 * eps


@each_model
def test_difference_of_equal_numbers_is_exact(model: Model) -> None:
    x = exact(0.1, 0.7, model=model)
    assert not error_of(x - x).any()


@each_model
@each_dtype
@pytest.mark.parametrize(
    "compute",
    [
        lambda tiny: tiny * tiny,
        lambda tiny: tiny / (1 / tiny),
        lambda tiny: np.exp(-1 / tiny),
        lambda tiny: np.square(tiny),
        lambda tiny: tiny * 1e-10,
    ],
)
def test_underflow_has_the_error_of_the_smallest_normal_number(
    model: Model, dtype: str, compute: Callable[[Any], Any]
) -> None:
    small = smallest_normal(np.dtype(dtype))
    tiny = exact(3 * small, dtype=dtype, model=model)
    with np.errstate(all="ignore"):
        result = compute(tiny)
    assert abs(result.value) < small
    assert error_of(result) >= small


@each_dtype
@pytest.mark.parametrize("tolerance", ["statistical", "rigorous"])
def test_unit_is_never_below_what_the_dtype_can_tell(dtype: str, tolerance: str) -> None:
    limits = make(tolerance)
    values = np.array([0.0, 1.0, 1e-30], dtype)
    _, units = limits.split(limits.lift(values), values)
    assert (units >= 2.0**-54 if dtype == "float64" else units >= 2.0**-25).all()
    zeros = np.zeros(3, dtype)
    _, units = limits.split(limits.lift(zeros), zeros)
    assert (units >= smallest_normal(np.dtype(dtype))).all()


@each_model
@each_dtype
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x,
        lambda x: x + 1,
        lambda x: x - x,
        lambda x: x * 0,
        lambda x: x / x,
        lambda x: x * x,
        lambda x: np.exp(x),
        lambda x: np.log(abs(x)),
        lambda x: x.sum(),
        lambda x: x.mean(),
        lambda x: x @ x,
        lambda x: x.max(),
        lambda x: np.sqrt(x * x),
        lambda x: np.where(x > 1, x, 0 * x),
    ],
)
def test_what_is_not_finite_never_has_a_finite_unit(
    model: Model, dtype: str, bad: float, compute: Callable[[Any], Any]
) -> None:
    limits = Computed(model, 1.0)
    with np.errstate(all="ignore"):
        result = compute(exact(2.0, bad, dtype=dtype, model=model))
        values, units = limits.split(result, result.value)
    assert not np.isnan(units).any()
    assert not np.isfinite(units[~np.isfinite(values)]).any()


def test_overflow_within_errors_is_in_doubt() -> None:
    """exp is steep: an error of 1 in 700 may be infinite."""
    with np.errstate(all="ignore"):
        result = np.exp(about(709.0, error=1.0))
    assert error_of(result) > 1e308
