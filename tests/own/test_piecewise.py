"""Losses of straight pieces, compared with their own derivative: right agrees, doubled does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compare import CrossReport, Verdict, crosscheck

RNG = np.random.default_rng(0)
X, UPSTREAM = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 4))
LABELS = RNG.integers(0, 3, 6)

Layer = Callable[[Any], tuple[Any, Any]]


def relu(z: Any) -> tuple[Any, Any]:
    return np.where(z.real > 0, z, 0.0), z > 0


def leaky(z: Any) -> tuple[Any, Any]:
    return np.where(z.real > 0, z, 0.1 * z), np.where(z > 0, 1.0, 0.1)


def clipped(z: Any) -> tuple[Any, Any]:
    inside = np.abs(z.real) < 1
    return np.where(inside, z, np.sign(z.real)), inside


def size(z: Any) -> tuple[Any, Any]:
    return np.where(z.real > 0, z, -z), np.sign(z)


def plain(z: Any) -> tuple[Any, Any]:
    return z, np.ones_like(z)


def layer(of: Layer, factor: float, dtype: str, real: bool) -> CrossReport:
    """A layer under a fixed upstream gradient."""
    rng = np.random.default_rng(1)
    p = {
        "W": rng.standard_normal((3, 4)).astype(dtype),
        "b": rng.standard_normal(4).astype(dtype),
    }
    x, upstream = X.astype(dtype), UPSTREAM.astype(dtype)

    def grads() -> dict[str, Any]:
        d = upstream * of(x @ p["W"] + p["b"])[1]
        return {"W": (x.T @ d * factor).astype(dtype), "b": d.sum(0).astype(dtype)}

    def loss() -> Any:
        found = np.sum(of(x @ p["W"] + p["b"])[0] * upstream)
        return float(np.real(found)) if real else found

    return crosscheck(p, grads=grads, loss=loss)


def hinge(factor: float, real: bool) -> CrossReport:
    """Every wrong class whose score comes within 1 of the right one's costs something."""
    p = {"scores": np.random.default_rng(4).standard_normal((6, 3))}
    rows = np.arange(6)

    def margins() -> Any:
        z = p["scores"] - p["scores"][rows, LABELS][:, None] + 1
        z[rows, LABELS] = 0
        return np.where(z.real > 0, z, 0)

    def grads() -> dict[str, Any]:
        d = (margins() > 0) / 6.0
        d[rows, LABELS] = -d.sum(1)
        return {"scores": factor * d}

    def loss() -> Any:
        return float(margins().real.sum() / 6) if real else margins().sum() / 6

    return crosscheck(p, grads=grads, loss=loss)


each = pytest.mark.parametrize("of", [relu, leaky, clipped, size, plain])
each_way = pytest.mark.parametrize("real", [False, True], ids=["complex", "real"])


@each_way
@each
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_layer_agrees_and_small_errors_would_show(of: Layer, dtype: str, real: bool) -> None:
    report = layer(of, 1.0, dtype, real)
    assert report.agrees, report
    found = [m for s in report.sections for m in s.metrics if m.shape]
    assert max(m.detectable for m in found) < (1e-2 if dtype == "float32" else 1e-9)


@pytest.mark.usefixtures("verdict_alone")
@each_way
@each
@pytest.mark.parametrize("factor", [2.0, 1 + 1e-6])
def test_wrong_layer_disagrees(of: Layer, factor: float, real: bool) -> None:
    assert layer(of, factor, "float64", real).verdict is Verdict.DISAGREE


@pytest.mark.usefixtures("verdict_alone")
@each_way
def test_hinge(real: bool) -> None:
    assert hinge(1.0, real).agrees
    for factor in (2.0, 1 + 1e-6):
        assert hinge(factor, real).verdict is Verdict.DISAGREE


def test_method_that_is_named_is_the_one_that_was_used() -> None:
    assert "(complex step;" in layer(relu, 1.0, "float64", real=False).against
    assert "(central differences;" in layer(relu, 1.0, "float64", real=True).against
