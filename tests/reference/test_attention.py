"""Attention against PyTorch's, and against the complex step of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from reference import Array, Params
from reference.attention import MultiheadAttention, ScaledDotProductAttention, causal_mask
from tests.support.sequence_checks import (
    assert_agrees,
    assert_ensemble_is_each,
    assert_keeps_dtype,
    assert_matches_complex_step,
    built,
    random_params,
)

L, S, N, E, HEADS = 5, 4, 3, 6, 2
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


class TheirFunction(nn.Module):
    """PyTorch's function as a module."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def forward(self, q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        return scaled_dot_product_attention(q, k, v, attn_mask, **self.options)


def numbers(*shape: int, dtype: str = "float64", seed: int = 0) -> Array:
    return np.random.default_rng((seed, *shape)).standard_normal(shape).astype(dtype)


def triple(dtype: str = "float64", length: int = L, source: int = S) -> tuple[Array, Array, Array]:
    query = numbers(2, N, length, E, dtype=dtype)
    key = numbers(2, N, source, E, dtype=dtype, seed=1)
    return query, key, numbers(2, N, source, 4, dtype=dtype)


def some_hidden(*shape: int) -> Array:
    """Truth values, by each query's row neither all true nor all false."""
    hidden = np.random.default_rng(shape).random(shape) < 0.4
    hidden[..., 0], hidden[..., -1] = False, True
    return hidden


MASKS: dict[str, Callable[[str], Array]] = {
    "bool": lambda dtype: ~some_hidden(L, S),
    "bool by head": lambda dtype: ~some_hidden(2, N, L, S),
    "bool by key": lambda dtype: ~some_hidden(2, 1, 1, S),
    "numbers": lambda dtype: 3 * numbers(L, S, dtype=dtype),
    "numbers and infinity": lambda dtype: np.where(
        some_hidden(N, L, S), -np.inf, numbers(N, L, S, dtype=dtype)
    ).astype(dtype),
}


