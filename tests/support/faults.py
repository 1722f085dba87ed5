"""Faults to plant in the reference, each with the quantity that is the first to be wrong.

On the noise case the layers are 0: Linear(3, 4), 1: tanh, 2: Linear(4, 2), 3: sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reference import (
    SGD,
    Array,
    HalfSquaredErrorLoss,
    Linear,
    MSELoss,
    Params,
    ReLU,
    Sigmoid,
    Tanh,
)

Method = Callable[..., Any]


@dataclass(frozen=True)
class Fault:
    """A change to one method of the reference.

    Attributes:
        owner: the class whose method is changed.
        method: its name.
        change: gives the wrong method for the right one.
        first: the quantity that the fault makes wrong before all others.
        case: what the case must have for the fault to show.
    """

    owner: type
    method: str
    change: Callable[[Method], Method]
    first: str
    case: Mapping[str, Any] = field(default_factory=dict)


def result(change: Callable[[Any], Any]) -> Callable[[Method], Method]:
    """The method with its result changed."""
    return lambda method: lambda *args: change(method(*args))


def output(change: Callable[[Array], Any]) -> Callable[[Method], Method]:
    """A forward with its output changed, or a backward with its dx changed."""
    return result(lambda pair: (change(pair[0]), pair[1]))


def grads(change: Callable[[Params], Params]) -> Callable[[Method], Method]:
    """A backward with its gradients changed."""
    return result(lambda pair: (pair[0], change(pair[1])))


def grad(name: str, change: Callable[[Array], Any]) -> Callable[[Method], Method]:
    """A backward with one gradient changed."""
    return grads(lambda found: found | {name: change(found[name])})


def instead(function: Method) -> Callable[[Method], Method]:
    """Another method in place of the right one."""
    return lambda method: function


def turned(array: Array, axis: int = -1) -> Array:
    """Each entry moved on by one place along an axis."""
    moved = array.swapaxes(axis, 0)
    turned: Array = np.concatenate([moved[1:], moved[:1]]).swapaxes(axis, 0)
    return turned


def backward_with_transpose(layer: Linear, params: Params, cache: Any, dy: Array) -> Any:
    x, _ = cache
    dx = dy @ params["weight"].swapaxes(-1, -2)
    return dx, {"weight": dy.swapaxes(-1, -2) @ x, "bias": dy.sum(axis=-2)}


def backward_after_update(layer: Linear, params: Params, cache: Any, dy: Array) -> Any:
    x, _ = cache
    found = {"weight": dy.swapaxes(-1, -2) @ x, "bias": dy.sum(axis=-2)}
    return dy @ (params["weight"] - 0.3 * found["weight"]), found


def backward_only_in_first(change: Callable[[Array], Array]) -> Callable[[Method], Method]:
    """A wrong dx in the first layer alone, which no parameter's gradient depends on."""

    def planted(method: Method) -> Method:
        def backward(layer: Linear, params: Params, x: Array, dy: Array) -> Any:
            dx, found = method(layer, params, x, dy)
            return (change(dx) if layer.in_features == 3 else dx), found

        return backward

    return planted


def sigmoid_slope_at_activation(layer: Sigmoid, params: Params, y: Array, dy: Array) -> Any:
    again = 1 / (1 + np.exp(-y))
    return dy * (again * (1 - again)), {}


def tanh_slope_at_activation(layer: Tanh, params: Params, y: Array, dy: Array) -> Any:
    again = np.tanh(y)
    return dy * (1 - again * again), {}


def update(change: Callable[[str, Array, Array, float], Array]) -> Callable[[Method], Method]:
    """A step that is ``change(name, parameter, gradient, lr)`` for each parameter."""

    def step(rule: SGD, params: Params, found: Params, state: Any) -> Any:
        return {
            name: change(name, p, found[name], rule.groups[0].options["lr"])
            for name, p in params.items()
        }, state

    return instead(step)


def one_for_two(pair: tuple[Params, Any]) -> tuple[Params, Any]:
    """Both biases are the same array."""
    params, state = pair
    return params | {"2.bias": params["0.bias"]}, state


MSE = {"loss": "MSELoss"}
RELU = {"arguments": {"sizes": (3, 4, 2), "activation": "relu"}}
ALIKE = {"arguments": {"sizes": (3, 2, 2), "activation": "tanh"}}

#: One bad value among good ones.
NAN_IN_FIRST = np.array([[np.nan, 0.0]])

