"""The encoder layer, residual connections and tied parameters against PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reference import Array, BatchNorm1d, Linear, Module, Params, Sequential, Tanh
from reference.attention import causal_mask
from reference.layers.residual import Residual
from reference.layers.transformer import TransformerEncoderLayer
from reference.support.tied import Tied
from tests.support.sequence_checks import (
    assert_agrees,
    assert_ensemble_is_each,
    assert_keeps_dtype,
    assert_matches_complex_step,
    built,
    random_params,
)

L, N, E, HEADS, WIDTH = 4, 3, 6, 2, 5
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])
forms = pytest.mark.parametrize("norm_first", [False, True])
activations = pytest.mark.parametrize("activation", ["relu", "gelu"])


def numbers(*shape: int, dtype: str = "float64") -> Array:
    return np.random.default_rng(shape).standard_normal(shape).astype(dtype)


def both(
    dtype: str = "float64", dropout: float = 0.0, **build: Any
) -> tuple[TransformerEncoderLayer, nn.Module]:
    layer = TransformerEncoderLayer(E, HEADS, WIDTH, dropout, **build)
    theirs = built(lambda: nn.TransformerEncoderLayer(E, HEADS, WIDTH, dropout, **build), dtype)
    return layer, theirs


PADDING = np.arange(L)[None] >= [[2], [4], [3]]
MASKS: dict[str, Callable[[str], dict[str, Any]]] = {
    "none": lambda dtype: {},
    "bool": lambda dtype: {"src_mask": causal_mask(L)},
    "numbers": lambda dtype: {"src_mask": numbers(L, L, dtype=dtype)},
    "by head": lambda dtype: {"src_mask": numbers(N * HEADS, L, L, dtype=dtype)},
    "causal": lambda dtype: {"src_mask": causal_mask(L), "is_causal": True},
    "padding": lambda dtype: {"src_key_padding_mask": PADDING},
    "both": lambda dtype: {"src_mask": causal_mask(L), "src_key_padding_mask": PADDING},
}
masks = pytest.mark.parametrize("options", MASKS.values(), ids=MASKS)


class TestTransformerEncoderLayer:
    @dtypes
    @forms
    @activations
    @pytest.mark.parametrize("batch_first", [False, True])
    @pytest.mark.parametrize("bias", [False, True])
    @pytest.mark.parametrize(("length", "samples"), [(1, 1), (1, 3), (4, 1), (4, 3)])
    def test_agrees_with_pytorch(
        self,
        dtype: str,
        norm_first: bool,
        activation: str,
        batch_first: bool,
        bias: bool,
        length: int,
        samples: int,
    ) -> None:
        layer, theirs = both(
            dtype,
            norm_first=norm_first,
            activation=activation,
            batch_first=batch_first,
            bias=bias,
        )
        shape = (samples, length, E) if batch_first else (length, samples, E)
        params = random_params(layer, dtype=dtype)
        assert_agrees(layer, theirs, params, numbers(*shape, dtype=dtype), slack=3)

    @dtypes
    @forms
    @masks
    def test_masks_agree_with_pytorch(
        self, dtype: str, norm_first: bool, options: Callable[[str], dict[str, Any]]
    ) -> None:
        layer, theirs = both(dtype, norm_first=norm_first, layer_norm_eps=1e-3)
        params = random_params(layer, dtype=dtype)
        x = numbers(L, N, E, dtype=dtype)
        assert_agrees(layer, theirs, params, x, options=options(dtype), slack=3)

    @forms
    @activations
    @masks
    def test_backward_is_the_derivative_of_forward(
        self, norm_first: bool, activation: str, options: Callable[[str], dict[str, Any]]
    ) -> None:
        layer, _ = both(norm_first=norm_first, activation=activation)
        assert_matches_complex_step(
            layer, random_params(layer), numbers(L, N, E), options=options("float64")
        )

    def test_defaults_are_pytorchs(self) -> None:
        layer, theirs = TransformerEncoderLayer(E, HEADS), nn.TransformerEncoderLayer(E, HEADS)
        shapes = {name: tuple(one.shape) for name, one in theirs.named_parameters()}
        assert layer.parameter_shapes() == shapes
        assert layer.dropout == layer.self_attn.dropout == theirs.self_attn.dropout == 0.1

    @forms
    @pytest.mark.parametrize("batch_first", [False, True])
    def test_one_sample_alone(self, norm_first: bool, batch_first: bool) -> None:
        layer, theirs = both(norm_first=norm_first, batch_first=batch_first)
        options = {"src_key_padding_mask": PADDING[0], "src_mask": causal_mask(L)}
        assert_agrees(layer, theirs, random_params(layer), numbers(L, E), options=options)
        assert_ensemble_is_each(layer, numbers(L, E), options=options)

    @forms
    @activations
    def test_extreme_inputs(self, norm_first: bool, activation: str) -> None:
        layer, theirs = both(norm_first=norm_first, activation=activation)
        params, x = random_params(layer), numbers(L, N, E)
        # At 1e3 every softmax is saturated: the gradients of queries and keys are what rounding
        # leaves of terms with a query or key and an input, u · 1e3 · 1e3 = 1e-10 at least.
        for factor, slack in ((1e3, 1e4), (1e-30, 1), (0.0, 1)):
            assert_agrees(layer, theirs, params, factor * x, slack=slack)

    @forms
    def test_arrays_that_are_not_contiguous(self, norm_first: bool) -> None:
        layer, theirs = both(norm_first=norm_first)
        params = {n: np.asfortranarray(value) for n, value in random_params(layer).items()}
        x = numbers(E, N, 2 * L).T[::2]
        assert not x.flags.c_contiguous
        assert_agrees(layer, theirs, params, x)

    @forms
    @masks
    def test_ensemble(self, norm_first: bool, options: Callable[[str], dict[str, Any]]) -> None:
        layer, _ = both(norm_first=norm_first, activation="gelu")
        assert_ensemble_is_each(layer, numbers(L, N, E), options=options("float64"))

    @forms
    def test_keeps_the_dtype(self, norm_first: bool) -> None:
        layer, _ = both(norm_first=norm_first)
        assert_keeps_dtype(layer, numbers(L, N, E), options=MASKS["both"]("float64"))

    @pytest.mark.parametrize("bias", [False, True])
    def test_parameters_are_pytorchs(self, bias: bool) -> None:
        layer, theirs = both(bias=bias)
        expected = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
        assert list(layer.parameter_shapes().items()) == list(expected.items())

    def test_init_draws_from_pytorchs_distribution(self) -> None:
        theirs = built(lambda: nn.TransformerEncoderLayer(40, 4, 60))
        drawn = TransformerEncoderLayer(40, 4, 60).init(np.random.default_rng(0))
        for name, value in theirs.state_dict().items():
            assert drawn[name].min() == pytest.approx(value.min().item(), rel=0.15)
            assert drawn[name].max() == pytest.approx(value.max().item(), rel=0.15)
            assert drawn[name].mean() == pytest.approx(value.mean().item(), abs=0.03)

    def test_dropout_is_refused_in_training_only(self) -> None:
        layer, theirs = both(dropout=0.1)
        params, x = random_params(layer), numbers(L, N, E)
        with pytest.raises(ValueError, match=r"TransformerEncoderLayer: dropout=0\.1"):
            layer.forward(params, x)
        assert_agrees(layer.train(False), theirs.eval(), params, x)

    @pytest.mark.parametrize(
        ("x", "options", "message"),
        [
            (np.zeros((L, N, 5)), {}, r"src is \(4, 3, 5\), but should be \(L, N, 6\)"),
            (np.zeros(E), {}, r"src is \(6,\)"),
            (np.zeros((L, N, E), int), {}, "src's dtype is int64"),
            (np.zeros((L, N, E)), {"src_mask": np.zeros((3, 4))}, r"attn_mask is \(3, 4\)"),
            (np.zeros((L, N, E)), {"is_causal": True}, "needs the causal mask"),
        ],
    )
    def test_refuses_inputs(self, x: Array, options: dict[str, Any], message: str) -> None:
        layer, _ = both()
        with pytest.raises(ValueError, match=message):
            layer.forward(random_params(layer), x, **options)

    def test_refuses_an_unknown_activation(self) -> None:
        with pytest.raises(ValueError, match="activation is 'tanh', but should be one of"):
            TransformerEncoderLayer(E, HEADS, activation="tanh")


class TheirResidual(nn.Module):
    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.module(x)
        return out


class TestResidual:
    @dtypes
    def test_agrees_with_pytorch(self, dtype: str) -> None:
        layer = Sequential(Residual(Sequential(Linear(4, 6), Tanh(), Linear(6, 4))), Linear(4, 3))
        theirs = built(
            lambda: nn.Sequential(
                TheirResidual(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 4))),
                nn.Linear(4, 3),
            ),
            dtype,
        )
        params = random_params(layer, dtype=dtype)
        assert_agrees(layer, theirs, params, numbers(5, 4, dtype=dtype))

    def test_backward_is_the_derivative_of_forward(self) -> None:
        layer = Residual(Residual(Sequential(Linear(4, 4), Tanh())))
        assert_matches_complex_step(layer, random_params(layer), numbers(5, 4))
        assert_ensemble_is_each(layer, numbers(5, 4))

    def test_around_a_layer_with_options(self) -> None:
        encoder, _ = both()
        assert_matches_complex_step(
            Residual(encoder),
            random_params(Residual(encoder)),
            numbers(L, N, E),
            options={"src_mask": causal_mask(L)},
        )

    def test_running_statistics_are_kept(self) -> None:
        layer = Residual(Sequential(Linear(4, 4), BatchNorm1d(4)))
        theirs = built(lambda: TheirResidual(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))))
        params = {name: one.numpy().copy() for name, one in theirs.state_dict().items()}
        y, cache = layer.forward(params, numbers(5, 4))
        kept = layer.buffers(params, cache)
        np.testing.assert_allclose(y, theirs(torch.tensor(numbers(5, 4))).detach(), rtol=1e-12)
        assert set(kept) == set(layer.buffer_shapes())
        for name, value in kept.items():
            np.testing.assert_allclose(value, theirs.state_dict()[name], rtol=1e-12)

    def test_hands_options_on(self) -> None:
        encoder, _ = both()
        around = Residual(encoder)
        params = random_params(around)
        x, mask = numbers(L, N, E), causal_mask(L)
        own = {name.removeprefix("module."): value for name, value in params.items()}
        expected, _ = encoder.forward(own, x, src_mask=mask)
        np.testing.assert_array_equal(around.forward(params, x, src_mask=mask)[0], x + expected)

    def test_refuses_a_module_that_changes_the_shape(self) -> None:
        layer = Residual(Linear(4, 1))
        with pytest.raises(ValueError, match=r"Linear turns \(5, 4\) into \(5, 1\)"):
            layer.forward(random_params(layer), numbers(5, 4))


def their_tied() -> nn.Module:
    module = nn.Sequential(
        nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4, bias=False)
    )
    module[2].weight = module[4].weight = module[0].weight
    module[2].bias = module[0].bias
    return module


def tied_pair(dtype: str = "float64") -> tuple[Tied, nn.Module]:
    """A weight used three times and a bias used twice."""
    layer = Tied(
        Sequential(Linear(4, 4), Tanh(), Linear(4, 4), Tanh(), Linear(4, 4, bias=False)),
        {"2.weight": "0.weight", "4.weight": "0.weight", "2.bias": "0.bias"},
    )
    return layer, built(their_tied, dtype)


class TestTied:
    @dtypes
    def test_agrees_with_pytorch(self, dtype: str) -> None:
        layer, theirs = tied_pair(dtype)
        params = random_params(layer, dtype=dtype)
        assert_agrees(layer, theirs, params, numbers(5, 4, dtype=dtype))

    def test_backward_is_the_derivative_of_forward(self) -> None:
        layer, _ = tied_pair()
        assert_matches_complex_step(layer, random_params(layer), numbers(5, 4))
        assert_ensemble_is_each(layer, numbers(5, 4))

    def test_names_only_what_is_its_own(self) -> None:
        layer, _ = tied_pair()
        assert [*layer.parameter_shapes()] == ["0.weight", "0.bias"]
        assert [*layer.init(np.random.default_rng(0))] == ["0.weight", "0.bias"]

    def test_children_are_the_modules(self) -> None:
        layer, _ = tied_pair()
        assert [*layer.children()] == ["0", "1", "2", "3", "4"]
        params, x = random_params(layer), numbers(5, 4)
        twin = layer.with_children({"1": Residual(Tanh())})
        assert not np.array_equal(twin.forward(params, x)[0], layer.forward(params, x)[0])
        assert isinstance(layer.children()["1"], Tanh)

    def test_train_reaches_the_module_itself(self) -> None:
        encoder = TransformerEncoderLayer(E, HEADS, WIDTH, dropout=0.5)
        layer = Tied(encoder, {"norm2.weight": "norm1.weight"}).train(False)
        layer.forward(random_params(layer), numbers(L, N, E))
        with pytest.raises(ValueError, match="dropout"):
            layer.train().forward(random_params(layer), numbers(L, N, E))
        assert layer.training
        assert not layer.train(False).training

    def test_running_statistics_are_kept(self) -> None:
        inner = Sequential(BatchNorm1d(4), BatchNorm1d(4))
        layer = Tied(inner, {"1.weight": "0.weight"})
        params = layer.init(np.random.default_rng(0))
        all_of_it = params | {"1.weight": params["0.weight"]}
        expected = inner.buffers(all_of_it, inner.forward(all_of_it, numbers(5, 4))[1])
        kept = layer.buffers(params, layer.forward(params, numbers(5, 4))[1])
        assert set(kept) == set(expected) == set(layer.buffer_shapes())
        assert all(np.array_equal(kept[name], value) for name, value in expected.items())

    def test_a_single_layer_with_buffers(self) -> None:
        layer = Tied(BatchNorm1d(4), {})
        assert layer.buffer_shapes() == BatchNorm1d(4).buffer_shapes()

    def test_hands_options_on(self) -> None:
        encoder, _ = both()
        layer = Tied(encoder, {"norm2.weight": "norm1.weight"})
        params, x, mask = random_params(layer), numbers(L, N, E), causal_mask(L)
        all_of_it = params | {"norm2.weight": params["norm1.weight"]}
        expected, _ = encoder.forward(all_of_it, x, src_mask=mask)
        np.testing.assert_array_equal(layer.forward(params, x, src_mask=mask)[0], expected)

    @pytest.mark.parametrize(
        ("ties", "message"),
        [
            ({"1.weight": "3.weight"}, "'1.weight' is tied to '3.weight'"),
            ({"3.weight": "0.weight"}, "both should be among"),
            ({"1.weight": "0.weight"}, r"is \(3, 4\) and '0.weight' is \(4, 4\)"),
            ({"2.bias": "1.bias", "1.bias": "2.bias"}, "not tied itself"),
        ],
    )
    def test_refuses(self, ties: dict[str, str], message: str) -> None:
        with pytest.raises(ValueError, match=f"Tied: .*{message}"):
            Tied(Sequential(Linear(4, 4), Linear(4, 3), Linear(3, 3)), ties)


class _DropsTheSkip(Residual):
    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        dx, grads = super().backward(params, cache, dy)
        return dx - dy, grads


class _Overwrites(Tied):
    def backward(self, params: Params, cache: Any, dy: Any) -> tuple[Any, Params]:
        dx, parts = self.module.backward(self._all(params), cache, dy)
        return dx, {name: parts[name] for name in params}


class _NormsTheSkip(TransformerEncoderLayer):
    def _norm_first_backward(self, params: Params, cache: Any, dy: Array) -> Any:
        dx, grads = super()._norm_first_backward(params, cache, dy)
        return dx - dy, grads


@pytest.mark.parametrize(
    ("wrong", "x"),
    [
        (_DropsTheSkip(Sequential(Linear(6, 6), Tanh())), numbers(5, 6)),
        (_Overwrites(Sequential(Linear(6, 6), Linear(6, 6)), {"1.bias": "0.bias"}), numbers(5, 6)),
        (_NormsTheSkip(E, HEADS, WIDTH, dropout=0, norm_first=True), numbers(L, N, E)),
    ],
)
def test_the_complex_step_check_fails_on_a_wrong_backward(wrong: Module, x: Array) -> None:
    with pytest.raises(AssertionError, match="apart, allowed"):
        assert_matches_complex_step(wrong, random_params(wrong), x)
