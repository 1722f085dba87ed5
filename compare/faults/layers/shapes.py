"""Faults of layers that lay numbers out anew, of residual connections and of shared parameters."""

from __future__ import annotations

from typing import Any

from compare.faults.changes.layers import having, when
from compare.faults.changes.methods import around, output, result
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _column_major(y: Array) -> Any:
    """The same shape, filled in the order in which the first axis runs fastest."""
    axes = tuple(reversed(range(y.ndim)))
    return y.transpose(axes).reshape(y.shape)


def _samples_mixed(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    return _column_major(dy).reshape(cache), {}


def _channels_last(right: Method, self: Any, params: Params, x: Array) -> Any:
    """An image flattened with its channels running fastest."""
    y, _ = right(self, params, x)
    start = self.start_dim % x.ndim
    order = (*range(start), *range(start + 1, x.ndim), start)
    return x.transpose(order).reshape(y.shape), x.shape


SHAPES = faults(
    "Flatten", Right("y = x.reshape(N, −1), the last axis fastest"),
    Row("order of columns", "the numbers are laid out with the first axis fastest, as by order='F'",
        "output", output(_column_major)),
    Right("y = x.reshape(N, −1) of x (N, C, H, W)"),
    Row("channels last", "the channels run fastest: the image was laid out (N, H, W, C)", "output",
        when(having(end_dim=-1), around("forward", _channels_last)),
        needs="more than one channel and place"),
    Right("dx = dy.reshape(x.shape)"),
    Row("gradient laid out in another order", "dx = dy laid out with the first axis fastest", "dx",
        around("backward", _samples_mixed), needs="more than one axis"),
    "Unflatten", Right("y = x.reshape(…), the last axis fastest"),
    Row("order of columns", "the numbers are laid out with the first axis fastest, as by order='F'",
        "output", output(_column_major)),
    Right("dx = dy.reshape(x.shape)"),
    Row("gradient laid out in another order", "dx = dy laid out with the first axis fastest", "dx",
        around("backward", _samples_mixed)),
)  # fmt: skip


def _skip_only(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    return dy, right(self, params, cache, dy)[1]


def _without_skip(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    dx, found = right(self, params, cache, dy)
    return dx - dy, found


def _overwritten(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
    """The gradient at the tied name alone."""
    dx, found = right(self, params, cache, dy)
    _, parts = self.module.backward(self._all(params), cache, dy)
    return dx, found | {owner: parts[name] for name, owner in self.ties.items()}


def _first_use(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
    """The gradient at the owner's name alone."""
    dx, found = right(self, params, cache, dy)
    _, parts = self.module.backward(self._all(params), cache, dy)
    return dx, {name: parts[name] for name in found}


def _averaged_uses(right: Method, self: Any, params: Params, cache: Any, dy: Any) -> Any:
    dx, found = right(self, params, cache, dy)
    uses = {owner: 1 + [*self.ties.values()].count(owner) for owner in self.ties.values()}
    return dx, {name: g / uses.get(name, 1) for name, g in found.items()}


def _input_not_added(right: Method, self: Any, params: Params, x: Array, **given: Any) -> Any:
    y, cache = right(self, params, x, **given)
    return y - x, cache


#: The spoiled gradient of a tied parameter has the name of its owner, which differs by network.
CONNECTIONS = faults(
    "Residual", Right("dx = dy + f'ᵀ dy: x reaches y in two ways"),
    Row("skip's gradient dropped", "dx is what comes back through the module alone", "dx",
        around("backward", _without_skip),
        needs="a layer before it, or the input's gradient compared"),
    Row("module's gradient dropped", "dx = dy: what comes back through the module is forgotten",
        "dx", around("backward", _skip_only),
        needs="a layer before it, or the input's gradient compared"),
    Row("gradient halved", "dx is the mean of the two ways, not their sum", "dx",
        result("backward", lambda pair: (pair[0] / 2, pair[1])),
        needs="a layer before it, or the input's gradient compared"),
    Right("y = x + f(x)"),
    Row("input not added", "y = f(x): the skip is missing", "output",
        around("forward", _input_not_added)),
    "Tied", Right("add the gradients of all uses of a shared parameter"),
    Row("gradient overwritten by the second use",
        "the gradient of the second use replaces that of the first", "gradient",
        around("backward", _overwritten), needs="a shared parameter"),
    Row("gradient of the first use only", "the second use counts as a constant", "gradient",
        around("backward", _first_use), needs="a shared parameter"),
    Row("gradient averaged over the uses", "the mean over the uses is taken, not the sum",
        "gradient", around("backward", _averaged_uses), needs="a shared parameter"),
)  # fmt: skip
