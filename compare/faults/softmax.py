"""Faults of the softmax and its kin, and of GLU."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import around, dx, dx_of, instead
from compare.faults.fault import Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.activations.softmax import log_softmax, softmax, softmax_backward


def _axis(x: Array, axis: int) -> int:
    """The next axis, which is the wrong one where there is more than one."""
    return (axis + 1) % x.ndim


def _over_all(self: Any, params: Params, x: Array) -> Any:
    z = np.exp(x - x.max(axis=self.axis(x), keepdims=True))
    y = z / z.sum()
    return y, (y, self.axis(x))


def _unshifted(self: Any, params: Params, x: Array) -> Any:
    axis = self.axis(x)
    z = np.exp(x)
    y = z / z.sum(axis=axis, keepdims=True)
    return y, (y, axis)


def _log_of_softmax(right: Method, self: Any, params: Params, x: Array) -> Any:
    return np.log(softmax(x, self.axis(x))), right(self, params, x)[1]


def _log_summed_along_another(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return dy - np.exp(y) * dy.sum(axis=_axis(x, self.axis(x)), keepdims=True)


_DIAGONAL = "dx = y (dy − Σⱼ dyⱼ yⱼ), the sum along the same axis as forward"


def _along_another_axis(self: Any, params: Params, x: Array) -> Any:
    return (softmax(x, _axis(x, self.axis(x))), (x, self.axis(x)))


def _applied_twice(right: Method, self: Any, params: Params, x: Array) -> Any:
    return right(self, params, softmax(x, self.axis(x)))


def _sum_over_the_row_added(self: Any, x: Array, y: Array, dy: Array) -> Any:
    return y * (dy + (dy * y).sum(axis=self.axis(x), keepdims=True))


def _1_softmax(right: Method, self: Any, params: Params, x: Array) -> Any:
    return (1 - softmax(x, self.axis(x)), right(self, params, x)[1])


def _logsoftmax_along_another_axis(right: Method, self: Any, params: Params, x: Array) -> Any:
    return (log_softmax(x, _axis(x, self.axis(x))), right(self, params, x)[1])


_SOFTMAX = (
    *faults("Softmax", Right(_DIAGONAL),
        Row("diagonal of the Jacobian only",
            "dx = dy y (1 − y), as of a sigmoid: how each output moves the others is left out",
            "dx", dx_of(lambda self, x, y, dy: dy * y * (1 - y))),
        Row("backward sums along another axis",
            "the sum of dy y runs over another axis than forward's", "dx",
            dx_of(lambda self, x, y, dy: softmax_backward(y, dy, _axis(x, self.axis(x))))),
        Right("y = eˣ/Σ eˣ along dim"),
        Row("along another axis", "the outputs add up to 1 along another axis than the one given",
            "output or dx", instead("forward", _along_another_axis)),
        Right("Σ eˣ along dim alone, with keepdims"),
        Row("normalised over all entries", "the sum runs over the whole array, samples and all",
            "output", instead("forward", _over_all), needs="more than one row"),
        Right("y = softmax(x), once"),
        Row("applied twice", "y = softmax(softmax(x))", "output",
            around("forward", _applied_twice)),
        Right(_DIAGONAL),
        Row("sum over the row added", "a sign is wrong: dx = y (dy + Σⱼ dyⱼ yⱼ)", "dx",
            dx_of(_sum_over_the_row_added)),
        Row("sum over the row without y", "dx = y (dy − Σⱼ dyⱼ)", "dx",
            dx_of(lambda self, x, y, dy: y * (dy - dy.sum(axis=self.axis(x), keepdims=True)))),
        Row("factor y missing", "dx = dy − Σⱼ dyⱼ yⱼ", "dx",
            dx_of(lambda self, x, y, dy: dy - (dy * y).sum(axis=self.axis(x), keepdims=True))),
        Row("derivative missing",
            "dx = dy, right only if the loss had the softmax's derivative in it already", "dx",
            dx_of(lambda self, x, y, dy: dy)),
        Right("y = e^(x − max x)/Σ e^(x − max x)"),
        Row("overflow", "eˣ overflows: the largest x is not subtracted first", "output",
            instead("forward", _unshifted), needs="large inputs"),
    ),
    *faults("Softmin", Right("dx = −y (dy − Σⱼ dyⱼ yⱼ)"),
        Row("sign of the derivative",
            "dx is that of a softmax: the inner derivative −1 is forgotten", "dx",
            dx(lambda d: -d)),
        Right("y = softmax(−x)"),
        Row("1 − softmax", "the complement of the softmax is taken for the softmax of −x", "output",
            around("forward", _1_softmax)),
    ),
    *faults("LogSoftmax", Right("dx = dy − e^y Σⱼ dyⱼ"),
        Row("exponential missing", "y is taken for the probabilities: dx = dy − y Σ dy", "dx",
            dx_of(lambda self, x, y, dy: dy - y * dy.sum(axis=self.axis(x), keepdims=True))),
        Row("sum dropped", "dx = dy − e^y dy: how each output moves the others is left out", "dx",
            dx_of(lambda self, x, y, dy: dy - np.exp(y) * dy)),
        Row("backward of the softmax",
            "dx = p (dy − Σ dy p): that of the softmax, without the logarithm's 1/p", "dx",
            dx_of(lambda self, x, y, dy: softmax_backward(np.exp(y), dy, self.axis(x)))),
        Right("dx = dy − e^y Σⱼ dyⱼ, the sum along the same axis as forward"),
        Row("backward sums along another axis",
            "the sum of dy runs over another axis than forward's", "dx",
            dx_of(_log_summed_along_another)),
        Right("dx = dy − e^y Σⱼ dyⱼ"),
        Row("sign of the derivative", "dx = e^y Σ dy − dy", "dx", dx(lambda d: -d)),
        Right("y = (x − max x) − log Σ e^(x − max x)"),
        Row("logarithm of a rounded softmax", "log of a softmax that was rounded to 0 is −∞",
            "output", around("forward", _log_of_softmax), needs="inputs far apart"),
        Right("y = x − log Σ eˣ along dim"),
        Row("along another axis",
            "the probabilities add up to 1 along another axis than the one given", "output",
            around("forward", _logsoftmax_along_another_axis)),
    ),
)  # fmt: skip


def _glu(change: Any) -> Any:
    """A backward of GLU that gives ``change(a, gate, dy)``, the gradients of the halves."""

    def backward(self: Any, params: Params, cache: Any, dy: Array) -> Any:
        return np.concatenate(change(*cache, dy), axis=self.dim), {}

    return instead("backward", backward)


def _first_half_is_the_gate(right: Method, self: Any, params: Params, x: Array) -> Any:
    return right(self, params, np.concatenate(self._halves(x)[::-1], axis=self.dim))


_GLU = faults("GLU", Right("db = dy a g (1 − g)"),
    Row("slope of the gate missing", "db = dy a: the sigmoid's derivative is forgotten", "dx",
        _glu(lambda a, gate, dy: [dy * gate, dy * a])),
    Right("dx holds da = dy g first, then db = dy a g (1 − g)"),
    Row("halves exchanged on the way back",
        "the gradients of the two halves are put together in the wrong order", "dx",
        _glu(lambda a, gate, dy: [dy * a * gate * (1 - gate), dy * gate])),
    Right("db = dy a g (1 − g)"),
    Row("a missing in the gate's gradient", "db = dy g (1 − g)", "dx",
        _glu(lambda a, gate, dy: [dy * gate, dy * gate * (1 - gate)])),
    Right("y = a σ(b), a the first half and b the second"),
    Row("first half is the gate", "y = σ(a) b", "output",
        around("forward", _first_half_is_the_gate)),
)  # fmt: skip

SOFTMAX = (*_SOFTMAX, *_GLU)
