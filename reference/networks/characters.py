"""Recurrent networks that foretell the next character of a text."""

from __future__ import annotations

from typing import Any

from reference.layers.embedding import Embedding
from reference.layers.linear import Linear
from reference.module import Array, Module, Params, prefixed, scoped
from reference.recurrent import LSTM, RNN
from reference.recurrent.recurrent import Recurrent


class CharacterNetwork(Module):
    r"""Characters to vectors, through time, and at every step to a score of each character.

    ::

        e = embedding(x)              (N, T, E)
        h = recurrent(e)              (N, T, H)     from zero states; the last ones are not used
        y = linear(h), axes swapped   (N, V, T)     logits, for CrossEntropyLoss

    The loss reads y at every step, so dy enters the recurrent layer at every step, while the
    last states, which nothing reads, have no gradient. One layer after the other, in reverse.

    Args:
        num_embeddings: characters there are, V.
        embedding_dim: size of a character's vector, E.
        recurrent: the layer in the middle, batch first, with H features.

    Shapes:
        x ``(N, T)``, numbers of characters; y ``(N, V, T)``, the axis of classes second as
        PyTorch has it. There is no dx.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, recurrent: Recurrent) -> None:
        self.embedding = Embedding(num_embeddings, embedding_dim)
        self.recurrent = recurrent
        self.linear = Linear(recurrent.hidden_size, num_embeddings)

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        e, embedding = self.embedding.forward(scoped(params, "embedding"), x)
        (h, _), recurrent = self.recurrent.forward(scoped(params, "recurrent"), e)
        logits, linear = self.linear.forward(scoped(params, "linear"), h)  # (N, T, V)
        return logits.swapaxes(-1, -2), (embedding, recurrent, linear)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[None, Params]:
        embedding, recurrent, linear = cache
        dlogits = dy.swapaxes(-1, -2)
        dh, linear_grads = self.linear.backward(scoped(params, "linear"), linear, dlogits)
        de, recurrent_grads = self.recurrent.backward(
            scoped(params, "recurrent"), recurrent, (dh, None)
        )
        _, embedding_grads = self.embedding.backward(scoped(params, "embedding"), embedding, de)
        return None, (
            prefixed("embedding", embedding_grads)
            | prefixed("recurrent", recurrent_grads)
            | prefixed("linear", linear_grads)
        )


class CharRNN(CharacterNetwork):
    """A :class:`CharacterNetwork` whose memory is a plain tanh state.

    Args:
        num_embeddings: characters there are.
        embedding_dim: size of a character's vector.
        hidden_size: features of the state.
        num_layers: recurrent layers on top of each other.

    Source:
        Elman, Finding structure in time, Cognitive Science 14 (1990).
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int = 16,
        hidden_size: int = 64,
        num_layers: int = 1,
    ) -> None:
        recurrent = RNN(embedding_dim, hidden_size, num_layers, batch_first=True)
        super().__init__(num_embeddings, embedding_dim, recurrent)


class CharLSTM(CharacterNetwork):
    """A :class:`CharacterNetwork` whose memory is kept, written and read through gates.

    Args:
        num_embeddings: characters there are.
        embedding_dim: size of a character's vector.
        hidden_size: features of the state.
        num_layers: recurrent layers on top of each other.

    Source:
        Graves, Generating sequences with recurrent neural networks,
        https://arxiv.org/abs/1308.0850.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int = 16,
        hidden_size: int = 64,
        num_layers: int = 1,
    ) -> None:
        recurrent = LSTM(embedding_dim, hidden_size, num_layers, batch_first=True)
        super().__init__(num_embeddings, embedding_dim, recurrent)
