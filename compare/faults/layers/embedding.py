"""Faults of the embedding and of dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.layers import forward_with, grads_at, having, when
from compare.faults.changes.methods import around, grad, instead, options, result
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _last_use(self: Any, cache: Any, dy: Array) -> Array:
    """The gradient where an index occurs for the last time, 0 before."""
    x = cache.reshape(-1)
    later = np.triu(x[:, None] == x, 1).any(axis=1)
    return np.where(later.reshape(*cache.shape, 1), 0, dy)


def _per_use(self: Any, cache: Any, dy: Array) -> Any:
    """The gradient divided by how often its index occurs."""
    x = cache.reshape(-1)
    count = (x[:, None] == x).sum(axis=1).astype(dy.dtype)
    return dy / count.reshape(*cache.shape, 1)


def _zero_at_padding(right: Method, self: Any, params: Params, x: Array) -> Any:
    y, cache = right(self, params, x)
    return np.where((x == self.padding_idx)[..., None], 0, y), cache


def _one_off(self: Any, params: Params) -> Params:
    return params | {"weight": np.roll(params["weight"], 1, axis=-2)}


def _but_first(g: Array) -> Any:
    return np.where(np.arange(g.shape[-2])[:, None] == 0, 0, g)


EMBEDDING = faults("Embedding",
    Right("np.add.at(dW, x, dy), which adds for every use; dW[x] += dy does not"),
    Row("assignment where indices repeat",
        "dW[x] = dy sets rows where it should add to them: the last use of an index wins",
        "gradient weight", grads_at(_last_use), needs="repeated indices"),
    Right("dW[v] = Σ dy over all places where x = v"),
    Row("gradient averaged over the uses of an index",
        "the sum over the uses of an index is divided by their number", "gradient weight",
        grads_at(_per_use), needs="repeated indices"),
    Right("the gradient of the row padding_idx is 0"),
    Row("padding row gets a gradient", "the row padding_idx is trained like any other",
        "gradient weight", result("_learned", lambda rows: rows | True),
        needs="padding_idx, and an index that is the padding"),
    Right("y = W[x] for every x; the row padding_idx starts at 0, and only its gradient is 0"),
    Row("padding gives zeros", "the output is 0 for the padding, whatever its row holds", "output",
        when(lambda self: self.padding_idx is not None, around("forward", _zero_at_padding)),
        needs="padding_idx whose row is not 0"),
    Right("y = W[x], with x counted from 0"),
    Row("index off by one", "row x − 1 is looked up: indices counted from 1", "output",
        forward_with(_one_off)),
    Right("only the row padding_idx has gradient 0"),
    Row("first row is never trained",
        "index 0 is taken for padding, though none is set", "gradient weight",
        when(having(padding_idx=None), grad("weight", _but_first)), needs="an index 0"),
)  # fmt: skip


_TRAINING, _EVALUATING = having(training=True), having(training=False)


def _scaled_down(right: Method, self: Any, params: Params, x: Array, **given: Any) -> Any:
    y, cache = right(self, params, x, **given)
    return y * (1 - self.p), cache


def _back(function: Callable[..., Any]) -> Changes:
    """Another backward in training: ``function(self, params, mask, dy)``."""
    return when(_TRAINING, instead("backward", function))


def _kept_as(change: Callable[[Array], Array]) -> Changes:
    """A backward in training with another mask, ``change(mask)``."""

    def backward(right: Method, self: Any, params: Params, kept: Array, dy: Array) -> Any:
        return right(self, params, change(kept), dy)

    return when(_TRAINING, around("backward", backward))


def _factor(p: float) -> float:
    return 1 / p if p > 0 else 0.0


def _mask_of_y(right: Method, self: Any, params: Params, x: Array, **given: Any) -> Any:
    y, kept = right(self, params, x, **given)
    return y, None if kept is None else y != 0


def _divided_by_p(right: Method, self: Any, x: Array, kept: Any) -> Any:
    return np.where(kept, x * _factor(self.p), 0)


DROPOUT = faults("Dropout", Right("y = x m/(1 − p) in training"),
    Row("not rescaled", "what is kept is not divided by 1 − p", "output",
        around("_scaled", lambda right, self, x, kept: right(self, x, kept) * (1 - self.p)),
        needs="p > 0, training"),
    Right("dx = dy m/(1 − p)"),
    Row("gradient not rescaled", "dx = dy m: the factor 1/(1 − p) is forgotten on the way back",
        "dx", _back(lambda self, params, kept, dy: (np.where(kept, dy, 0), {})),
        needs="p > 0, training"),
    Right("y = x m/(1 − p): p is the probability of 0"),
    Row("divided by p", "p is taken for the probability of keeping", "output",
        when(_TRAINING, around("_scaled", _divided_by_p)), needs="p other than ½, training"),
    Right("y = x in evaluation"),
    Row("rescaled in evaluation",
        "y = (1 − p) x in evaluation, though training has divided by 1 − p already", "output",
        when(_EVALUATING, around("forward", _scaled_down)), needs="p > 0, evaluation"),
    Row("active in evaluation", "evaluation drops and rescales as training does", "output",
        options("forward", training=True), needs="p > 0, evaluation"),
    Right("dx = dy m/(1 − p), with the m of forward"),
    Row("mask missing on the way back", "dx = dy/(1 − p): what was dropped gets a gradient, too",
        "dx", _kept_as(lambda kept: kept | True), needs="p > 0, training"),
    Row("derivative missing", "dx = dy: the error passes dropout as if it were not there", "dx",
        around("backward", lambda right, self, params, cache, dy: (dy, {})),
        needs="p > 0, training"),
    Right("remember m: where x is 0, y tells nothing of it"),
    Row("mask recovered from the output", "m is taken to be y ≠ 0, which is wrong where x is 0",
        "dx", around("forward", _mask_of_y), needs="inputs that are exactly 0, training"),
    Right("keep the mask of each pass with its cache"),
    Row("mask of another pass",
        "the mask was overwritten by another layer's or pass's before the way back", "dx",
        _kept_as(lambda kept: np.roll(kept, 1, axis=-1)), needs="p > 0, training"),
)  # fmt: skip
