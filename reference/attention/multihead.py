"""Attention with several heads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.attention.masks import of_heads
from reference.attention.scaled_dot_product import attention_weights, attention_weights_backward
from reference.layers.linear import Linear
from reference.module import Array, Module, Params, Shapes, prefixed, scoped
from reference.support.checks import per_axis, require_floating, require_numbers
from reference.support.sequences import (
    as_given,
    each_step,
    each_step_backward,
    time_first,
)

PROJECTIONS = ("q", "k", "v")


class MultiheadAttention(Module):
    r"""Several attentions side by side, each on its own share of E features.

    Queries, keys and values are mapped by W_q, W_k and W_v to E features each, that are split
    into h heads of d = E/h features next to each other. Every head attends by itself; the results
    are put side by side again and mapped by W_o::

        Q = q W_qᵀ + b_q        K = k W_kᵀ + b_k        V = v W_vᵀ + b_v
        A_j = softmax(Q_j K_jᵀ/√d)
        y = [A_1 V_1, …, A_h V_h] W_oᵀ + b_o

    where head j = 1 … h has the columns (j − 1) d to j d − 1 of Q, K and V, counted from 0.

    Nothing here is new to derive: the four maps are Linear, one head's attention is
    ScaledDotProductAttention, and splitting and joining heads only moves numbers about, so their
    gradients move back the same way. The weights A are an output as well; if the loss reads
    them, their gradient is added to the dA that comes from y. If they are averaged over the heads,
    each head's share of it is 1/h.

    b_k adds the same number, Q_j · b_k/√d with head j's part of b_k, to all scores of a query. The
    softmax takes no notice of that: the gradient of b_k is zero but for rounding.

    A query to which all keys are hidden has weights 0. PyTorch has that too with
    ``need_weights=False``, while with ``need_weights=True`` it gives NaN.

    Args:
        embed_dim: features of the query and of y, E.
        num_heads: h; divides E.
        dropout: of the weights. Only 0 can be trained here.
        bias: whether the four maps have one.
        add_bias_kv: only False is supported.
        add_zero_attn: only False is supported.
        kdim: features of the key; E if None.
        vdim: features of the value; E if None.
        batch_first: whether inputs and y are ``(N, L, features)``.

    Shapes:
        query ``(..., L, N, E)``, key ``(..., S, N, kdim)``, value ``(..., S, N, vdim)``, y
        ``(..., L, N, E)``, weights ``(..., N, L, S)``, or ``(..., N, h, L, S)`` if not averaged;
        one sample alone comes and goes without N. If kdim and vdim are E, ``in_proj_weight`` is
        W_q, W_k and W_v on top of each other, ``(3 E, E)``; ``in_proj_bias`` always is ``(3 E,)``.
        Axes before these are an ensemble.

    Raises:
        ValueError: an argument or the shape of an input does not fit; it is named.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
        Vaswani et al., Attention is all you need, https://arxiv.org/abs/1706.03762, section 3.2.2.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        require_numbers(self, dropout=dropout)
        for name, size in {"embed_dim": embed_dim, "num_heads": num_heads}.items():
            per_axis(self, name, size, 1)
        for name, width in {"kdim": kdim, "vdim": vdim}.items():
            per_axis(self, name, embed_dim if width is None else width, 1)
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim is {embed_dim} and num_heads {num_heads}, but "
                f"embed_dim should be a positive multiple of num_heads"
            )
        if add_bias_kv or add_zero_attn:
            raise ValueError("MultiheadAttention: add_bias_kv and add_zero_attn are not supported")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.bias = bias
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first = batch_first
        self.packed = self.kdim == embed_dim == self.vdim
        self.out_proj = Linear(embed_dim, embed_dim, bias)

    # Parameters.

    def parameter_shapes(self) -> Shapes:
        E = self.embed_dim
        shapes: Shapes = {}
        if self.packed:
            shapes["in_proj_weight"] = (3 * E, E)
        else:
            widths = (E, self.kdim, self.vdim)
            for name, width in zip(PROJECTIONS, widths, strict=True):
                shapes[f"{name}_proj_weight"] = (E, width)
        if self.bias:
            shapes["in_proj_bias"] = (3 * E,)
        return shapes | super().parameter_shapes()

    def init(self, rng: np.random.Generator) -> Params:
        """Weights of q, k, v uniform in ±√(6/(in + out)) (Glorot), W_o as Linear's, biases 0."""
        drawn: Params = {}
        for name, shape in self.parameter_shapes().items():
            if name.endswith("bias"):
                drawn[name] = np.zeros(shape)
            elif name.startswith("out_proj"):
                drawn[name] = self.out_proj.init(rng)["weight"]
            else:
                bound = math.sqrt(6 / sum(shape))
                drawn[name] = rng.uniform(-bound, bound, shape)
        return drawn

    # Forward and back.

    def forward(
        self,
        params: Params,
        query: Array,
        key: Array,
        value: Array,
        key_padding_mask: Array | None = None,
        need_weights: bool = True,
        attn_mask: Array | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[tuple[Array, Array | None], Any]:
        """Attend.

        Args:
            params: the weights, by PyTorch's names.
            query: what is looked for.
            key: what it is matched with.
            value: what is averaged.
            key_padding_mask: keys to hide, by sample, ``(N, S)``: truth values, *true where
                hidden*, or numbers added to the scores. Not differentiated, nor is attn_mask.
            need_weights: whether to return the weights.
            attn_mask: keys to hide, by query, ``(L, S)``, or ``(N · h, L, S)``.
            average_attn_weights: whether to return the mean of all heads' weights.
            is_causal: a promise that attn_mask is the causal mask, which must be given; a promise
                that is not kept is refused.

        Returns:
            y with the weights or None; and the cache.
        """
        self._check(params, query, key, value)
        alone = query.ndim == 2
        sources = [time_first(x, self.batch_first, alone) for x in (query, key, value)]
        length, samples = sources[0].shape[-3:-1]
        scores = samples, self.num_heads, length, sources[1].shape[-3]
        mask = of_heads(attn_mask, key_padding_mask, scores, query.dtype, is_causal)

        heads, map_caches = [], []
        for (linear, part), x in zip(self._maps(params), sources, strict=True):
            mapped, map_cache = each_step(linear, part, x)
            heads.append(self._split(mapped))  # (..., N, h, L or S, d)
            map_caches.append(map_cache)
        q, k, v = heads
        weights = attention_weights(q, k, mask, self._scale)  # (..., N, h, L, S)
        joined = self._joined(weights @ v)  # (..., L, N, E)
        y, out_cache = each_step(self.out_proj, scoped(params, "out_proj"), joined)
        shown = self._shown(weights, average_attn_weights, alone) if need_weights else None
        cache = map_caches, (q, k, v, weights), out_cache, average_attn_weights, alone
        return (as_given(y, self.batch_first, alone), shown), cache

    def backward(
        self, params: Params, cache: Any, dy: Any
    ) -> tuple[tuple[Array, Array, Array], Params]:
        """Carry the gradient back.

        Args:
            params: what :meth:`forward` was given.
            cache: what :meth:`forward` returned.
            dy: the gradient at y and at the weights; None stands for zero.

        Returns:
            The gradients at query, key and value; and those of the parameters.
        """
        map_caches, (q, k, v, weights), out_cache, averaged, alone = cache
        dy, dshown = dy
        if dy is None:
            dy = np.zeros_like(self._joined(q))
        else:
            dy = time_first(dy, self.batch_first, alone)
        out_params = scoped(params, "out_proj")
        djoined, out_grads = each_step_backward(self.out_proj, out_params, out_cache, dy)
        dmean = self._split(djoined)  # (..., N, h, L, d)
        dv = weights.swapaxes(-1, -2) @ dmean
        dweights = dmean @ v.swapaxes(-1, -2)
        if dshown is not None:
            dweights = dweights + self._shown_backward(dshown, averaged, alone)
        dq, dk = attention_weights_backward(dweights, weights, q, k, self._scale)

        dsources, parts = [], []
        maps = zip(self._maps(params), map_caches, (dq, dk, dv), strict=True)
        for (linear, part), map_cache, dheads in maps:
            dx, grads = each_step_backward(linear, part, map_cache, self._joined(dheads))
            dsources.append(as_given(dx, self.batch_first, alone))
            parts.append(grads)
        dquery, dkey, dvalue = dsources
        return (dquery, dkey, dvalue), self._packed_grads(parts) | prefixed("out_proj", out_grads)

    @property
    def _scale(self) -> float:
        return 1 / math.sqrt(self.embed_dim // self.num_heads)

    # The maps of query, key and value, and where their parameters are.

    def _maps(self, params: Params) -> list[tuple[Linear, Params]]:
        """Each map with its own weight and bias, cut from the parameters."""
        maps = []
        widths = (self.embed_dim, self.kdim, self.vdim)
        for position, (name, width) in enumerate(zip(PROJECTIONS, widths, strict=True)):
            block = slice(position * self.embed_dim, (position + 1) * self.embed_dim)
            if self.packed:
                part = {"weight": params["in_proj_weight"][..., block, :]}
            else:
                part = {"weight": params[f"{name}_proj_weight"]}
            if self.bias:
                part["bias"] = params["in_proj_bias"][..., block]
            maps.append((Linear(width, self.embed_dim, self.bias), part))
        return maps

    def _packed_grads(self, parts: list[Params]) -> Params:
        """The gradients of the maps' own parameters, as the parameters are packed."""
        weights = [part["weight"] for part in parts]
        if self.packed:
            grads = {"in_proj_weight": np.concatenate(weights, axis=-2)}
        else:
            names = [f"{name}_proj_weight" for name in PROJECTIONS]
            grads = dict(zip(names, weights, strict=True))
        if self.bias:
            grads["in_proj_bias"] = np.concatenate([part["bias"] for part in parts], axis=-1)
        return grads

    # Where the numbers are: by step and sample, or by sample and head.

    def _split(self, x: Array) -> Array:
        """``(..., L, N, E)`` as ``(..., N, h, L, d)``."""
        x = x.reshape(*x.shape[:-1], self.num_heads, self.embed_dim // self.num_heads)
        return np.moveaxis(x, -4, -2)

    def _joined(self, x: Array) -> Array:
        """``(..., N, h, L, d)`` as ``(..., L, N, E)``."""
        x = np.moveaxis(x, -2, -4)
        return x.reshape(*x.shape[:-2], self.embed_dim)

    def _shown(self, weights: Array, averaged: bool, alone: bool) -> Array:
        """The weights as an output."""
        weights = weights[..., 0, :, :, :] if alone else weights
        return weights.mean(axis=-3) if averaged else weights

    def _shown_backward(self, dshown: Array, averaged: bool, alone: bool) -> Array:
        if averaged:
            dshown = dshown[..., None, :, :] / self.num_heads
        return dshown[..., None, :, :, :] if alone else dshown

    # Refusals.

    def _check(self, params: Params, query: Array, key: Array, value: Array) -> None:
        for name, x in {"query": query, "key": key, "value": value}.items():
            require_floating(self, name, x, params)
        widths = (self.embed_dim, self.kdim, self.vdim)
        batch = -3 if self.batch_first else -2
        shapes = [x.shape for x in (query, key, value)]
        fits = (
            len({len(shape) for shape in shapes}) == 1
            and query.ndim >= 2
            and tuple(shape[-1] for shape in shapes) == widths
            and key.shape[:-1] == value.shape[:-1]
            and (query.ndim == 2 or query.shape[batch] == key.shape[batch])
        )
        if not fits:
            needed = "(N, L, {}), (N, S, {}) and (N, S, {})"
            if not self.batch_first:
                needed = "(L, N, {}), (S, N, {}) and (S, N, {})"
            raise self._refused(
                "query, key and value are {}, {} and {}".format(*shapes)
                + ", but should be "
                + needed.format(*widths)
            )
        if self.training and self.dropout > 0:
            raise self._refused(
                f"dropout={self.dropout} is not supported in training; "
                f"use dropout=0, or train(False)"
            )

    def _refused(self, why: str) -> ValueError:
        return ValueError(f"{type(self).__name__}: {why}")
