"""Faults of multi-head attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.methods import around, grad, instead
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.attention.masks import Mask, of_heads
from reference.attention.scaled_dot_product import attention_weights
from reference.module import prefixed, scoped
from reference.support.sequences import as_given, each_step, each_step_backward, time_first

NAME = "MultiheadAttention"
IN_PROJ = "gradient in_proj_weight or gradient q_proj_weight"
BY_KEY = "gradient in_proj_weight or gradient k_proj_weight"
BY_VALUE = "gradient in_proj_weight or gradient v_proj_weight"


def _forward(weights: Callable[[Array, Array, Mask, float], Array]) -> Changes:
    """Attention with other weights: ``weights(q, k, mask, scale)``."""

    def forward(right: Method, self: Any, params: Params, *inputs: Array, **told: Any) -> Any:
        alone, averaged = inputs[0].ndim == 2, told.pop("average_attn_weights", True)
        wanted = told.pop("need_weights", True)
        sources = [time_first(x, self.batch_first, alone) for x in inputs]
        length, samples = sources[0].shape[-3:-1]
        scores = samples, self.num_heads, length, sources[1].shape[-3]
        masks = told.get("attn_mask"), told.get("key_padding_mask")
        mask = of_heads(*masks, scores, inputs[0].dtype, is_causal=False)
        maps = zip(self._maps(params), sources, strict=True)
        mapped = [each_step(linear, part, x) for (linear, part), x in maps]
        q, k, v = (self._split(y) for y, _ in mapped)
        a = weights(q, k, mask, self._scale)
        out = each_step(self.out_proj, scoped(params, "out_proj"), self._joined(a @ v))
        shown = self._shown(a, averaged, alone) if wanted else None
        caches = [cache for _, cache in mapped]
        cache = caches, (q, k, v, a), out[1], averaged, alone
        return (as_given(out[0], self.batch_first, alone), shown), cache

    return around("forward", forward)


def _softmax(scores: Array, axis: int = -1) -> Any:
    exponentials = np.exp(scores)
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _scores(q: Array, k: Array, mask: Mask, scale: float) -> Array:
    scores: Array = (q * scale) @ k.swapaxes(-1, -2)
    return scores if mask.bias is None else scores + mask.bias


def _hide(x: Array, mask: Mask, value: float) -> Array:
    return x if mask.hidden is None else np.where(mask.hidden, value, x)


def _hidden_afterwards(q: Array, k: Array, mask: Mask, scale: float) -> Array:
    return _hide(_softmax(_scores(q, k, mask, scale)), mask, 0)


def _over_queries(q: Array, k: Array, mask: Mask, scale: float) -> Any:
    exponentials = _hide(np.exp(_scores(q, k, mask, scale)), mask, 0)
    total = exponentials.sum(axis=-2, keepdims=True)
    return exponentials / np.where(total.real > 0, total, 1)


Back = Callable[[Array, Array, float], Array]


def _jacobian(dweights: Array, weights: Array, scale: float) -> Any:
    mean = (dweights * weights).sum(axis=-1, keepdims=True)
    return weights * (dweights - mean) * scale


def _backward(
    dscores: Callable[[Array, Array, float], Array] = _jacobian,
    dq: Callable[[Array, Array], Array] = lambda ds, k: ds @ k,
    dk: Callable[[Array, Array], Array] = lambda ds, q: ds.swapaxes(-1, -2) @ q,
    dv: Callable[[Array, Array], Array] = lambda a, dy: a.swapaxes(-1, -2) @ dy,
    shown: Callable[[Any, Array, bool], Array] = lambda self, d, averaged: d,
    out: Callable[[Params], Params] = lambda params: params,
    into: Callable[[Params], Params] = lambda part: part,
) -> Changes:
    """The way back with one of its products wrong.

    Args:
        dscores: from dA, A and the scale.
        dq: from dscores and k.
        dk: from dscores and q.
        dv: from A and the gradient at A V.
        shown: the gradient at the weights as an output, as each head gets it.
        out: the parameters that the output's map is taken back with.
        into: those that the maps of query, key and value are taken back with.
    """

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
        map_caches, (q, k, v, a), out_cache, averaged, alone = cache
        dy, given = dy
        zero = np.zeros_like(self._joined(q))
        dy = zero if dy is None else time_first(dy, self.batch_first, alone)
        own = scoped(params, "out_proj")
        _, out_grads = each_step_backward(self.out_proj, own, out_cache, dy)
        dmean = self._split(each_step_backward(self.out_proj, out(own), out_cache, dy)[0])
        da = dmean @ v.swapaxes(-1, -2)
        if given is not None:
            da = da + shown(self, self._shown_backward(given, averaged, alone), averaged)
        ds = dscores(da, a, self._scale)
        dsources, parts = [], []
        dmapped = dq(ds, k), dk(ds, q), dv(a, dmean)
        maps = zip(self._maps(params), map_caches, dmapped, strict=True)
        for (linear, part), map_cache, dheads in maps:
            joined = self._joined(dheads)
            parts.append(each_step_backward(linear, part, map_cache, joined)[1])
            dx = each_step_backward(linear, into(part), map_cache, joined)[0]
            dsources.append(as_given(dx, self.batch_first, alone))
        return tuple(dsources), self._packed_grads(parts) | prefixed("out_proj", out_grads)

    return around("backward", backward)


def _transposed(part: Params) -> Params:
    """The weight transposed, where that fits."""
    weight = part["weight"]
    square = weight.shape[-1] == weight.shape[-2]
    return part | {"weight": weight.swapaxes(-1, -2)} if square else part


def _untransposed(first: Array, second: Array) -> Array:
    """First @ second for firstᵀ @ second, where that fits."""
    square = first.shape[-1] == first.shape[-2]
    return first @ second if square else first.swapaxes(-1, -2) @ second


def _scaled(function: Callable[[Any], float]) -> Changes:
    return {"_scale": lambda right: property(function)}  # type: ignore[dict-item,return-value]


def _told(function: Callable[[dict[str, Any]], dict[str, Any]]) -> Changes:
    """Forward, told other masks."""
    return around(
        "forward", lambda right, self, *given, **told: right(self, *given, **function(told))
    )


def _without(told: dict[str, Any], name: str, beside: str) -> dict[str, Any]:
    """Without the one mask where there is the other."""
    return told | {name: None, "is_causal": False} if told.get(beside) is not None else told


def _parameters(function: Callable[[Any, Params], Params]) -> Changes:
    """Forward and back with other parameters."""

    def wrong(right: Method, self: Any, params: Params, *given: Any, **told: Any) -> Any:
        return right(self, function(self, params), *given, **told)

    return {**around("forward", wrong), **around("backward", wrong)}


def _zero(name: str) -> Callable[[Any, Params], Params]:
    return lambda self, params: params | {name: 0 * params[name]} if name in params else params


def _inverted(told: dict[str, Any]) -> dict[str, Any]:
    masks = {n for n, m in told.items() if n.endswith("mask") and m is not None and m.dtype == bool}
    return {name: ~value if name in masks else value for name, value in told.items()}


def _split_by_features(self: Any, x: Array) -> Array:
    x = x.reshape(*x.shape[:-1], self.embed_dim // self.num_heads, self.num_heads)
    return np.moveaxis(x.swapaxes(-1, -2), -4, -2)


def _joined_by_features(self: Any, x: Array) -> Array:
    x = np.moveaxis(x, -2, -4).swapaxes(-1, -2)
    return x.reshape(*x.shape[:-2], self.embed_dim)


def _reshaped(self: Any, x: Array) -> Array:
    """As ``x.view(N, h, L, d)`` does of ``(N, L, E)``."""
    x = x.swapaxes(-3, -2)
    *ensemble, samples, length, width = x.shape
    return x.reshape(*ensemble, samples, self.num_heads, length, width // self.num_heads)


def _reshaped_back(self: Any, x: Array) -> Array:
    *ensemble, samples, heads, length, width = x.shape
    return x.reshape(*ensemble, samples, length, heads * width).swapaxes(-3, -2)


def _swapped_blocks(self: Any, params: Params) -> Params:
    """The packed maps read as those of key, query and value."""
    packed = [name for name in ("in_proj_weight", "in_proj_bias") if name in params]
    if not self.packed:
        return params
    taken = {}
    for name in packed:
        axis = -2 if name.endswith("weight") else -1
        q, k, v = np.split(params[name], 3, axis=axis)
        taken[name] = np.concatenate([k, q, v], axis=axis)
    return params | taken


def _by_blocks(function: Callable[[list[Array]], list[Array]]) -> Changes:
    """The gradient of the packed bias with its three blocks changed."""

    def change(g: Array) -> Any:
        return np.concatenate(function(np.split(g, 3, axis=-1)), axis=-1)

    return grad("in_proj_bias", change)


def _shown_ignored(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
    return right(self, params, cache, (dy[0], None))


SCORES = "scores = q kᵀ / √d, d = embed_dim / num_heads"
SOFTMAX = "A = softmax(scores) along the keys"
BOTH = "a key is hidden if either mask hides it, and what both add is added"
MASKED = "leave hidden keys out of the softmax: their scores are −∞ before it"
HEADS = "(L, N, E) as (L, N, h, d), then move the axes to (N, h, L, d); back the same way"
DSCORES = "dscores = A (dA − Σ_keys dA A)"
SEVERAL = "more than one head"


def _shown_weights_summed(right: Method, self: Any, a: Any, averaged: Any, alone: Any) -> Any:
    return right(self, a, averaged, alone) * (self.num_heads if averaged else 1)


FORWARD = faults(NAME, Right(SCORES),
    Row("scale missing", "the scores are not divided by √d", "output",
        _scaled(lambda self: 1.0), needs="more than one feature in a head"),
    Row("scale applied twice", "the scores are divided by d", "output",
        _scaled(lambda self: self.num_heads / self.embed_dim),
        needs="more than one feature in a head"),
    Row("scale of the whole width", "the scores are divided by √embed_dim", "output",
        _scaled(lambda self: self.embed_dim**-0.5), needs=SEVERAL),
    Right(SOFTMAX),
    Row("softmax over the queries", "the weights of each key sum to 1, over all queries", "output",
        _forward(_over_queries)),
    Row("softmax missing", "the scores are the weights", "output",
        _forward(lambda q, k, mask, scale: _hide(_scores(q, k, mask, scale), mask, 0))),
    Row("softmax applied twice", "the softmax is taken of the weights once more", "output",
        _forward(lambda *given: _softmax(attention_weights(*given))), needs="more than one key"),
    Right(MASKED),
    Row("mask after the softmax", "hidden keys' weights are set to 0 and the rest not made up",
        "output", _forward(_hidden_afterwards), needs="a mask"),
    Row("hidden scores 0", "the scores of hidden keys are multiplied by 0, not left out", "output",
        _forward(lambda q, k, mask, scale: _softmax(_hide(_scores(q, k, mask, scale), mask, 0))),
        needs="a mask"),
    Row("hidden scores −10", "hidden keys get a score that is low, but not low enough", "output",
        _forward(lambda q, k, mask, scale: _softmax(_hide(_scores(q, k, mask, scale), mask, -10))),
        needs="a mask"),
    Right("true hides"),
    Row("masks inverted", "true is taken for seen, where it means hidden", "output",
        _told(_inverted), needs="a mask of truth values"),
    Right(MASKED),
    Row("attn_mask ignored", "every query sees all keys", "output",
        _told(lambda told: told | {"attn_mask": None}), needs="attn_mask"),
    Row("key_padding_mask ignored", "padding is attended to", "output",
        _told(lambda told: told | {"key_padding_mask": None}), needs="key_padding_mask"),
    Right(BOTH),
    Row("attn_mask replaced by key_padding_mask", "of two masks only the padding counts", "output",
        _told(lambda told: _without(told, "attn_mask", beside="key_padding_mask")),
        needs="both masks"),
    Row("key_padding_mask replaced by attn_mask", "of two masks the padding does not count",
        "output", _told(lambda told: _without(told, "key_padding_mask", beside="attn_mask")),
        needs="both masks"),
    Right(HEADS),
    Row("heads split by features", "E is taken apart as (d, h), where it is (h, d)", "output",
        {**instead("_split", _split_by_features), **instead("_joined", _joined_by_features)},
        needs=SEVERAL),
    Row("heads reshaped without moving the axes", "(N, L, E) becomes (N, h, L, d) at once",
        "output", {**instead("_split", _reshaped), **instead("_joined", _reshaped_back)},
        needs=f"{SEVERAL}, more than one step"),
    Row("heads joined without moving the axes", "(N, h, L, d) becomes (N, L, E) at once", "output",
        instead("_joined", _reshaped_back), needs=f"{SEVERAL}, more than one step"),
    Right("in_proj_weight is W_q, W_k and W_v on top of each other"),
    Row("query and key swapped", "the first block of the packed weight is taken for the keys'",
        "output", _parameters(_swapped_blocks), needs="packed weights"),
    Right("q = W_q x + b_q"),
    Row("input biases not added", "the maps of query, key and value have no bias", "output",
        _parameters(_zero("in_proj_bias")), needs="bias"),
    Right("y = W_o (A V) + b_o"),
    Row("output bias not added", "the output's map has no bias", "output",
        _parameters(_zero("out_proj.bias")), needs="bias"),
    Right("the mean over heads"),
    Row("shown weights summed",
        "the weights shown are the sum over heads, not their mean", "output",
        around("_shown", _shown_weights_summed), needs=f"{SEVERAL}, weights as an output"),
)  # fmt: skip

BACKWARD = faults(NAME, Right(DSCORES),
    Row("diagonal of the softmax's Jacobian only", "dscores is A (1 − A) dA", IN_PROJ,
        _backward(lambda da, a, scale: a * (1 - a) * da * scale), needs="more than one key"),
    Row("softmax's derivative missing", "dscores is dA", IN_PROJ,
        _backward(lambda da, a, scale: da * scale)),
    Row("softmax's derivative without its mean", "dscores is A dA", IN_PROJ,
        _backward(lambda da, a, scale: a * da * scale)),
    Row("softmax's derivative along the queries",
        "the mean is taken over queries, not keys", IN_PROJ,
        _backward(lambda da, a, scale: a * (da - (da * a).sum(axis=-2, keepdims=True)) * scale)),
    Row("softmax's derivative divided by the batch",
        "dscores is divided by the batch size", IN_PROJ,
        _backward(lambda da, a, scale: _jacobian(da, a, scale) / a.shape[-4]), needs="batch > 1"),
    Right("dq = dscores k / √d, dk = dscoresᵀ q / √d"),
    Row("scale missing going back", "dq and dk lack the factor 1/√d", IN_PROJ,
        _backward(lambda da, a, scale: _jacobian(da, a, 1.0)),
        needs="more than one feature in a head"),
    Row("scale applied twice going back", "dq and dk have the factor 1/d", IN_PROJ,
        _backward(lambda da, a, scale: _jacobian(da, a, scale * scale)),
        needs="more than one feature in a head"),
    Right("dk = dscoresᵀ q / √d"),
    Row("key's gradient not transposed", "dk is dscores q, not dscoresᵀ q", BY_KEY,
        _backward(dk=_untransposed),
        needs="as many queries as keys; others raise an error of shapes"),
    Right("dv = Aᵀ dy"),
    Row("value's gradient not transposed", "dv is A dy, not Aᵀ dy", BY_VALUE,
        _backward(dv=_untransposed),
        needs="as many queries as keys; others raise an error of shapes"),
    Right("dq = dscores k / √d"),
    Row("query's gradient missing", "the scores' gradient does not reach the queries", IN_PROJ,
        _backward(dq=lambda ds, k: 0 * (ds @ k))),
    Right("dk = dscoresᵀ q / √d"),
    Row("key's gradient missing", "the scores' gradient does not reach the keys", BY_KEY,
        _backward(dk=lambda ds, q: 0 * (ds.swapaxes(-1, -2) @ q))),
    Right("dv = Aᵀ dy"),
    Row("value's gradient missing", "the values count as constants", BY_VALUE,
        _backward(dv=lambda a, dy: 0 * (a.swapaxes(-1, -2) @ dy))),
    Right("dA = dy Vᵀ + the gradient at A"),
    Row("gradient at the weights ignored", "what the loss makes of the weights is left out",
        IN_PROJ, around("backward", _shown_ignored), needs="a gradient at the weights"),
    Right("the mean over h heads hands 1/h to each"),
    Row("gradient at the weights not shared out", "each head gets all of the mean's gradient",
        IN_PROJ, _backward(shown=lambda self, d, averaged: d * (self.num_heads if averaged else 1)),
        needs=f"{SEVERAL}, a gradient at the weights"),
    Right("d(A V) = dy W_o, for y = (A V) W_oᵀ"),
    Row("output's map not transposed back", "the error goes back through W_o as forward", IN_PROJ,
        _backward(out=_transposed)),
    Right("dx = dq W_q, for q = x W_qᵀ"),
    Row("input maps not transposed back",
        "the error goes back through W_q, W_k, W_v as forward", "dx", _backward(into=_transposed),
        needs="kdim and vdim as embed_dim; others raise an error of shapes"),
    Right("dW_o = dyᵀ (A V)"),
    Row("output weight's gradient transposed", "dW_oᵀ is taken for dW_o",
        "gradient out_proj.weight", grad("out_proj.weight", lambda g: g.swapaxes(-1, -2))),
    Right("db_o = Σ dy"),
    Row("output bias's gradient missing", "the gradient of b_o is 0", "gradient out_proj.bias",
        grad("out_proj.bias", lambda g: 0 * g), needs="bias"),
    Right("db_k = Σ dk, db_v = Σ dv, too"),
    Row("input bias's gradient of the queries only", "b_k and b_v have no gradient",
        "gradient in_proj_bias", _by_blocks(lambda b: [b[0], 0 * b[1], 0 * b[2]]), needs="bias"),
    Right("in_proj_bias is b_q, b_k, b_v"),
    Row("input bias's blocks in another order", "the gradients of b_q and b_v are swapped",
        "gradient in_proj_bias", _by_blocks(lambda b: [b[2], b[1], b[0]]), needs="bias"),
)  # fmt: skip

ATTENTION = (*FORWARD, *BACKWARD)
