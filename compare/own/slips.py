"""What people do instead of the right thing in one place of a backward pass.

Each slip replaces the gradient that one operation of PyTorch's backward pass hands on by the one
that a hand-written pass with that mistake would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Known:
    """What a slip may need besides the arguments of an operation.

    Attributes:
        input: what the forward pass was given where the backward pass is given its output.
        late: the parameters as they are after a step, by where in memory they begin now.
    """

    input: Tensor | None
    late: Mapping[int, Tensor]


#: From an operation of the backward pass, which has its keyword arguments, and its positional ones
#: to the gradient it gives instead.
Change = Callable[[partial[Tensor], Any, Known], Tensor | None]


@dataclass(frozen=True)
class Slip:
    """One mistake.

    Attributes:
        name: in a few words.
        told: what is done instead, for a sentence.
        remedy: what to do.
        operations: of the backward pass in which it can be made.
        change: the gradient it gives instead; None where it cannot be made.
    """

    name: str
    told: str
    remedy: str
    operations: tuple[str, ...]
    change: Change


SIGMOID, TANH, RELU = "sigmoid_backward", "tanh_backward", "threshold_backward"
GELU, SOFTMAX = "gelu_backward", "_softmax_backward_data"
BENT = (
    *("leaky_relu_backward", "elu_backward", "silu_backward", "softplus_backward"),
    *("hardtanh_backward", "mish_backward", "hardswish_backward", "log_sigmoid_backward"),
)
ACTIVATIONS = (SIGMOID, TANH, RELU, GELU, SOFTMAX, *BENT)

#: In which the error is carried back through a weight.
PRODUCTS = ("mm", "bmm", "mv")

#: How the operations of the backward pass are called in a sentence.
CALLED = {operation: operation.removesuffix("_backward").removesuffix("_backward_data").strip("_")
          for operation in ACTIVATIONS} | {RELU: "relu", SOFTMAX: "softmax"}  # fmt: skip


def _missing(operation: partial[Tensor], args: Any, known: Known) -> Tensor:
    gradient: Tensor = args[0].clone()
    return gradient


def _twice(operation: partial[Tensor], args: Any, known: Known) -> Tensor:
    once: Tensor = operation(*args)
    again: Tensor = operation(once, *args[1:])
    return again


def _of_output(slope: Callable[[Tensor], Tensor]) -> Change:
    """The gradient with another slope, computed from the activation's output."""
    return lambda operation, args, known: args[0] * slope(args[1])


def _of_input(slope: Callable[[Tensor], Tensor]) -> Change:
    """The same, computed from the pre-activation."""

    def change(operation: partial[Tensor], args: Any, known: Known) -> Tensor | None:
        return None if known.input is None else args[0] * slope(known.input)

    return change


def _other_gelu(operation: partial[Tensor], args: Any, known: Known) -> Tensor:
    form = operation.keywords.get("approximate", "none")
    other: Tensor = operation(*args, approximate="none" if form == "tanh" else "tanh")
    return other


def _sigmoid_slope(y: Tensor) -> Tensor:
    return y * (1 - y)


def _tanh_slope(y: Tensor) -> Tensor:
    return 1 - y * y


_AT = "derivative taken at the wrong place"
_OTHER = "derivative of another activation"
_ONE_FORMULA = "use the formula for what is handed to it: of the output y, or of the input x"


def _turned(operation: partial[Tensor], args: Any, known: Known) -> Tensor | None:
    place = _weight(args, known)
    if place is None or args[place].shape[-1] != args[place].shape[-2]:
        return None
    turned = list(args)
    turned[place] = args[place].transpose(-1, -2)
    result: Tensor = operation(*turned)
    return result


def _late(operation: partial[Tensor], args: Any, known: Known) -> Tensor | None:
    place = _weight(args, known)
    if place is None:
        return None
    held, late = args[place], known.late[args[place].data_ptr()]
    if held.numel() != late.numel():
        return None
    moved = list(args)
    moved[place] = late.as_strided(held.shape, held.stride())
    result: Tensor = operation(*moved)
    return result


def _weight(args: Any, known: Known) -> int | None:
    """Which of the arguments is a weight."""
    return next((i for i, one in enumerate(args) if one.data_ptr() in known.late), None)


SLIPS = (
    Slip("missing derivative", "the derivative of the activation is missing",
         "multiply the error by the activation's derivative there", ACTIVATIONS, _missing),
    Slip("derivative applied twice", "the derivative of the activation is applied twice",
         "multiply the error by the activation's derivative once", ACTIVATIONS, _twice),
    Slip(_AT, "y (1 − y), which is for the output, is given the pre-activation",
         _ONE_FORMULA, (SIGMOID,), _of_input(_sigmoid_slope)),
    Slip(_AT, "σ(x) (1 − σ(x)), which is for the pre-activation, is given the output",
         _ONE_FORMULA, (SIGMOID,), _of_output(lambda y: _sigmoid_slope(torch.sigmoid(y)))),
    Slip(_AT, "1 − y², which is for the output, is given the pre-activation",
         _ONE_FORMULA, (TANH,), _of_input(_tanh_slope)),
    Slip(_AT, "1 − tanh² x, which is for the pre-activation, is given the output",
         _ONE_FORMULA, (TANH,), _of_output(lambda y: _tanh_slope(torch.tanh(y)))),
    Slip(_OTHER, "tanh is differentiated as if it were sigmoid, y (1 − y)",
         "the derivative of tanh is 1 − y²", (TANH,), _of_output(_sigmoid_slope)),
    Slip(_OTHER, "sigmoid is differentiated as if it were tanh, 1 − y²",
         "the derivative of sigmoid is y (1 − y)", (SIGMOID,), _of_output(_tanh_slope)),
    Slip(_OTHER, "it is differentiated as if it were ReLU, 1 where positive",
         "use the derivative of the activation that is in the forward pass", (TANH,),
         _of_output(lambda y: (y > 0).to(y.dtype))),
    Slip(_OTHER, "relu is differentiated as if it were sigmoid, y (1 − y)",
         "the derivative of ReLU is 1 where its input is positive, else 0", (RELU,),
         _of_output(_sigmoid_slope)),
    Slip("ReLU'(0) = 1", "the derivative of ReLU at exactly 0 is taken to be 1",
         "take 0 there, as PyTorch does: x > 0, not x >= 0", (RELU,),
         _of_input(lambda x: (x >= 0).to(x.dtype))),
    Slip("another form of GELU", "its tanh form is differentiated for its erf form, or that for it",
         "use one form of GELU in both passes", (GELU,), _other_gelu),
    Slip("softmax without its off-diagonal", "only the diagonal of softmax's Jacobian is used",
         "dx = y (dy − Σ dy y)", (SOFTMAX,), _of_output(_sigmoid_slope)),
    Slip("weight not transposed", "the error is carried back through the weight itself",
         "carry it back through the transpose of the weight", PRODUCTS, _turned),
    Slip("weights updated before the error is propagated through them",
         "the error is carried back through the weight as it is after its update",
         "compute all gradients first, then update all parameters", PRODUCTS, _late),
)  # fmt: skip