class TestScaledDotProductAttention:
    @dtypes
    @pytest.mark.parametrize("options", [{}, {"scale": 0.8}, {"is_causal": True}])
    @pytest.mark.parametrize(("length", "source"), [(1, 1), (L, S), (S, L), (1, 4), (4, 1), (4, 4)])
    def test_agrees_with_pytorch(
        self, dtype: str, options: dict[str, Any], length: int, source: int
    ) -> None:
        layer = ScaledDotProductAttention(**options)
        inputs = triple(dtype, length, source)
        assert_agrees(layer, TheirFunction(**options), {}, *inputs)

    @pytest.mark.parametrize("options", [{}, {"is_causal": True}])
    @pytest.mark.parametrize("lead", [(), (3,), (2, 1, 3)])
    def test_any_leading_axes(self, lead: tuple[int, ...], options: dict[str, Any]) -> None:
        query, key, value = numbers(*lead, L, E), numbers(*lead, S, E), numbers(*lead, S, 4)
        layer = ScaledDotProductAttention(**options)
        assert_agrees(layer, TheirFunction(**options), {}, query, key, value)

    @pytest.mark.parametrize("wrong", ["query", "key", "value"])
    def test_says_whose_dtype_is_wrong(self, wrong: str) -> None:
        inputs = dict(zip(("query", "key", "value"), triple(), strict=True))
        inputs[wrong] = inputs[wrong].astype(int)
        with pytest.raises(ValueError, match=f"^ScaledDotProductAttention: {wrong}'s dtype is int"):
            ScaledDotProductAttention().forward({}, *inputs.values())

    def test_says_that_the_masks_dtype_is_wrong(self) -> None:
        mask = np.ones((L, S), int)
        with pytest.raises(ValueError, match=r"^ScaledDotProductAttention: .*mask.* int64"):
            ScaledDotProductAttention().forward({}, *triple(), mask)

    @dtypes
    @pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
    def test_masks_agree_with_pytorch(self, dtype: str, mask: Callable[[str], Array]) -> None:
        layer = ScaledDotProductAttention()
        assert_agrees(
            layer, TheirFunction(), {}, *triple(dtype), options={"attn_mask": mask(dtype)}
        )

    @pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
    def test_backward_is_the_derivative_of_forward(self, mask: Callable[[str], Array]) -> None:
        layer = ScaledDotProductAttention(scale=0.7)
        assert_matches_complex_step(layer, {}, *triple(), options={"attn_mask": mask("float64")})

    def test_causal_backward_is_the_derivative_of_forward(self) -> None:
        assert_matches_complex_step(ScaledDotProductAttention(is_causal=True), {}, *triple())

    @dtypes
    def test_a_query_that_sees_nothing(self, dtype: str) -> None:
        mask = np.ones((L, S), bool)
        mask[[0, 3]] = False
        layer = ScaledDotProductAttention()
        y, _ = layer.forward({}, *triple(dtype), mask)
        assert not y[..., [0, 3], :].any()
        assert y[..., [1, 2, 4], :].all()
        assert_agrees(layer, TheirFunction(), {}, *triple(dtype), options={"attn_mask": mask})

    @dtypes
    @pytest.mark.parametrize("masked", [False, True])
    def test_extreme_scores(self, dtype: str, masked: bool) -> None:
        query, key, value = triple(dtype)
        key = key * np.asarray(1e3, dtype)
        mask = {"attn_mask": ~some_hidden(2, N, L, S)} if masked else {}
        assert_agrees(
            ScaledDotProductAttention(),
            TheirFunction(),
            {},
            query,
            key,
            value,
            slack=1e3,
            options=mask,
        )

    def test_a_hidden_score_far_above_all_others(self) -> None:
        query, key, value = triple()
        key = np.where(np.arange(S)[:, None] == 1, 1e3 * key, key)
        assert_agrees(
            ScaledDotProductAttention(),
            TheirFunction(),
            {},
            query,
            key,
            value,
            options={"attn_mask": np.arange(S)[None] != 1},
        )

    def test_ties_and_zeros(self) -> None:
        query, key, value = triple()
        assert_agrees(ScaledDotProductAttention(), TheirFunction(), {}, 0 * query, key, value)
        assert_matches_complex_step(ScaledDotProductAttention(), {}, 0 * query, key, value)

    def test_keeps_the_dtype(self) -> None:
        assert_keeps_dtype(ScaledDotProductAttention(), *triple())
        assert_keeps_dtype(ScaledDotProductAttention(is_causal=True), *triple())
        mask = np.where(some_hidden(L, S), -np.inf, 0.5)
        assert_keeps_dtype(ScaledDotProductAttention(), *triple(), options={"attn_mask": mask})

    @pytest.mark.parametrize(
        ("shapes", "mask", "message"),
        [
            (((5, 6), (4, 5), (4, 6)), None, r"query is \(5, 6\), key \(4, 5\)"),
            (((5, 6), (4, 6), (3, 6)), None, r"value \(3, 6\), but should be"),
            (((5, 6), (4, 6), (4, 6)), np.zeros((5, 5)), r"attn_mask is \(5, 5\)"),
            (((5, 6), (4, 6), (4, 6)), np.zeros((5, 4), int), "mask's dtype is int64"),
        ],
    )
    def test_refuses(self, shapes: Any, mask: Array | None, message: str) -> None:
        query, key, value = (np.zeros(shape) for shape in shapes)
        with pytest.raises(ValueError, match=message):
            ScaledDotProductAttention().forward({}, query, key, value, mask)

    def test_refuses_a_mask_beside_the_causal_one(self) -> None:
        with pytest.raises(ValueError, match="attn_mask given beside is_causal"):
            ScaledDotProductAttention(is_causal=True).forward({}, *triple(), causal_mask(L, S))

    def test_refuses_integers(self) -> None:
        query, key, value = triple()
        with pytest.raises(ValueError, match="ScaledDotProductAttention: key's dtype is int64"):
            ScaledDotProductAttention().forward({}, query, key.astype(int), value)


BUILDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "other widths": {"kdim": 3, "vdim": 5},
    "all": {"bias": False, "batch_first": True, "kdim": 3},
}
builds = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)


def both(dtype: str = "float64", heads: int = HEADS, **build: Any) -> tuple[Any, nn.Module]:
    module = built(lambda: nn.MultiheadAttention(E, heads, **build), dtype)
    return MultiheadAttention(E, heads, **build), module


def inputs_for(
    layer: MultiheadAttention,
    length: int = L,
    source: int = S,
    samples: int = N,
    dtype: str = "float64",
) -> list[Array]:
    shapes = [
        (length, samples, E),
        (source, samples, layer.kdim),
        (source, samples, layer.vdim),
    ]
    arrays = [numbers(*shape, dtype=dtype, seed=seed) for seed, shape in enumerate(shapes)]
    return [a.swapaxes(0, 1).copy() for a in arrays] if layer.batch_first else arrays


