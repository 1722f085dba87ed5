"""Faults of the transformer's encoder layer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.methods import around, grad
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params, Sigmoid
from reference.module import prefixed, scoped

NAME = "TransformerEncoderLayer"

Sum = Callable[[Array, Array], Array]


def _both(skip: Array, block: Array) -> Array:
    return skip + block


def _forward(first: Sum = _both, second: Sum = _both) -> Changes:
    """Both forms with another sum around a block: ``first(x, SA)``, ``second(u, FF)``."""

    def last(right: Method, self: Any, params: Params, x: Array, masks: Any) -> Any:
        attended, attention = self._attend(params, x, masks)
        u, norm1 = self._apply("norm1", params, first(x, attended))
        fed, feed = self._feed(params, u)
        y, norm2 = self._apply("norm2", params, second(u, fed))
        return y, (attention, norm1, feed, norm2)

    def before(right: Method, self: Any, params: Params, x: Array, masks: Any) -> Any:
        normed, norm1 = self._apply("norm1", params, x)
        attended, attention = self._attend(params, normed, masks)
        u = first(x, attended)
        normed, norm2 = self._apply("norm2", params, u)
        fed, feed = self._feed(params, normed)
        return second(u, fed), (norm1, attention, norm2, feed)

    return {**around("_norm_last", last), **around("_norm_first", before)}


def _backward(first: Sum = _both, second: Sum = _both) -> Changes:
    """Both forms' way back with another sum of what a residual connection brings together."""

    def last(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        attention, norm1, feed, norm2 = cache
        ds, norm2_grads = self._apply_backward("norm2", params, norm2, dy)
        dfed, feed_grads = self._feed_backward(params, feed, ds)
        ds, norm1_grads = self._apply_backward("norm1", params, norm1, second(ds, dfed))
        datt, attention_grads = self._attend_backward(params, attention, ds)
        return first(ds, datt), attention_grads | feed_grads | norm1_grads | norm2_grads

    def before(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        norm1, attention, norm2, feed = cache
        dnormed, feed_grads = self._feed_backward(params, feed, dy)
        through, norm2_grads = self._apply_backward("norm2", params, norm2, dnormed)
        du = second(dy, through)
        dnormed, attention_grads = self._attend_backward(params, attention, du)
        through, norm1_grads = self._apply_backward("norm1", params, norm1, dnormed)
        return first(du, through), attention_grads | feed_grads | norm1_grads | norm2_grads

    return {**around("_norm_last_backward", last), **around("_norm_first_backward", before)}


def _other_form(right: Method, self: Any, *given: Any, **told: Any) -> Any:
    twin = copy.copy(self)
    twin.norm_first = not self.norm_first
    return right(twin, *given, **told)


def _without(layer: str) -> Changes:
    """One of the layers left out, forward and back."""

    def apply(right: Method, self: Any, name: str, params: Params, x: Array) -> Any:
        return (x, None) if name == layer else right(self, name, params, x)

    def back(right: Method, self: Any, name: str, params: Params, cache: Any, dy: Array) -> Any:
        if name != layer:
            return right(self, name, params, cache, dy)
        own = scoped(params, name)
        return dy, prefixed(name, {key: 0 * value for key, value in own.items()})

    return {**around("_apply", apply), **around("_apply_backward", back)}


def _underived(layer: str) -> Changes:
    """A layer that the error passes as if it were not there."""

    def back(right: Method, self: Any, name: str, params: Params, cache: Any, dy: Array) -> Any:
        _, found = right(self, name, params, cache, dy)
        return (dy if name == layer else right(self, name, params, cache, dy)[0]), found

    return around("_apply_backward", back)


def _attended(function: Callable[[Array, Array, Array], Array]) -> Changes:
    """Another sum of the gradients at query, key and value."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        each, grads = self.self_attn.backward(scoped(params, "self_attn"), cache, (dy, None))
        return function(*each), prefixed("self_attn", grads)

    return around("_attend_backward", backward)


def _one_norm(right: Method, self: Any, name: str, params: Params, *given: Any) -> Any:
    taken = {f"norm2.{key}": value for key, value in scoped(params, "norm1").items()}
    return right(self, name, params | taken, *given)


def _swapped_norms(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
    dx, found = right(self, params, cache, dy)
    turned = {"norm1": "norm2", "norm2": "norm1"}
    return dx, {
        name: found[f"{turned[name[:5]]}{name[5:]}"] if name[:5] in turned else value
        for name, value in found.items()
    }


def _other_activation(function: Callable[[Array], Array]) -> Changes:
    def apply(right: Method, self: Any, name: str, params: Params, x: Array) -> Any:
        y, cache = right(self, name, params, x)
        wrong = name == "activation" and type(self.activation).__name__ == "GELU"
        return (function(x) if wrong else y), cache

    return around("_apply", apply)


def _tanh_form(x: Array) -> Any:
    inner = (2 / np.pi) ** 0.5 * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1 + np.tanh(inner))


def _activated_after(right: Method, self: Any, params: Params, x: Array) -> Any:
    y, caches = right(self, params, x)
    return self._apply("activation", params, y)[0], caches


def _unmasked(right: Method, self: Any, params: Params, x: Array, masks: Any) -> Any:
    return right(self, params, x, dict.fromkeys(masks) | {"is_causal": False})


ADD = "gradients add where one number is used twice: the skip's and the block's"
FORMS = "norm last: u = LN₁(x + SA(x)), y = LN₂(u + FF(u)); first: u = x + SA(LN₁(x)), …"

#: Where a gradient that is wrong before the attention shows.
BEFORE = "gradient self_attn"

#: An output that may be less wrong than its rounding, and what is made of it.
TINY = "output or gradient linear2.weight"

TRANSFORMER = faults(NAME, Right(FORMS),
    Row("first skip missing", "the attention's output is not added to x", "output",
        _forward(first=lambda x, block: block)),
    Row("second skip missing", "the small network's output is not added to u", "output",
        _forward(second=lambda u, block: block)),
    Right(ADD),
    Row("first skip's gradient dropped", "dx is what comes through the attention alone", "dx",
        _backward(first=lambda skip, block: block)),
    Row("second skip's gradient dropped", "du is what comes through the small network alone",
        BEFORE, _backward(second=lambda skip, block: block)),
    Row("attention's gradient dropped", "dx is what comes through the skip alone", "dx",
        _backward(first=lambda skip, block: skip)),
    Row("small network's gradient dropped", "du is what comes through the skip alone", BEFORE,
        _backward(second=lambda skip, block: skip)),
    Row("first skip's gradient doubled", "the skip's gradient is added twice", "dx",
        _backward(first=lambda skip, block: 2 * skip + block)),
    Row("second skip's gradient doubled", "the skip's gradient is added twice", BEFORE,
        _backward(second=lambda skip, block: 2 * skip + block)),
    Right(FORMS),
    Row("norms on the other side", "norm_first is taken for its opposite", "output",
        {**around("forward", _other_form), **around("backward", _other_form)}),
    Row("first norm left out", "there is no norm at the attention", "output", _without("norm1")),
    Row("second norm left out", "there is no norm at the small network", "output",
        _without("norm2")),
    Right("norm1 and norm2 have parameters of their own"),
    Row("one norm for both", "the second norm has the first one's weight and bias", "output",
        {**around("_apply", _one_norm), **around("_apply_backward", _one_norm)}),
    Right("each norm its own gradients"),
    Row("norms' gradients swapped", "norm1 gets norm2's gradients, and the reverse",
        "gradient norm1", around("backward", _swapped_norms)),
    Right("dx = LN'ᵀ dy"),
    Row("norm's derivative missing at the attention",
        "the error passes norm1 as it is", f"{BEFORE} or dx", _underived("norm1")),
    Row("norm's derivative missing at the small network", "the error passes norm2 as it is", BEFORE,
        _underived("norm2")),
    Right("FF(x) = W₂ f(W₁ x + b₁) + b₂"),
    Row("activation left out", "the small network is linear", "output", _without("activation")),
    Right("multiply by f'(W₁ x + b₁)"),
    Row("activation's derivative missing", "the error passes f as if it were not there", BEFORE,
        _underived("activation")),
    Right("FF(x) = W₂ f(W₁ x + b₁) + b₂"),
    Row("activation after both maps", "f is applied to the small network's output, too", "output",
        around("_feed", _activated_after)),
    Right("x Φ(x), by erf"),
    Row("GELU in its tanh form", "GELU is computed by tanh, not by erf", TINY,
        _other_activation(_tanh_form), needs="gelu"),
    Row("GELU by a sigmoid", "GELU is x σ(1.702 x)", "output",
        _other_activation(lambda x: x * Sigmoid().forward({}, 1.702 * x)[0]), needs="gelu"),
    Right(ADD),
    Row("gradient of the queries only", "of the attention's three inputs only the first counts",
        "dx or gradient norm1", _attended(lambda dq, dk, dv: dq)),
    Row("gradient of the values left out", "x as a value has no gradient", "dx or gradient norm1",
        _attended(lambda dq, dk, dv: dq + dk)),
    Right("hand src_mask and padding to the attention"),
    Row("masks not handed on", "the attention is called without the masks", "output",
        around("_attend", _unmasked), needs="a mask"),
    Right("db = Σ dy over all steps and samples"),
    Row("bias gradient averaged", "linear1's bias gradient is divided by its length",
        "gradient linear1.bias", grad("linear1.bias", lambda g: g / g.shape[-1]), needs="bias"),
)  # fmt: skip
