"""Activation functions.

All but GLU and the softmaxes take one number to one number, so ``dx = dy · f'(x)``, elementwise.
PyTorch's ``inplace`` has no counterpart: nothing here is changed in place.
"""

from reference.activations.clipped import Hardsigmoid, Hardswish, Hardtanh, ReLU6
from reference.activations.exponential import CELU, ELU, SELU
from reference.activations.gated import GLU
from reference.activations.identity import Identity
from reference.activations.rectifiers import LeakyReLU, PReLU, ReLU, Threshold
from reference.activations.shrinking import Hardshrink, Softshrink, Tanhshrink
from reference.activations.smooth import GELU, Mish, SiLU, Softplus
from reference.activations.softmax import LogSoftmax, Softmax, Softmin
from reference.activations.squashing import LogSigmoid, Sigmoid, Softsign, Tanh
from reference.module import Module

#: By the name under which a named network takes them.
ACTIVATIONS: dict[str, type[Module]] = {
    "identity": Identity,
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
}

__all__ = [
    "ACTIVATIONS",
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]
