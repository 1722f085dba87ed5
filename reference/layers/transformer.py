"""The transformer's encoder layer."""

from __future__ import annotations

from typing import Any

from reference.activations import GELU, ReLU
from reference.attention import MultiheadAttention
from reference.layers.layernorm import LayerNorm
from reference.layers.linear import Linear
from reference.module import Array, Module, Params, prefixed, scoped
from reference.support.checks import require_floating
from reference.support.sequences import (
    as_given,
    each_step,
    each_step_backward,
    time_first,
)


class TransformerEncoderLayer(Module):
    r"""Self-attention and a small network for each step, each within a residual connection.

    With SA(x) self-attention, query, key and value all being x, FF(x) = W₂ f(W₁ x + b₁) + b₂ for
    each step by itself, and LN₁, LN₂ layer norms::

        norm_first=False:   u = LN₁(x + SA(x))      y = LN₂(u + FF(u))
        norm_first=True:    u = x + SA(LN₁(x))      y = u + FF(LN₂(u))

    Every piece is derived in its own place. New here are only the places where one number is used
    several times, and gradients therefore add: x and u, once in the sum and once in the block, and
    x in the attention, as query, as key and as value::

        norm_first=False:   ds = LN₂'ᵀ dy     du = ds + FF'ᵀ ds     s the sum before the norm
                            ds = LN₁'ᵀ du     dx = ds + SA'ᵀ ds
        norm_first=True:    du = dy + LN₂'ᵀ FF'ᵀ dy
                            dx = du + LN₁'ᵀ SA'ᵀ du

    In the second form dy reaches dx without passing a norm, which is what makes it easier to train.

    Args:
        d_model: features of each step, E.
        nhead: heads of the attention.
        dim_feedforward: width of the small network.
        dropout: in four places. Only 0 can be trained here.
        activation: f, ``relu`` or ``gelu``.
        layer_norm_eps: of both norms.
        batch_first: whether src and y are ``(N, L, E)``.
        norm_first: which of the two forms.
        bias: whether the maps and the norms have one.

    Shapes:
        src and y ``(..., L, N, E)``, or ``(L, E)`` for one sample alone; masks as those of
        :class:`MultiheadAttention`. Axes before these are an ensemble.

    Raises:
        ValueError: an argument or the shape of an input does not fit; it is named.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
        Vaswani et al., Attention is all you need, https://arxiv.org/abs/1706.03762, section 3.1;
        norm_first: Xiong et al., On layer normalization in the transformer architecture,
        https://arxiv.org/abs/2002.04745.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        activations: dict[str, type[Module]] = {"relu": ReLU, "gelu": GELU}
        if activation not in activations:
            raise ValueError(
                f"TransformerEncoderLayer: activation is {activation!r}, but should be one of "
                f"{[*activations]}"
            )
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.activation = activations[activation]()
        self.d_model = d_model
        self.dropout = dropout
        self.batch_first = batch_first
        self.norm_first = norm_first

    def forward(
        self,
        params: Params,
        src: Array,
        src_mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool = False,
    ) -> tuple[Array, Any]:
        """Encode a sequence.

        Args:
            params: the weights, by PyTorch's names.
            src: the sequence.
            src_mask: which steps a step may not see; ``attn_mask`` of the attention.
            src_key_padding_mask: which steps none may see, by sample.
            is_causal: a promise that src_mask is the causal mask; if it is not, it is refused.

        Returns:
            y and the cache.
        """
        self._check(params, src)
        alone = src.ndim == 2
        x = time_first(src, self.batch_first, alone)
        masks = {
            "attn_mask": src_mask,
            "key_padding_mask": src_key_padding_mask,
            "is_causal": is_causal,
        }
        form = self._norm_first if self.norm_first else self._norm_last
        y, cache = form(params, x, masks)
        return as_given(y, self.batch_first, alone), (cache, alone)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        cache, alone = cache
        dy = time_first(dy, self.batch_first, alone)
        back = self._norm_first_backward if self.norm_first else self._norm_last_backward
        dx, grads = back(params, cache, dy)
        return as_given(dx, self.batch_first, alone), grads

    # The two forms.

    def _norm_last(self, params: Params, x: Array, masks: dict[str, Any]) -> tuple[Array, Any]:
        attended, attention = self._attend(params, x, masks)
        u, norm1 = self._apply("norm1", params, x + attended)
        fed, feedforward = self._feed(params, u)
        y, norm2 = self._apply("norm2", params, u + fed)
        return y, (attention, norm1, feedforward, norm2)

    def _norm_last_backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        attention, norm1, feedforward, norm2 = cache
        ds, norm2_grads = self._apply_backward("norm2", params, norm2, dy)
        dfed, feed_grads = self._feed_backward(params, feedforward, ds)
        du = ds + dfed
        ds, norm1_grads = self._apply_backward("norm1", params, norm1, du)
        dattended, attention_grads = self._attend_backward(params, attention, ds)
        return ds + dattended, attention_grads | feed_grads | norm1_grads | norm2_grads

    def _norm_first(self, params: Params, x: Array, masks: dict[str, Any]) -> tuple[Array, Any]:
        normed, norm1 = self._apply("norm1", params, x)
        attended, attention = self._attend(params, normed, masks)
        u = x + attended
        normed, norm2 = self._apply("norm2", params, u)
        fed, feedforward = self._feed(params, normed)
        return u + fed, (norm1, attention, norm2, feedforward)

    def _norm_first_backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        norm1, attention, norm2, feedforward = cache
        dnormed, feed_grads = self._feed_backward(params, feedforward, dy)
        through_block, norm2_grads = self._apply_backward("norm2", params, norm2, dnormed)
        du = dy + through_block
        dnormed, attention_grads = self._attend_backward(params, attention, du)
        through_block, norm1_grads = self._apply_backward("norm1", params, norm1, dnormed)
        return du + through_block, attention_grads | feed_grads | norm1_grads | norm2_grads

    # The two blocks.

    def _attend(self, params: Params, x: Array, masks: dict[str, Any]) -> tuple[Array, Any]:
        (y, _), cache = self.self_attn.forward(
            scoped(params, "self_attn"), x, x, x, need_weights=False, **masks
        )
        return y, cache

    def _attend_backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        (dquery, dkey, dvalue), grads = self.self_attn.backward(
            scoped(params, "self_attn"), cache, (dy, None)
        )
        return dquery + dkey + dvalue, prefixed("self_attn", grads)

    def _feed(self, params: Params, x: Array) -> tuple[Array, Any]:
        caches = {}
        for name in ("linear1", "activation", "linear2"):
            x, caches[name] = self._apply(name, params, x)
        return x, caches

    def _feed_backward(self, params: Params, caches: Any, dy: Array) -> tuple[Array, Params]:
        grads: Params = {}
        for name in ("linear2", "activation", "linear1"):
            dy, layer_grads = self._apply_backward(name, params, caches[name], dy)
            grads |= layer_grads
        return dy, grads

    def _apply(self, name: str, params: Params, x: Array) -> tuple[Array, Any]:
        """A layer that treats all steps alike."""
        return each_step(self.children()[name], scoped(params, name), x)

    def _apply_backward(
        self, name: str, params: Params, cache: Any, dy: Array
    ) -> tuple[Array, Params]:
        dx, grads = each_step_backward(self.children()[name], scoped(params, name), cache, dy)
        return dx, prefixed(name, grads)

    def _check(self, params: Params, src: Array) -> None:
        require_floating(self, "src", src, params)
        if src.ndim < 2 or src.shape[-1] != self.d_model:
            needed = "(N, L, {})" if self.batch_first else "(L, N, {})"
            raise ValueError(
                f"TransformerEncoderLayer: src is {src.shape}, but should be "
                f"{needed.format(self.d_model)}"
            )
        if self.training and self.dropout > 0:
            raise ValueError(
                f"TransformerEncoderLayer: dropout={self.dropout} is not supported in training; "
                f"use dropout=0, or train(False)"
            )
