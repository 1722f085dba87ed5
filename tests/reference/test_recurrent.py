"""RNN, LSTM and GRU against PyTorch's, and against the complex step of themselves."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np
import pytest
from torch import nn

from reference import Array, Params
from reference.recurrent import GRU, LSTM, RNN, Recurrent
from tests.support.sequence_checks import (
    assert_agrees,
    assert_ensemble_is_each,
    assert_keeps_dtype,
    assert_matches_complex_step,
    built,
    leaves,
    mapped,
    random_params,
)

KINDS: dict[str, tuple[Callable[..., Recurrent], Callable[..., nn.Module], dict[str, Any]]] = {
    "tanh": (RNN, nn.RNN, {"nonlinearity": "tanh"}),
    "relu": (RNN, nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (LSTM, nn.LSTM, {}),
    "gru": (GRU, nn.GRU, {}),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "two layers": {"num_layers": 2},
    "both directions": {"bidirectional": True},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "all": {"num_layers": 3, "bidirectional": True, "batch_first": True, "bias": False},
}
INPUT, HIDDEN = 3, 4
kinds = pytest.mark.parametrize("kind", KINDS)


def layers(kind: str, dtype: str = "float64", **options: Any) -> tuple[Recurrent, nn.Module]:
    ours, theirs, own = KINDS[kind]
    module = built(lambda: theirs(INPUT, HIDDEN, **own, **options), dtype)
    return ours(INPUT, HIDDEN, **own, **options), module


def sequence(layer: Recurrent, steps: int, samples: int, dtype: str = "float64") -> Array:
    shape = (samples, steps, INPUT) if layer.batch_first else (steps, samples, INPUT)
    return np.random.default_rng(1).standard_normal(shape).astype(dtype)


def first_state(layer: Recurrent, samples: int, dtype: str = "float64") -> Any:
    rng = np.random.default_rng(2)
    shape = (layer.num_layers * layer.directions, samples, HIDDEN)
    states = tuple(rng.standard_normal(shape).astype(dtype) for _ in range(layer.states))
    return states if layer.states > 1 else states[0]


@kinds
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("steps", "samples"), [(1, 1), (1, 3), (5, 1), (6, 4)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_agrees_with_pytorch(
    kind: str, options: dict[str, Any], steps: int, samples: int, dtype: str
) -> None:
    layer, theirs = layers(kind, dtype, **options)
    params = random_params(layer, dtype=dtype)
    x = sequence(layer, steps, samples, dtype)
    assert_agrees(layer, theirs, params, x, first_state(layer, samples, dtype))
    assert_agrees(layer, theirs, params, x)


@kinds
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("steps", "samples"), [(1, 2), (6, 3)])
def test_backward_is_the_derivative_of_forward(
    kind: str, options: dict[str, Any], steps: int, samples: int
) -> None:
    layer, _ = layers(kind, **options)
    params = random_params(layer)
    x = sequence(layer, steps, samples)
    assert_matches_complex_step(layer, params, x, first_state(layer, samples))
    assert_matches_complex_step(layer, params, x)


@kinds
def test_one_sample_alone(kind: str) -> None:
    layer, theirs = layers(kind, num_layers=2, bidirectional=True, batch_first=True)
    x = np.random.default_rng(3).standard_normal((5, INPUT))
    state = first_state(layer, 1)
    alone = tuple(s[:, 0] for s in state) if layer.states > 1 else state[:, 0]
    assert_agrees(layer, theirs, random_params(layer), x, alone)
    assert_agrees(layer, theirs, random_params(layer), x)


@kinds
@pytest.mark.parametrize("missing", ["output", "states"])
def test_no_gradient_at_one_of_the_outputs(kind: str, missing: str) -> None:
    layer, theirs = layers(kind, num_layers=2)
    rng = np.random.default_rng(4)
    output = rng.standard_normal((5, 2, HIDDEN))
    states = first_state(layer, 2)
    upstream = (None, states) if missing == "output" else (output, None)
    assert_agrees(
        layer, theirs, random_params(layer), sequence(layer, 5, 2), states, upstream=upstream
    )


def test_gradient_at_the_last_cell_alone() -> None:
    layer, theirs = layers("lstm")
    h, c = first_state(layer, 2)
    x = sequence(layer, 5, 2)
    assert_agrees(layer, theirs, random_params(layer), x, (h, c), upstream=(None, (None, c)))


@kinds
def test_arrays_that_are_not_contiguous(kind: str) -> None:
    layer, theirs = layers(kind, bidirectional=True)
    params = {n: np.asfortranarray(value) for n, value in random_params(layer).items()}
    x = np.random.default_rng(5).standard_normal((INPUT, 4, 10)).T[::2]
    assert not x.flags.c_contiguous
    assert_agrees(layer, theirs, params, x)


@kinds
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_inputs(kind: str, dtype: str) -> None:
    layer, theirs = layers(kind, dtype)
    x = sequence(layer, 3, 4, dtype) * np.asarray(1e3, dtype)
    params = random_params(layer, dtype=dtype)
    assert_agrees(layer, theirs, params, x, slack=10)
    assert_agrees(layer, theirs, params, x * np.asarray(1e-33, dtype))
    assert_agrees(layer, theirs, params, np.zeros_like(x))


@kinds
def test_zero_pre_activations_follow_pytorch(kind: str) -> None:
    layer, theirs = layers(kind, bias=False)
    params = random_params(layer)
    assert_agrees(layer, theirs, params, np.zeros((4, 2, INPUT)))


@kinds
@pytest.mark.parametrize("with_start", [False, True])
def test_ensemble(kind: str, with_start: bool) -> None:
    layer, _ = layers(kind, num_layers=2, bidirectional=True)
    start = (first_state(layer, 2),) if with_start else ()
    assert_ensemble_is_each(layer, sequence(layer, 4, 2), *start)


@kinds
@pytest.mark.parametrize("of", ["weights", "x", "weights x", "weights states", "x states"])
def test_leading_axes(kind: str, of: str) -> None:
    """What has no leading axis is the same for all networks."""
    layer, _ = layers(kind, num_layers=2)
    networks = range(3)
    members = [random_params(layer, seed) for seed in networks]
    many = {name: np.stack([member[name] for member in members]) for name in members[0]}
    x, start = sequence(layer, 4, 2), first_state(layer, 2)
    xs = np.stack([x * (1 + k) for k in networks])
    starts = mapped(lambda h: np.stack([h * (1 - k) for k in networks]), start)
    given = (
        many if "weights" in of else members[0],
        xs if "x" in of else x,
        starts if "states" in of else start,
    )
    (y, last), _ = layer.forward(*given)
    for k in networks:
        own = (
            members[k] if "weights" in of else members[0],
            xs[k] if "x" in of else x,
            mapped(itemgetter(k), starts) if "states" in of else start,
        )
        (expected, expected_last), _ = layer.forward(*own)
        np.testing.assert_allclose(y[k], expected, rtol=1e-12)
        for path, state in leaves(expected_last, "h").items():
            np.testing.assert_allclose(leaves(last, "h")[path][k], state, rtol=1e-12)


def test_a_state_for_more_networks_than_there_are() -> None:
    layer = GRU(3, 4)
    with pytest.raises(ValueError, match=r"first state is \(2, 1, 2, 4\), but should be"):
        layer.forward(random_params(layer), np.zeros((5, 2, 3)), np.zeros((2, 1, 2, 4)))


@kinds
def test_one_layer_has_no_place_for_dropout(kind: str) -> None:
    layer, _ = layers(kind)
    same = KINDS[kind][0](INPUT, HIDDEN, dropout=0.5, **KINDS[kind][2])
    params, x = random_params(layer), sequence(layer, 4, 2)
    np.testing.assert_array_equal(
        same.train().forward(params, x)[0][0], layer.forward(params, x)[0][0]
    )


def test_batch_first_is_told_in_a_refusal() -> None:
    layer = LSTM(3, 4, batch_first=True)
    with pytest.raises(ValueError, match=r"\(2, 5, 4\), but should be \(N, T, 3\)"):
        layer.forward(random_params(layer), np.zeros((2, 5, 4)))


@kinds
def test_keeps_the_dtype(kind: str) -> None:
    layer, _ = layers(kind, num_layers=2, bidirectional=True)
    assert_keeps_dtype(layer, sequence(layer, 3, 2), first_state(layer, 2))


@kinds
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_parameters_are_pytorchs(kind: str, options: dict[str, Any]) -> None:
    layer, theirs = layers(kind, **options)
    expected = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert list(layer.parameter_shapes().items()) == list(expected.items())
    drawn = layer.init(np.random.default_rng(0))
    assert {name: value.shape for name, value in drawn.items()} == expected
    assert 0.45 < max(np.abs(value).max() for value in drawn.values()) <= 0.5  # 1/√4


def test_init_fills_its_range() -> None:
    values = np.concatenate([v.ravel() for v in GRU(9, 25).init(np.random.default_rng(0)).values()])
    assert values.min() == pytest.approx(-0.2, rel=0.01)
    assert values.max() == pytest.approx(0.2, rel=0.01)
    assert values.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.05)


def test_a_leaves_its_inputs_alone() -> None:
    layer, _ = layers("lstm", num_layers=2)
    params, x, start = random_params(layer), sequence(layer, 3, 2), first_state(layer, 2)
    arrays = [*params.values(), x, *start]
    before = [array.copy() for array in arrays]
    y, cache = layer.forward(params, x, start)
    layer.backward(params, cache, y)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RNN(0, 4), "RNN: input_size is 0"),
        (lambda: GRU(3, 0), "GRU: hidden_size is 0"),
        (lambda: LSTM(3, 4, num_layers=0), "LSTM: num_layers is 0"),
        (lambda: LSTM(3, 4, dropout=1.5), "LSTM: dropout is 1.5"),
        (lambda: LSTM(3, 4, proj_size=2), "LSTM: proj_size is 2"),
        (lambda: RNN(3, 4, nonlinearity="sin"), "nonlinearity is 'sin', but should be one of"),
    ],
)
def test_refuses_arguments(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("x", "hx", "message"),
    [
        (np.zeros(3), None, r"input is \(3,\), but should be \(T, N, 3\)"),
        (np.zeros((5, 2, 4)), None, r"input is \(5, 2, 4\), but should be \(T, N, 3\)"),
        (np.zeros((0, 2, 3)), None, "at least one step"),
        (
            np.zeros((5, 2, 3), int),
            None,
            "input's dtype is int64, but should be a floating-point type",
        ),
        (np.zeros((5, 2, 3)), (np.zeros((1, 2, 4)),), "tuple of 2 arrays"),
        (np.zeros((5, 2, 3)), np.zeros((1, 2, 4)), "tuple of 2 arrays"),
        (
            np.zeros((5, 2, 3)),
            (np.zeros((1, 2, 4)), np.zeros((1, 3, 4))),
            r"first state is \(1, 3, 4\), but should be \(1, 2, 4\)",
        ),
        (
            np.zeros((5, 3)),
            (np.zeros((1, 1, 4)),) * 2,
            r"first state is \(1, 1, 4\), but should be \(1, 4\)",
        ),
    ],
)
def test_refuses_inputs(x: Array, hx: Any, message: str) -> None:
    layer = LSTM(3, 4)
    with pytest.raises(ValueError, match=f"LSTM: .*{message}"):
        layer.forward(random_params(layer), x, hx)


def test_dropout_is_refused_in_training_only() -> None:
    layer, theirs = layers("gru", num_layers=2, dropout=0.5)
    x = sequence(layer, 3, 2)
    with pytest.raises(ValueError, match=r"GRU: dropout=0\.5"):
        layer.forward(random_params(layer), x)
    assert_agrees(layer.train(False), theirs.eval(), random_params(layer), x)


class _ForgetsLaterSteps(LSTM):
    def scan_backward(self, hh: Params, cache: Any, dy: Array, dend: Any) -> Any:
        no_way_back = {name: np.zeros_like(value) for name, value in hh.items()}
        return super().scan_backward(no_way_back, cache, dy, dend)


class _TransposesTheRecurrentWeight(RNN):
    def scan_backward(self, hh: Params, cache: Any, dy: Array, dend: Any) -> Any:
        turned = {"weight": hh["weight"].swapaxes(-1, -2)}
        return super().scan_backward(turned, cache, dy, dend)


class _SharesTheGradientOfTheCandidate(GRU):
    def scan_backward(self, hh: Params, cache: Any, dy: Array, dend: Any) -> Any:
        dp, _, dstart = super().scan_backward(hh, cache, dy, dend)
        return dp, dp, dstart


class _SlightlyWrong(LSTM):
    def scan_backward(self, hh: Params, cache: Any, dy: Array, dend: Any) -> Any:
        dp, dq, dstart = super().scan_backward(hh, cache, dy, dend)
        return dp, dq * (1 + 1e-10), dstart


@pytest.mark.parametrize(
    ("wrong", "theirs"),
    [
        (_ForgetsLaterSteps, nn.LSTM),
        (_TransposesTheRecurrentWeight, nn.RNN),
        (_SharesTheGradientOfTheCandidate, nn.GRU),
        (_SlightlyWrong, nn.LSTM),
    ],
)
def test_the_checks_fail_on_a_wrong_backward(
    wrong: type[Recurrent], theirs: Callable[..., nn.Module]
) -> None:
    layer = wrong(INPUT, HIDDEN)  # type: ignore[call-arg]
    params, x = random_params(layer), sequence(layer, 5, 2)
    with pytest.raises(AssertionError, match="apart, allowed"):
        assert_agrees(layer, built(lambda: theirs(INPUT, HIDDEN)), params, x)
    with pytest.raises(AssertionError, match="apart, allowed"):
        assert_matches_complex_step(layer, params, x)


def test_the_ensemble_check_fails_where_networks_are_mixed() -> None:
    class Mixed(LSTM):
        def forward(self, params: Params, x: Array, hx: Any = None) -> tuple[Any, Any]:
            turned = {n: v[::-1] if v.ndim > 2 else v for n, v in params.items()}
            return super().forward(turned, x, hx)

    layer = Mixed(INPUT, HIDDEN, bias=False)
    with pytest.raises(AssertionError, match="apart, allowed"):
        assert_ensemble_is_each(layer, sequence(layer, 3, 2))
