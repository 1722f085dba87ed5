"""Recurrent networks that foretell the next character of a text."""

from __future__ import annotations

from torch import Tensor, nn


class CharacterNetwork(nn.Module):
    """Characters to vectors, through time, and at every step to a score of each character.

    Args:
        num_embeddings: characters there are, V.
        embedding_dim: size of a character's vector.
        recurrent: the layer in the middle, batch first.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, recurrent: nn.RNNBase) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim)
        self.recurrent = recurrent
        self.linear = nn.Linear(recurrent.hidden_size, num_embeddings)

    def forward(self, input: Tensor) -> Tensor:
        """Logits ``(N, V, T)`` of characters ``(N, T)``."""
        h, _ = self.recurrent(self.embedding(input))
        logits: Tensor = self.linear(h)  # (N, T, V)
        return logits.transpose(-1, -2)


class CharRNN(CharacterNetwork):
    """A :class:`CharacterNetwork` whose memory is a plain tanh state.

    Args:
        num_embeddings: characters there are.
        embedding_dim: size of a character's vector.
        hidden_size: features of the state.
        num_layers: recurrent layers on top of each other.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int = 16,
        hidden_size: int = 64,
        num_layers: int = 1,
    ) -> None:
        recurrent = nn.RNN(embedding_dim, hidden_size, num_layers, batch_first=True)
        super().__init__(num_embeddings, embedding_dim, recurrent)


class CharLSTM(CharacterNetwork):
    """A :class:`CharacterNetwork` whose memory is kept, written and read through gates.

    Args:
        num_embeddings: characters there are.
        embedding_dim: size of a character's vector.
        hidden_size: features of the state.
        num_layers: recurrent layers on top of each other.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int = 16,
        hidden_size: int = 64,
        num_layers: int = 1,
    ) -> None:
        recurrent = nn.LSTM(embedding_dim, hidden_size, num_layers, batch_first=True)
        super().__init__(num_embeddings, embedding_dim, recurrent)
