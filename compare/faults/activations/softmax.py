"""Faults of the softmax and its kin, and of GLU."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes.methods import dx, dx_of, fed, instead, y_of
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.activations.softmax import log_softmax, softmax, softmax_backward


def _next(self: Any, x: Array) -> int:
    """The axis after the right one, which is another where there is more than one."""
    return (int(self.axis(x)) + 1) % x.ndim


def _over_all(self: Any, params: Params, x: Array) -> Any:
    z = np.exp(x - x.max(axis=self.axis(x), keepdims=True))
    y = z / z.sum()
    return y, (y, self.axis(x))


def _unshifted(self: Any, params: Params, x: Array) -> Any:
    axis = self.axis(x)
    z = np.exp(x)
    y = z / z.sum(axis=axis, keepdims=True)
    return y, (y, axis)


def _total(self: Any, terms: Array) -> Any:
    """The sum along the axis of forward."""
    return terms.sum(axis=self.axis(terms), keepdims=True)


def _total_of_next(self: Any, terms: Array) -> Any:
    return terms.sum(axis=_next(self, terms), keepdims=True)


_DIAGONAL = "dx = y (dy − Σⱼ dyⱼ yⱼ), the sum along the same axis as forward"


def _along_another_axis(self: Any, params: Params, x: Array) -> Any:
    return softmax(x, _next(self, x)), (x, self.axis(x))


_SOFTMAX = faults(
    "Softmax", Right(_DIAGONAL),
    Row("diagonal of the Jacobian only",
        "dx = dy y (1 − y), as of a sigmoid: how each output moves the others is left out", "dx",
        dx_of(lambda self, x, y, dy: dy * y * (1 - y))),
    Row("backward sums along another axis", "the sum of dy y runs over another axis than forward's",
        "dx", dx_of(lambda self, x, y, dy: softmax_backward(y, dy, _next(self, x)))),
    Right("y = eˣ/Σ eˣ along dim"),
    Row("along another axis", "the outputs add up to 1 along another axis than the one given",
        "output or dx", instead("forward", _along_another_axis)),
    Right("Σ eˣ along dim alone, with keepdims"),
    Row("normalised over all entries", "the sum runs over the whole array, samples and all",
        "output", instead("forward", _over_all), needs="more than one row"),
    Right("y = softmax(x), once"),
    Row("applied twice", "y = softmax(softmax(x))", "output",
        fed(lambda self, x: softmax(x, self.axis(x)))),
    Right(_DIAGONAL),
    Row("sum over the row added", "a sign is wrong: dx = y (dy + Σⱼ dyⱼ yⱼ)", "dx",
        dx_of(lambda self, x, y, dy: y * (dy + _total(self, dy * y)))),
    Row("sum over the row without y", "dx = y (dy − Σⱼ dyⱼ)", "dx",
        dx_of(lambda self, x, y, dy: y * (dy - _total(self, dy)))),
    Row("factor y missing", "dx = dy − Σⱼ dyⱼ yⱼ", "dx",
        dx_of(lambda self, x, y, dy: dy - _total(self, dy * y))),
    Row("derivative missing",
        "dx = dy, right only if the loss had the softmax's derivative in it already", "dx",
        dx_of(lambda self, x, y, dy: dy)),
    Right("y = e^(x − max x)/Σ e^(x − max x)"),
    Row("overflow", "eˣ overflows: the largest x is not subtracted first", "output",
        instead("forward", _unshifted), needs="large inputs"),
    "Softmin", Right("dx = −y (dy − Σⱼ dyⱼ yⱼ)"),
    Row("sign of the derivative",
        "dx is that of a softmax: the inner derivative −1 is forgotten", "dx", dx(lambda d: -d)),
    Right("y = softmax(−x)"),
    Row("1 − softmax", "the complement of the softmax is taken for the softmax of −x", "output",
        y_of(lambda self, x: 1 - softmax(x, self.axis(x)))),
    "LogSoftmax", Right("dx = dy − e^y Σⱼ dyⱼ"),
    Row("exponential missing", "y is taken for the probabilities: dx = dy − y Σ dy", "dx",
        dx_of(lambda self, x, y, dy: dy - y * _total(self, dy))),
    Row("sum dropped", "dx = dy − e^y dy: how each output moves the others is left out", "dx",
        dx_of(lambda self, x, y, dy: dy - np.exp(y) * dy)),
    Row("backward of the softmax",
        "dx = p (dy − Σ dy p): that of the softmax, without the logarithm's 1/p", "dx",
        dx_of(lambda self, x, y, dy: softmax_backward(np.exp(y), dy, self.axis(x)))),
    Right("dx = dy − e^y Σⱼ dyⱼ, the sum along the same axis as forward"),
    Row("backward sums along another axis", "the sum of dy runs over another axis than forward's",
        "dx", dx_of(lambda self, x, y, dy: dy - np.exp(y) * _total_of_next(self, dy))),
    Right("dx = dy − e^y Σⱼ dyⱼ"),
    Row("sign of the derivative", "dx = e^y Σ dy − dy", "dx", dx(lambda d: -d)),
    Right("y = (x − max x) − log Σ e^(x − max x)"),
    Row("logarithm of a rounded softmax", "log of a softmax that was rounded to 0 is −∞", "output",
        y_of(lambda self, x: np.log(softmax(x, self.axis(x)))), needs="inputs far apart"),
    Right("y = x − log Σ eˣ along dim"),
    Row("along another axis", "the probabilities add up to 1 along another axis than the one given",
        "output", y_of(lambda self, x: log_softmax(x, _next(self, x)))),
)  # fmt: skip


def _glu(change: Any) -> Any:
    """A backward of GLU that gives ``change(a, gate, dy)``, the gradients of the halves."""

    def backward(self: Any, params: Params, cache: Any, dy: Array) -> Any:
        return np.concatenate(change(*cache, dy), axis=self.dim), {}

    return instead("backward", backward)


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
        fed(lambda self, x: np.concatenate(self._halves(x)[::-1], axis=self.dim))),
)  # fmt: skip

SOFTMAX = (*_SOFTMAX, *_GLU)