HIDES: dict[str, Callable[[str], dict[str, Array]]] = {
    "attn bool": lambda dtype: {"attn_mask": some_hidden(L, S)},
    "attn by head": lambda dtype: {"attn_mask": some_hidden(N * HEADS, L, S)},
    "attn numbers": lambda dtype: {"attn_mask": numbers(L, S, dtype=dtype)},
    "keys bool": lambda dtype: {"key_padding_mask": some_hidden(N, S)},
    "keys numbers": lambda dtype: {"key_padding_mask": numbers(N, S, dtype=dtype)},
    "both bool": lambda dtype: {
        "attn_mask": some_hidden(L, S),
        "key_padding_mask": np.arange(S)[None] == [[3], [2], [3]],
    },
    "both numbers": lambda dtype: {
        "attn_mask": np.where(some_hidden(N * HEADS, L, S), -np.inf, 0.5).astype(dtype),
        "key_padding_mask": numbers(N, S, dtype=dtype),
    },
}


class TestMultiheadAttention:
    @dtypes
    @builds
    @pytest.mark.parametrize("need_weights", [True, False])
    @pytest.mark.parametrize(
        ("length", "source", "samples"), [(1, 1, 1), (L, S, N), (S, L, N), (1, 4, 2), (4, 1, 1)]
    )
    def test_agrees_with_pytorch(
        self,
        dtype: str,
        build: dict[str, Any],
        need_weights: bool,
        length: int,
        source: int,
        samples: int,
    ) -> None:
        layer, theirs = both(dtype, **build)
        inputs = inputs_for(layer, length, source, samples, dtype)
        params = random_params(layer, dtype=dtype)
        assert_agrees(layer, theirs, params, *inputs, options={"need_weights": need_weights})

    @dtypes
    @pytest.mark.parametrize("hides", HIDES.values(), ids=HIDES)
    @pytest.mark.parametrize("need_weights", [True, False])
    @pytest.mark.parametrize("batch_first", [True, False])
    def test_masks_agree_with_pytorch(
        self, dtype: str, hides: Callable[[str], Any], need_weights: bool, batch_first: bool
    ) -> None:
        layer, theirs = both(dtype, batch_first=batch_first)
        inputs = inputs_for(layer, dtype=dtype)
        options = hides(dtype) | {"need_weights": need_weights}
        assert_agrees(layer, theirs, random_params(layer, dtype=dtype), *inputs, options=options)

    @builds
    @pytest.mark.parametrize("averaged", [True, False])
    @pytest.mark.parametrize("heads", [1, 2, 6])
    def test_heads_and_their_weights(
        self, build: dict[str, Any], averaged: bool, heads: int
    ) -> None:
        layer, theirs = both(heads=heads, **build)
        options = {"average_attn_weights": averaged}
        params, inputs = random_params(layer), inputs_for(layer)
        assert_agrees(layer, theirs, params, *inputs, options=options)
        assert_matches_complex_step(layer, params, *inputs, options=options)

    @pytest.mark.parametrize("hides", HIDES.values(), ids=HIDES)
    def test_backward_is_the_derivative_of_forward(self, hides: Callable[[str], Any]) -> None:
        layer, _ = both()
        assert_matches_complex_step(
            layer, random_params(layer), *inputs_for(layer), options=hides("float64")
        )

    @pytest.mark.parametrize("missing", [0, 1])
    def test_no_gradient_at_one_of_the_outputs(self, missing: int) -> None:
        layer, theirs = both()
        upstream = [numbers(L, N, E), numbers(N, L, S)]
        upstream[missing] = None  # type: ignore[call-overload]
        assert_agrees(
            layer, theirs, random_params(layer), *inputs_for(layer), upstream=tuple(upstream)
        )

    @pytest.mark.parametrize("averaged", [True, False])
    @pytest.mark.parametrize("batch_first", [True, False])
    def test_one_sample_alone(self, averaged: bool, batch_first: bool) -> None:
        layer, theirs = both(batch_first=batch_first, kdim=3)
        inputs = [numbers(L, E), numbers(S, 3), numbers(S, E)]
        options = {
            "average_attn_weights": averaged,
            "key_padding_mask": some_hidden(S),
            "attn_mask": causal_mask(L, S),
        }
        params = random_params(layer)
        assert_agrees(layer, theirs, params, *inputs, options=options)
        assert_matches_complex_step(layer, params, *inputs, options=options)

    @pytest.mark.parametrize("need_weights", [True, False])
    @pytest.mark.parametrize("numbered", [True, False])
    def test_causal(self, need_weights: bool, numbered: bool) -> None:
        layer, theirs = both()
        x = numbers(L, N, E)
        mask = nn.Transformer.generate_square_subsequent_mask(L, dtype=torch.float64).numpy()
        np.testing.assert_array_equal(mask == -np.inf, causal_mask(L))
        options = {
            "attn_mask": mask if numbered else causal_mask(L),
            "is_causal": True,
            "need_weights": need_weights,
        }
        assert_agrees(layer, theirs, random_params(layer), x, x.copy(), x.copy(), options=options)

    def test_a_step_sees_no_later_one(self) -> None:
        layer, _ = both()
        params, x = random_params(layer), numbers(L, N, E)
        (y, _), _ = layer.forward(params, x, x, x, attn_mask=causal_mask(L), is_causal=True)
        later = np.concatenate([x[:3], x[3:] + 1])
        (z, _), _ = layer.forward(params, later, later, later, attn_mask=causal_mask(L))
        np.testing.assert_array_equal(y[:3], z[:3])
        assert (y[3:] != z[3:]).all()

    @dtypes
    def test_a_query_that_sees_nothing(self, dtype: str) -> None:
        layer, theirs = both(dtype)
        mask = np.zeros((L, S), bool)
        mask[[1, 4]] = True
        inputs, params = inputs_for(layer, dtype=dtype), random_params(layer, dtype=dtype)
        options = {"attn_mask": mask, "need_weights": False}
        assert_agrees(layer, theirs, params, *inputs, options=options)
        (_, weights), _ = layer.forward(params, *inputs, attn_mask=mask)
        np.testing.assert_allclose(weights.sum(-1), np.array([[1, 0, 1, 1, 0]] * N), rtol=1e-6)

    def test_arrays_that_are_not_contiguous(self) -> None:
        layer, theirs = both()
        params = {n: np.asfortranarray(value) for n, value in random_params(layer).items()}
        inputs = [numbers(E, N, 2 * L).T[::2], numbers(E, N, S).T, numbers(E, N, S, seed=1).T]
        assert not any(x.flags.c_contiguous for x in inputs)
        assert_agrees(layer, theirs, params, *inputs)

    @builds
    def test_ensemble(self, build: dict[str, Any]) -> None:
        layer, _ = both(**build)
        assert_ensemble_is_each(layer, *inputs_for(layer), options=HIDES["both bool"]("float64"))

    def test_keeps_the_dtype(self) -> None:
        layer, _ = both()
        for hides in HIDES.values():
            assert_keeps_dtype(layer, *inputs_for(layer), options=hides("float64"))

    @builds
    def test_parameters_are_pytorchs(self, build: dict[str, Any]) -> None:
        layer, theirs = both(**build)
        expected = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
        assert list(layer.parameter_shapes().items()) == list(expected.items())
        drawn = layer.init(np.random.default_rng(0))
        assert {name: value.shape for name, value in drawn.items()} == expected

    @builds
    def test_init_draws_from_pytorchs_distribution(self, build: dict[str, Any]) -> None:
        sizes = {"kdim": 30, "vdim": 50} if "kdim" in build else {}
        theirs = built(lambda: nn.MultiheadAttention(40, 4, **build | sizes))
        layer = MultiheadAttention(40, 4, **build | sizes)
        drawn = layer.init(np.random.default_rng(0))
        for name, value in theirs.state_dict().items():
            assert drawn[name].min() == pytest.approx(value.min().item(), rel=0.02)
            assert drawn[name].max() == pytest.approx(value.max().item(), rel=0.02)
            assert drawn[name].std() == pytest.approx(value.std().item(), rel=0.05)

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            ({"embed_dim": 6, "num_heads": 4}, "embed_dim is 6 and num_heads 4"),
            ({"embed_dim": 0, "num_heads": 1}, "embed_dim is 0"),
            ({"embed_dim": 6, "num_heads": 0}, "num_heads is 0"),
            ({"embed_dim": 6, "num_heads": 2, "add_bias_kv": True}, "not supported"),
            ({"embed_dim": 6, "num_heads": 2, "add_zero_attn": True}, "not supported"),
        ],
    )
    def test_refuses_arguments(self, build: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=f"MultiheadAttention: .*{message}"):
            MultiheadAttention(**build)

    @pytest.mark.parametrize(
        ("shapes", "options", "message"),
        [
            (((5, 3, 7), (4, 3, 6), (4, 3, 6)), {}, r"are \(5, 3, 7\)"),
            (((5, 3, 6), (4, 2, 6), (4, 2, 6)), {}, r"\(L, N, 6\)"),
            (((5, 3, 6), (4, 3, 6), (3, 3, 6)), {}, r"\(S, N, 6\)"),
            (((5, 6), (4, 1, 6), (4, 1, 6)), {}, r"are \(5, 6\)"),
            (((6,), (6,), (6,)), {}, r"are \(6,\)"),
            (None, {"attn_mask": np.zeros((4, 5))}, r"attn_mask is \(4, 5\), but should be \(5, 4"),
            (None, {"attn_mask": np.zeros((3, 5, 4))}, r"or \(6, 5, 4\)"),
            (None, {"key_padding_mask": np.zeros((3, 5))}, r"key_padding_mask is \(3, 5\)"),
            (None, {"key_padding_mask": np.zeros(4)}, r"key_padding_mask is \(4,\)"),
            (None, {"attn_mask": np.zeros((5, 4), int)}, "int64"),
            (None, {"is_causal": True}, "needs the causal mask"),
            (None, {"is_causal": True, "attn_mask": ~causal_mask(L, S)}, "is not the causal mask"),
            (None, {"is_causal": True, "attn_mask": np.zeros((5, 4))}, "is not the causal mask"),
        ],
    )
    def test_refuses_inputs(self, shapes: Any, options: dict[str, Any], message: str) -> None:
        layer, _ = both()
        inputs = inputs_for(layer) if shapes is None else [np.zeros(shape) for shape in shapes]
        with pytest.raises(ValueError, match=message):
            layer.forward(random_params(layer), *inputs, **options)

    def test_refuses_integers(self) -> None:
        layer, _ = both()
        x = np.ones((L, N, E), int)
        with pytest.raises(ValueError, match="MultiheadAttention: query's dtype is int64"):
            layer.forward(random_params(layer), x, x, x)

    def test_dropout_is_refused_in_training_only(self) -> None:
        layer, theirs = both(dropout=0.5)
        params, inputs = random_params(layer), inputs_for(layer)
        with pytest.raises(ValueError, match=r"MultiheadAttention: dropout=0\.5"):
            layer.forward(params, *inputs)
        assert_agrees(layer.train(False), theirs.eval(), params, *inputs)


