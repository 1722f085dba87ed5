"""Faults of the softmax and its kin, and of GLU."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.faults.changes import around, dx, dx_of, instead
from compare.faults.changes_layers import fault
from compare.faults.fault import Method
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

_SOFTMAX = (
    fault(
        "Softmax",
        "diagonal of the Jacobian only",
        "dx = dy y (1 − y), as of a sigmoid: how each output moves the others is left out",
        dx_of(lambda self, x, y, dy: dy * y * (1 - y)),
        "dx",
        _DIAGONAL,
    ),
    fault(
        "Softmax",
        "backward sums along another axis",
        "the sum of dy y runs over another axis than forward's",
        dx_of(lambda self, x, y, dy: softmax_backward(y, dy, _axis(x, self.axis(x)))),
        "dx",
        _DIAGONAL,
    ),
    fault(
        "Softmax",
        "along another axis",
        "the outputs add up to 1 along another axis than the one given",
        instead(
            "forward",
            lambda self, params, x: (softmax(x, _axis(x, self.axis(x))), (x, self.axis(x))),
        ),
        "output or dx",
        "y = eˣ/Σ eˣ along dim",
    ),
    fault(
        "Softmax",
        "normalised over all entries",
        "the sum runs over the whole array, samples and all",
        instead("forward", _over_all),
        "output",
        "Σ eˣ along dim alone, with keepdims",
        "more than one row",
    ),
    fault(
        "Softmax",
        "applied twice",
        "y = softmax(softmax(x))",
        around(
            "forward",
            lambda right, self, params, x: right(self, params, softmax(x, self.axis(x))),
        ),
        "output",
        "y = softmax(x), once",
    ),
    fault(
        "Softmax",
        "sum over the row added",
        "a sign is wrong: dx = y (dy + Σⱼ dyⱼ yⱼ)",
        dx_of(lambda self, x, y, dy: y * (dy + (dy * y).sum(axis=self.axis(x), keepdims=True))),
        "dx",
        _DIAGONAL,
    ),
    fault(
        "Softmax",
        "sum over the row without y",
        "dx = y (dy − Σⱼ dyⱼ)",
        dx_of(lambda self, x, y, dy: y * (dy - dy.sum(axis=self.axis(x), keepdims=True))),
        "dx",
        _DIAGONAL,
    ),
    fault(
        "Softmax",
        "factor y missing",
        "dx = dy − Σⱼ dyⱼ yⱼ",
        dx_of(lambda self, x, y, dy: dy - (dy * y).sum(axis=self.axis(x), keepdims=True)),
        "dx",
        _DIAGONAL,
    ),
    fault(
        "Softmax",
        "derivative missing",
        "dx = dy, right only if the loss had the softmax's derivative in it already",
        dx_of(lambda self, x, y, dy: dy),
        "dx",
        _DIAGONAL,
    ),
    fault(
        "Softmax",
        "overflow",
        "eˣ overflows: the largest x is not subtracted first",
        instead("forward", _unshifted),
        "output",
        "y = e^(x − max x)/Σ e^(x − max x)",
        "large inputs",
    ),
    fault(
        "Softmin",
        "sign of the derivative",
        "dx is that of a softmax: the inner derivative −1 is forgotten",
        dx(lambda d: -d),
        "dx",
        "dx = −y (dy − Σⱼ dyⱼ yⱼ)",
    ),
    fault(
        "Softmin",
        "1 − softmax",
        "the complement of the softmax is taken for the softmax of −x",
        around(
            "forward",
            lambda right, self, params, x: (
                1 - softmax(x, self.axis(x)),
                right(self, params, x)[1],
            ),
        ),
        "output",
        "y = softmax(−x)",
    ),
    fault(
        "LogSoftmax",
        "exponential missing",
        "y is taken for the probabilities: dx = dy − y Σ dy",
        dx_of(lambda self, x, y, dy: dy - y * dy.sum(axis=self.axis(x), keepdims=True)),
        "dx",
        "dx = dy − e^y Σⱼ dyⱼ",
    ),
    fault(
        "LogSoftmax",
        "sum dropped",
        "dx = dy − e^y dy: how each output moves the others is left out",
        dx_of(lambda self, x, y, dy: dy - np.exp(y) * dy),
        "dx",
        "dx = dy − e^y Σⱼ dyⱼ",
    ),
    fault(
        "LogSoftmax",
        "backward of the softmax",
        "dx = p (dy − Σ dy p): that of the softmax, without the logarithm's 1/p",
        dx_of(lambda self, x, y, dy: softmax_backward(np.exp(y), dy, self.axis(x))),
        "dx",
        "dx = dy − e^y Σⱼ dyⱼ",
    ),
    fault(
        "LogSoftmax",
        "backward sums along another axis",
        "the sum of dy runs over another axis than forward's",
        dx_of(_log_summed_along_another),
        "dx",
        "dx = dy − e^y Σⱼ dyⱼ, the sum along the same axis as forward",
    ),
    fault(
        "LogSoftmax",
        "sign of the derivative",
        "dx = e^y Σ dy − dy",
        dx(lambda d: -d),
        "dx",
        "dx = dy − e^y Σⱼ dyⱼ",
    ),
    fault(
        "LogSoftmax",
        "logarithm of a rounded softmax",
        "log of a softmax that was rounded to 0 is −∞",
        around("forward", _log_of_softmax),
        "output",
        "y = (x − max x) − log Σ e^(x − max x)",
        "inputs far apart",
    ),
    fault(
        "LogSoftmax",
        "along another axis",
        "the probabilities add up to 1 along another axis than the one given",
        around(
            "forward",
            lambda right, self, params, x: (
                log_softmax(x, _axis(x, self.axis(x))),
                right(self, params, x)[1],
            ),
        ),
        "output",
        "y = x − log Σ eˣ along dim",
    ),
)


def _glu(change: Any) -> Any:
    """A backward of GLU that gives ``change(a, gate, dy)``, the gradients of the halves."""

    def backward(self: Any, params: Params, cache: Any, dy: Array) -> Any:
        return np.concatenate(change(*cache, dy), axis=self.dim), {}

    return instead("backward", backward)


_GLU = (
    fault(
        "GLU",
        "slope of the gate missing",
        "db = dy a: the sigmoid's derivative is forgotten",
        _glu(lambda a, gate, dy: [dy * gate, dy * a]),
        "dx",
        "db = dy a g (1 − g)",
    ),
    fault(
        "GLU",
        "halves exchanged on the way back",
        "the gradients of the two halves are put together in the wrong order",
        _glu(lambda a, gate, dy: [dy * a * gate * (1 - gate), dy * gate]),
        "dx",
        "dx holds da = dy g first, then db = dy a g (1 − g)",
    ),
    fault(
        "GLU",
        "a missing in the gate's gradient",
        "db = dy g (1 − g)",
        _glu(lambda a, gate, dy: [dy * gate, dy * gate * (1 - gate)]),
        "dx",
        "db = dy a g (1 − g)",
    ),
    fault(
        "GLU",
        "first half is the gate",
        "y = σ(a) b",
        around(
            "forward",
            lambda right, self, params, x: right(
                self, params, np.concatenate(self._halves(x)[::-1], axis=self.dim)
            ),
        ),
        "output",
        "y = a σ(b), a the first half and b the second",
    ),
)

SOFTMAX = (*_SOFTMAX, *_GLU)