FAULTS: dict[str, Fault] = {
    # The loss and where backpropagation starts.
    "loss without its half": Fault(
        HalfSquaredErrorLoss, "forward", output(lambda loss: 2 * loss), "loss"
    ),
    "sign of the loss's gradient": Fault(
        HalfSquaredErrorLoss, "backward", result(lambda dy: -dy), "gradient at 3"
    ),
    "factor 2": Fault(HalfSquaredErrorLoss, "backward", result(lambda dy: 2 * dy), "gradient at 3"),
    "mean for sum": Fault(
        HalfSquaredErrorLoss, "backward", result(lambda dy: dy / dy.shape[-2]), "gradient at 3"
    ),
    "sum for mean": Fault(
        MSELoss, "backward", result(lambda dy: dy * dy.size), "gradient at 3", MSE
    ),
    "mean over samples, not outputs": Fault(
        MSELoss, "backward", result(lambda dy: dy * dy.shape[-1]), "gradient at 3", MSE
    ),
    # Forward.
    "bias not added": Fault(
        Linear,
        "forward",
        instead(lambda layer, p, x: (x @ p["weight"].swapaxes(-1, -2), (x, x.shape[:-1]))),
        "activation 0",
    ),
    "forward 0.1 % too large": Fault(
        Sigmoid, "forward", output(lambda y: y * 1.001), "activation 3"
    ),
    # The linear layer's backward.
    "backward with transpose": Fault(
        Linear, "backward", instead(backward_with_transpose), "gradient 2.weight"
    ),
    "weight gradient permuted": Fault(
        Linear, "backward", grad("weight", lambda g: turned(g, -2)), "gradient 2.weight"
    ),
    "weight gradient zero": Fault(
        Linear, "backward", grad("weight", lambda g: 0 * g), "gradient 2.weight"
    ),
    "weight gradient 5 % too large": Fault(
        Linear, "backward", grad("weight", lambda g: 1.05 * g), "gradient 2.weight"
    ),
    "bias gradient missing": Fault(
        Linear, "backward", grads(lambda g: {"weight": g["weight"]}), "gradient 2.bias"
    ),
    "bias gradient zero": Fault(
        Linear, "backward", grad("bias", lambda g: 0 * g), "gradient 2.bias"
    ),
    "bias gradient mean for sum": Fault(
        Linear,
        "backward",
        lambda method: (
            lambda layer, p, x, dy: (
                method(layer, p, x, dy)[0],
                method(layer, p, x, dy)[1] | {"bias": dy.mean(axis=-2)},
            )
        ),
        "gradient 2.bias",
    ),
    "bias gradient permuted": Fault(Linear, "backward", grad("bias", turned), "gradient 2.bias"),
    "bias gradient one scalar for all units": Fault(
        Linear,
        "backward",
        grad("bias", lambda g: 0 * g + g.sum(axis=-1, keepdims=True)),
        "gradient 2.bias",
    ),
    "extra gradient": Fault(
        Linear, "backward", grads(lambda g: g | {"gain": g["bias"]}), "gradient 2.gain"
    ),
    "gradient to the layer before": Fault(
        Linear, "backward", output(lambda dx: 1.05 * dx), "gradient at 1"
    ),
    "weights updated before the error passes them": Fault(
        Linear, "backward", instead(backward_after_update), "gradient at 1"
    ),
    "input gradient": Fault(
        Linear, "backward", backward_only_in_first(lambda dx: -dx), "gradient at input"
    ),
    "input gradient permuted": Fault(
        Linear, "backward", backward_only_in_first(turned), "gradient at input"
    ),
    # The activations' backward.
    "sigmoid's derivative missing": Fault(
        Sigmoid, "backward", instead(lambda layer, p, y, dy: (dy, {})), "gradient at 2"
    ),
    "tanh's derivative missing": Fault(
        Tanh, "backward", instead(lambda layer, p, y, dy: (dy, {})), "gradient at 0"
    ),
    "sigmoid's derivative at the activation": Fault(
        Sigmoid, "backward", instead(sigmoid_slope_at_activation), "gradient at 2"
    ),
    "tanh's derivative at the activation": Fault(
        Tanh, "backward", instead(tanh_slope_at_activation), "gradient at 0"
    ),
    "sigmoid's derivative for tanh's": Fault(
        Tanh, "backward", instead(lambda layer, p, y, dy: (dy * (y * (1 - y)), {})), "gradient at 0"
    ),
    "relu passes all": Fault(
        ReLU, "backward", instead(lambda layer, p, cache, dy: (dy, {})), "gradient at 0", RELU
    ),
    # The update.
    "update uphill": Fault(
        SGD, "step", update(lambda name, p, g, lr: p + lr * g), "parameter 0.weight"
    ),
    "lr twice on one parameter": Fault(
        SGD,
        "step",
        update(lambda name, p, g, lr: p - (lr * lr if name == "2.weight" else lr) * g),
        "parameter 2.weight",
    ),
    "a parameter never updated": Fault(
        SGD,
        "step",
        update(lambda name, p, g, lr: p if name == "2.bias" else p - lr * g),
        "parameter 2.bias",
    ),
    "a parameter lost": Fault(
        SGD,
        "step",
        result(lambda pair: ({k: v for k, v in pair[0].items() if k != "2.bias"}, pair[1])),
        "parameter 2.bias",
    ),
    "one array for two parameters": Fault(
        SGD, "step", result(one_for_two), "parameter 2.bias", ALIKE
    ),
    # What raises, or gives something else.
    "forward without transpose": Fault(
        Linear,
        "forward",
        instead(lambda layer, p, x: (x @ p["weight"] + p["bias"][..., None, :], (x, ()))),
        "activation 0",
    ),
    "output of another width": Fault(
        Tanh, "forward", output(lambda y: y[..., :-1]), "activation 1"
    ),
    "weight gradient transposed": Fault(
        Linear, "backward", grad("weight", lambda g: g.swapaxes(-1, -2)), "gradient 2.weight"
    ),
    "raises forward": Fault(Tanh, "forward", instead(lambda *args: 1 // 0), "activation 1"),
    # What no number shows.
    "nan forward": Fault(
        Sigmoid, "forward", output(lambda y: y + NAN_IN_FIRST.astype(y.dtype)), "activation 3"
    ),
    "nan in one gradient": Fault(
        Linear, "backward", grad("bias", lambda g: g * np.nan), "gradient 2.bias"
    ),
    "wrong dtype forward": Fault(
        Tanh, "forward", output(lambda y: y * another(y.dtype)), "activation 1"
    ),
    "wrong dtype of a gradient": Fault(
        Linear, "backward", grad("bias", lambda g: g * another(g.dtype)), "gradient 2.bias"
    ),
    "raises backward": Fault(Tanh, "backward", instead(lambda *args: 1 // 0), "gradient at 0"),
}


def another(dtype: np.dtype[Any]) -> Array:
    """A one of a wider dtype, which the product with it takes on."""
    return np.ones((), np.float64 if dtype == np.float32 else np.longdouble)