class _AppliesTheScaleTwice(MultiheadAttention):
    def backward(self, params: Params, cache: Any, dy: Any) -> Any:
        maps, (q, k, v, weights), *rest = cache
        return super().backward(params, (maps, (q / 2, k / 2, v, weights), *rest), dy)


class _ForgetsTheWeights(MultiheadAttention):
    def backward(self, params: Params, cache: Any, dy: Any) -> Any:
        return super().backward(params, cache, (dy[0], None))


class _MixesKeyAndValue(MultiheadAttention):
    def backward(self, params: Params, cache: Any, dy: Any) -> Any:
        (dq, dk, dv), grads = super().backward(params, cache, dy)
        return (dq, dv, dk), grads


@pytest.mark.parametrize("wrong", [_AppliesTheScaleTwice, _ForgetsTheWeights, _MixesKeyAndValue])
def test_the_checks_fail_on_a_wrong_backward(wrong: type[MultiheadAttention]) -> None:
    layer, theirs = wrong(E, HEADS), built(lambda: nn.MultiheadAttention(E, HEADS))
    params, inputs = random_params(layer), inputs_for(layer)
    with pytest.raises(AssertionError, match="apart, allowed"):
        assert_agrees(layer, theirs, params, *inputs)
    with pytest.raises(AssertionError, match="apart, allowed"):
        assert_matches_complex_step(layer, params, *inputs)


def test_the_dtype_check_fails_on_a_constant_that_promotes() -> None:
    class Promotes(ScaledDotProductAttention):
        def forward(self, *inputs: Any, **options: Any) -> tuple[Array, Any]:
            y, cache = super().forward(*inputs, **options)
            return y * np.float64(1), cache

    with pytest.raises(AssertionError, match="should be float32"):
        assert_keeps_dtype(Promotes(), *triple())
