"""A table of vectors, looked up by number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes
from reference.support.checks import per_axis, require


class Embedding(Module):
    r"""Row ``x[t]`` of a table, for each index x[t]: ``y[t] = W[x[t]]``.

    Written as a product with the matrix of one-hot rows H, H[t, v] = 1 where x[t] = v::

        y = H W        so        dW = Hᵀ dy,        dW[v] = Σ_{t: x[t] = v} dy[t]

    An index that occurs several times receives the sum of its gradients, one that does not occur
    0. Indices are whole numbers, so there is no dx: it is None.

    The row ``padding_idx`` stands for "nothing here". It starts at 0 and has gradient 0, so it
    stays what it is.

    H has as many columns as the table has rows; it is made for the gradient alone.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: size of each row.
        padding_idx: the row that is not learned; negative ones count from the end.

    Shapes:
        x ``(*)``, integers; y ``(*, embedding_dim)``; weight ``(num_embeddings, embedding_dim)``.
        Leading axes of the weight are an ensemble, and come first in y.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        (self.num_embeddings,) = per_axis(self, "num_embeddings", num_embeddings, 1)
        (self.embedding_dim,) = per_axis(self, "embedding_dim", embedding_dim, 1)
        if padding_idx is not None:
            inside = -num_embeddings <= padding_idx < num_embeddings
            needed = f"from {-num_embeddings} to {num_embeddings - 1}"
            require(inside, self, "padding_idx", padding_idx, needed)
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx

    def parameter_shapes(self) -> Shapes:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def init(self, rng: np.random.Generator) -> Params:
        """Standard normal, and 0 in the row ``padding_idx``: PyTorch's default."""
        weight = rng.standard_normal((self.num_embeddings, self.embedding_dim))
        return {"weight": np.where(self._learned(), weight, 0)}

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        require(x.dtype.kind in "iu", self, "the indices' dtype", x.dtype, "an integer type")
        valid = (x >= 0) & (x < self.num_embeddings)
        needed = f"from 0 to {self.num_embeddings - 1}"
        require(bool(valid.all()), self, "an index", x[~valid][:1], needed)
        return params["weight"][..., x, :], x

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[None, Params]:
        x = cache
        dy = dy.reshape(*dy.shape[: dy.ndim - 1 - x.ndim], math.prod(x.shape), dy.shape[-1])
        one_hot = np.arange(self.num_embeddings)[:, None] == x.reshape(-1)  # Hᵀ, (V, T)
        dw = one_hot.astype(dy.dtype) @ dy
        return None, {"weight": np.where(self._learned(), dw, 0)}

    def _learned(self) -> Array:
        """Which rows are learned, ``(num_embeddings, 1)``."""
        rows: Array = np.arange(self.num_embeddings)[:, None] != self.padding_idx
        return rows
