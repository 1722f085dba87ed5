"""Sums from left to right, orders, and arrays that are made first and written to afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from compare import Verdict
from compare.base.errors import CannotCompare
from compare.measure.rounding import Model, Room, Rounded
from compare.measure.tolerances import make
from compare.results.report import Report
from compare.training.module import compare_module
from compare.twins.modules import register_twin
from reference import Module
from tests.compare.test_rounding import RIGOROUS, STATISTICAL, about, each_model, exact
from torch_impl import eager_optimizers

RNG = np.random.default_rng(11)


def rounded(shape: tuple[int, ...], model: Model) -> Any:
    """Numbers in float32 and their errors, which are those of one rounding each."""
    values = RNG.standard_normal(shape)
    low = values.astype(np.float32)
    return values, Rounded(low, model, np.abs(low - values))


RUNS: dict[str, Callable[[Any], Any]] = {
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "cumsum of all": np.cumsum,
    "cumsum, the method": lambda x: x.cumsum(0),
    "cumprod": lambda x: np.cumprod(x, axis=0),
    "sort": lambda x: np.sort(x, axis=0),
    "sort of all": lambda x: np.sort(x, axis=None),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "put along an axis": lambda x: placed(x),
}


def placed(x: Any) -> Any:
    made = np.zeros_like(x)
    np.put_along_axis(made, np.array([[2], [0], [1]] * 5), x[:, :1], 1)
    return made


@each_model
@pytest.mark.parametrize("name", RUNS)
def test_errors_are_as_large_as_what_rounding_does(name: str, model: Model) -> None:
    """The rigorous bound is never passed; the statistical one by a small factor at most."""
    true, low = rounded((15, 30), model)
    out = RUNS[name](low)
    np.testing.assert_array_equal(out.value, RUNS[name](low.value))
    off = np.abs(out.value - RUNS[name](true))
    assert (off <= (1.0 if model is RIGOROUS else 6.0) * out.error).all()
    if model is STATISTICAL:
        assert np.median(out.error) <= 30 * np.median(off[off > 0])


@each_model
def test_order_is_told_where_rounding_has_no_part_in_it(model: Model) -> None:
    x = about(3.0, 1.0, 2.0, error=1e-5, model=model)
    assert np.argsort(x).tolist() == [1, 2, 0]
    assert [int(np.argmax(x)), int(np.argmin(x))] == [0, 1]
    near = about(3.0, 1.0, 3.00001, error=1e-5, model=model)
    assert np.argmin(near) == 1
    for ask in (np.argsort, np.argmax):
        with pytest.raises(CannotCompare, match="is asked for the order of numbers that are nea"):
            ask(near)
    with pytest.raises(CannotCompare, match="argmin is asked for the order"):
        np.argmin(-near)
    tied = exact(1.0, 1.0, 0.0, model=model)
    assert np.argmax(tied) == 0


def test_sorted_numbers_in_doubt_have_the_largest_error() -> None:
    values, errors = [[3.0, 1.0, 3.0005], [3.0, 1.0, 2.0]], [[1e-5, 1e-9, 1e-5]] * 2
    array: Any = Rounded(np.array(values), STATISTICAL, np.array(errors))
    found: Any = np.sort(array)
    assert found.error.tolist() == [[1e-5] * 3, [1e-9, 1e-5, 1e-5]]


def test_room_is_plain_until_something_is_written() -> None:
    made: Any = np.zeros_like(about(1.0, 2.0, error=1e-9))
    assert type(made).__name__ == Room.__name__
    assert type(made + 0.3) is np.ndarray
    assert type(np.where([True, False], made, 1.0)) is np.ndarray
    plain, unit = make(None).split(made, np.zeros(2))
    assert (plain.tolist(), unit.tolist()) == ([0.0, 0.0], [0.0, 0.0])
    assert type(np.zeros_like(exact(1.0), dtype=int)) is np.ndarray


@pytest.mark.parametrize(
    "view",
    [lambda a: a, lambda a: a.T, lambda a: a[::-1], lambda a: np.swapaxes(a, 0, 1), np.squeeze],
)
def test_what_is_written_is_seen_in_views_made_before(view: Callable[[Any], Any]) -> None:
    made: Any = np.zeros_like(exact(1.0, 2.0, 3.0, 4.0).reshape(2, 2))
    seen = view(made)
    made[0, 1] = about(5.0, error=1e-3)[0]
    assert seen.value.sum() == 5
    assert (seen + 0).error.max() == pytest.approx(1e-3)
    seen[...] = 0.0
    assert (made + 0).error.max() == 0


def test_copies_are_written_to_alone() -> None:
    x = about(1.0, -2.0, error=1e-5)
    twins: list[Any] = [x.copy(), np.copy(x)]
    for twin in twins:
        twin[x < 0] = 0.0
        assert twin.value.tolist() == [1, 0]
        assert twin.error.tolist() == [1e-5, 0]
    assert x.value.tolist() == [1, -2]


def test_written_where_a_mask_is_in_doubt_either_is_right() -> None:
    x = about(1.0, 1e-12, error=1e-9)
    dx = exact(5.0, 5.0).copy()
    dx[x < 0] = 0.0
    assert dx.value.tolist() == [5, 5]
    assert dx.error[0] == 0
    assert dx.error[1] * STATISTICAL.reach >= 5
    with pytest.raises(CannotCompare, match="indexing by a computed array"):
        dx[x < 0] = exact(1.0)


def test_plain_array_that_is_written_to_is_named() -> None:
    made = np.zeros(2)
    with pytest.raises(CannotCompare, match="assignment to entries of a plain array"):
        made[:] = about(1.0, 2.0, error=1e-9)


class Ordered(nn.Module):
    """Partial sums, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.linspace(0.5, -1.5, 6))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(torch.cumsum(x * self.w, -1).sort(-1).values)


class OrderedTwin(Module):
    factor = 1.0

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"w": (6,)}

    def forward(self, params: Any, x: Any) -> Any:
        z = np.cumsum(x * params["w"], -1)
        order = np.argsort(z, -1)
        y = np.take_along_axis(z, order, -1)
        return np.maximum(y, 0), (x, order, y)

    def backward(self, params: Any, cache: Any, dy: Any) -> Any:
        x, order, y = cache
        dy = dy.copy()
        dy[y <= 0] = 0
        dz = np.zeros_like(dy)
        np.put_along_axis(dz, order, self.factor * dy, -1)
        d = np.cumsum(dz[..., ::-1], -1)[..., ::-1]
        return d * params["w"], {"w": (d * x).sum(0)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("tolerance", ["statistical", "rigorous"])
def test_twin_that_sorts_and_writes(
    dtype: str, tolerance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compare.twins.modules._TWINS", {})
    register_twin(Ordered, lambda module: OrderedTwin())
    data = RNG.standard_normal((5, 6)), RNG.standard_normal((5, 6))

    def compared() -> Report:
        module = Ordered().to(getattr(torch, dtype))
        with eager_optimizers():
            rule = torch.optim.SGD(module.parameters(), lr=0.01)
        return compare_module(module, data, nn.MSELoss(), rule, epochs=3, tolerance=tolerance)

    assert compared().verdict is Verdict.AGREE
    monkeypatch.setattr(OrderedTwin, "factor", 1 + 1e-9 if dtype == "float64" else 1.01)
    assert compared().verdict is Verdict.DISAGREE
