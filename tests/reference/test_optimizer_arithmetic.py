"""Update rules and clipping run on arrays of a special kind, as error-carrying ones are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from reference import Params, clip_grad_norm, clip_grad_value, mean_gradients, sum_gradients
from tests.reference.test_optimizers import GRIDS, make
from tests.support.optimizer_checks import Options, draw, draw_grads

UFUNCS = {
    *(np.add, np.subtract, np.multiply, np.divide, np.negative, np.power, np.sqrt, np.absolute),
    *(np.maximum, np.minimum, np.greater, np.less),
}


class Special(NDArrayOperatorsMixin):
    """An array that knows a few operations, and never turns into a plain one.

    ``item`` is for what is a plain number by nature: the scalars of a state.
    """

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)
        self.shape, self.ndim = self.value.shape, self.value.ndim
        self.size, self.dtype = self.value.size, self.value.dtype

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a special array would become a plain one here")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Special:
        if ufunc not in UFUNCS or method != "__call__" or kwargs:
            raise TypeError(f"{ufunc.__name__}.{method} with {sorted(kwargs)} is not on the list")
        return Special(ufunc(*map(plain, args)))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.zeros_like, np.full_like):
            return function(*map(plain, args))
        if function is not np.where or kwargs:
            raise TypeError(f"{function.__name__} is not on the list")
        return Special(np.where(*map(plain, args)))

    def copy(self) -> Special:
        return Special(self.value.copy())

    def item(self) -> Any:
        return self.value.item()

    def sum(self, axis: int) -> Special:
        return Special(self.value.sum(axis=axis))

    def max(self, axis: int) -> Special:
        return Special(self.value.max(axis=axis))

    def reshape(self, shape: tuple[int, ...]) -> Special:
        return Special(self.value.reshape(shape))


def plain(value: Any) -> Any:
    return value.value if isinstance(value, Special) else value


def special(arrays: Params) -> Any:
    return {name: Special(value) for name, value in arrays.items()}


def assert_same(actual: Any, expected: Params) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(plain(actual[name]), value)
        assert plain(actual[name]).dtype == value.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", GRIDS)
def test_update_rules(name: str, dtype: str) -> None:
    for options in GRIDS[name]:
        check(name, options, dtype)


def check(name: str, options: Options, dtype: str) -> None:
    """Three steps, each from the last, on both kinds of array: the same to the last bit."""
    optimizer, rng = make(name, options), np.random.default_rng(0)
    params = draw(rng, dtype)
    state = optimizer.init(params)
    for t in range(3):
        grads = draw_grads(rng, t, dtype)
        held = {key: special(entry) for key, entry in state.items()}
        actual, reached = optimizer.step(special(params), special(grads), held)
        params, state = optimizer.step(params, grads, state)
        assert_same(actual, params)
        assert all(isinstance(value, Special) for value in actual.values())
        assert reached.keys() == state.keys()
        for key, entry in state.items():
            assert_same(reached[key], entry)
            sizes = {k: v for k, v in reached[key].items() if k not in ("step", "eta", "mu")}
            sizes.pop("mu_product", None)
            assert all(isinstance(value, Special) for value in sizes.values())


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("ensemble_axes", [0, 1])
def test_clipping(norm_type: float, ensemble_axes: int) -> None:
    rng = np.random.default_rng(0)
    grads = {"a": rng.normal(size=(3, 4)), "b": rng.normal(size=(3,))}
    actual: Any = clip_grad_norm(special(grads), 1.0, norm_type, ensemble_axes=ensemble_axes)
    clipped, norm = clip_grad_norm(grads, 1.0, norm_type, ensemble_axes=ensemble_axes)
    assert_same(actual[0], clipped)
    assert_same({"norm": actual[1]}, {"norm": np.asarray(norm)})
    assert_same(clip_grad_value(special(grads), 0.3), clip_grad_value(grads, 0.3))


def test_accumulation() -> None:
    rng = np.random.default_rng(0)
    parts = [{"a": rng.normal(size=3)} for _ in range(3)]
    assert_same(sum_gradients(map(special, parts)), sum_gradients(parts))
    sized = [(2 + i, part) for i, part in enumerate(parts)]
    actual = mean_gradients([(size, special(part)) for size, part in sized])
    assert_same(actual, mean_gradients(sized))


def test_special_arrays_refuse_what_is_not_on_the_list() -> None:
    array: Any = Special(np.ones(2))
    for use in (np.exp, np.sign, np.asarray, np.sort):
        with pytest.raises(TypeError, match=r"list|plain"):
            use(array)
