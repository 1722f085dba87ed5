"""A small GPT: a transformer that foretells the next token."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.attention import causal_mask
from reference.layers.embedding import Embedding
from reference.layers.layernorm import LayerNorm
from reference.layers.linear import Linear
from reference.layers.sequential import Sequential
from reference.layers.transformer import TransformerEncoderLayer
from reference.module import Array, Module, Params, prefixed, scoped
from reference.support.checks import require, require_axes
from reference.support.tied import Tied


class CausalBlock(TransformerEncoderLayer):
    """A transformer's layer in which no step sees a later one; norm first, GELU, no dropout.

    Its backward is that of the layer: the mask is a constant.

    Args:
        d_model: features of each step, E.
        nhead: heads of the attention.
        dim_feedforward: width of the small network for each step.
        bias: whether its maps and norms have one.

    Shapes:
        src and y ``(..., N, T, E)``.
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int, bias: bool) -> None:
        super().__init__(
            *(d_model, nhead, dim_feedforward),
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
            bias=bias,
        )

    def forward(  # type: ignore[override] # the mask is not the caller's to choose
        self, params: Params, src: Array
    ) -> tuple[Array, Any]:
        mask = causal_mask(src.shape[-2])
        return super().forward(params, src, src_mask=mask, is_causal=True)


class Decoder(Module):
    r"""All of a GPT but the tie: the head has a weight of its own.

    ::

        e = token(x) + position(0 … T − 1)    (N, T, E)
        h = norm(blocks(e))                   (N, T, E)
        y = head(h), axes swapped             (N, V, T)    logits, for CrossEntropyLoss

    Going back the layers come in reverse, and de, the gradient at a sum, goes to both of its terms
    as it is. Every sample looks up the same positions, so a position's gradient is the sum over
    all samples: the embedding's rule for an index that occurs several times.
    """

    def __init__(
        self,
        num_embeddings: int,
        context: int,
        d_model: int,
        nhead: int,
        num_layers: int,
        dim_feedforward: int,
        bias: bool,
    ) -> None:
        blocks = [CausalBlock(d_model, nhead, dim_feedforward, bias) for _ in range(num_layers)]
        self.token = Embedding(num_embeddings, d_model)
        self.position = Embedding(context, d_model)
        self.blocks = Sequential(*blocks)
        self.norm = LayerNorm(d_model, bias=bias)
        self.head = Linear(d_model, num_embeddings, bias=False)

    def init(self, rng: np.random.Generator) -> Params:
        """As ``torch.nn`` does, but for both tables: normal with σ = 0.02, as in GPT-2.

        The token's vectors are the head's weight, too, and with σ = 1 the first logits were large.
        """
        tables = {
            f"{name}.weight": 0.02 * rng.standard_normal((table.num_embeddings, self.width))
            for name, table in (("token", self.token), ("position", self.position))
        }
        return super().init(rng) | tables

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        self._check(x)
        positions = np.broadcast_to(np.arange(x.shape[-1]), x.shape)
        token, token_cache = self.token.forward(scoped(params, "token"), x)
        position, position_cache = self.position.forward(scoped(params, "position"), positions)
        h, caches = token + position, {}
        for name in ("blocks", "norm", "head"):
            h, caches[name] = self.children()[name].forward(scoped(params, name), h)
        return h.swapaxes(-1, -2), caches | {"token": token_cache, "position": position_cache}

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[None, Params]:
        dh = dy.swapaxes(-1, -2)
        grads: Params = {}
        for name in ("head", "norm", "blocks"):
            layer = self.children()[name]
            dh, layer_grads = layer.backward(scoped(params, name), cache[name], dh)
            grads |= prefixed(name, layer_grads)
        for name in ("token", "position"):
            table = self.children()[name]
            _, table_grads = table.backward(scoped(params, name), cache[name], dh)
            grads |= prefixed(name, table_grads)
        return None, grads

    @property
    def width(self) -> int:
        """Features of each step, E."""
        return self.token.embedding_dim

    def _check(self, x: Array) -> None:
        require_axes(self, x, 2)
        context = self.position.num_embeddings
        fits = x.shape[-1] <= context
        require(fits, self, "the input's length", x.shape[-1], f"at most the context, {context}")


class GPT(Tied):
    r"""A stack of causal transformer layers over tokens and their positions, see :class:`Decoder`.

    The vector of a token, looked up at the start, is also the weight that scores it at the end.
    That one matrix W is used twice, so its gradient is the sum of both, see :class:`Tied`::

        dW = Hᵀ de + dyᵀ h        H the one-hot rows of the tokens

    Args:
        num_embeddings: tokens there are, V.
        context: the longest sequence.
        d_model: features of each step, E.
        nhead: heads of each attention.
        num_layers: blocks on top of each other.
        dim_feedforward: width of the small network in each block.
        bias: whether maps and norms have one. The gradient of an attention's key bias is 0 but for
            rounding, and an adaptive update rule would divide that rounding by its own size.

    Shapes:
        x ``(N, T)``, numbers of tokens, T at most ``context``; y ``(N, V, T)``, the axis of
        classes second as PyTorch has it. There is no dx.

    Source:
        Radford et al., Language models are unsupervised multitask learners (GPT-2), 2019; the
        tie: Press and Wolf, https://arxiv.org/abs/1608.05859.
    """

    def __init__(
        self,
        num_embeddings: int,
        context: int = 32,
        d_model: int = 32,
        nhead: int = 4,
        num_layers: int = 2,
        dim_feedforward: int = 128,
        bias: bool = False,
    ) -> None:
        decoder = Decoder(
            num_embeddings, context, d_model, nhead, num_layers, dim_feedforward, bias
        )
        super().__init__(decoder, {"head.weight": "token.weight"})
