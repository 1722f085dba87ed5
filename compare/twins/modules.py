"""The NumPy twin of a user's ``nn.Module``.

Layers that the reference has are recognised by their class, options are read from the module, and
parameters travel under their ``state_dict`` names. Modules of one's own take part once a twin has
been registered::

    register_twin(Block, lambda block: ReferenceBlock(child(block, "linear")))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn
from torch.nn.utils import parametrize

import reference
from compare.base.errors import BackproofError, CannotCompare
from compare.sides.networks.compiled import is_wrapper
from compare.sides.networks.taps import joined
from compare.twins.options import attributes, transformer_options

M = TypeVar("M", bound=nn.Module)
Build = Callable[[Any], reference.Module]

#: Layers whose options are attributes of the same names.
LAYERS = (
    "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Bilinear", "CELU",
    "Conv1d", "Conv2d", "ConvTranspose2d", "Dropout", "ELU", "Embedding", "Flatten", "GELU", "GLU",
    "GRU", "GroupNorm", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity",
    "InstanceNorm2d", "LSTM", "LayerNorm", "LeakyReLU", "Linear", "LogSigmoid", "LogSoftmax",
    "MaxPool1d", "MaxPool2d", "Mish", "MultiheadAttention", "PReLU", "RMSNorm", "RNN", "ReLU",
    "ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax", "Softmin", "Softplus", "Softshrink", "Softsign",
    "Tanh", "Tanhshrink", "Threshold", "Unflatten", "Upsample",
)  # fmt: skip

#: Layers that draw dropout masks inside.
HIDDEN_DROPOUT = ("GRU", "LSTM", "MultiheadAttention", "RNN")

_TWINS: dict[type[nn.Module], Build] = {}


class _Within(CannotCompare):
    """An error about a module somewhere inside, whose path grows on the way out."""

    def __init__(self, kind: str, reason: str, path: str = "") -> None:
        where = f"at {path!r}" if path else "itself"
        super().__init__(f"cannot mirror the module {where}, a {kind}: {reason}")
        self.kind = kind
        self.reason = reason
        self.path = path


def register_twin(kind: type[M], build: Callable[[M], reference.Module]) -> None:
    """From now on, mirror modules of a class by what ``build`` makes of them.

    Args:
        kind: the class, exactly; a class derived from it needs a twin of its own.
        build: gives the twin; its parameters must have the names and shapes of the module's.

    Raises:
        CannotCompare: the class is one that is mirrored anyway.
    """
    if kind in _BUILT_IN:
        raise CannotCompare(f"{kind.__name__} is mirrored already; derive a class to change that")
    _TWINS[kind] = build


def mirror(module: nn.Module) -> reference.Module:
    """Build the twin of a module.

    The twin has no parameters; they are ``module``'s ``state_dict``, as arrays. Parameters that the
    module shares between layers are shared in the twin.

    Args:
        module: a layer, a ``Sequential`` or a module whose class has a registered twin.

    Raises:
        CannotCompare: the first layer that is not known, or whose options the reference does not
            have; its path and class are named.
    """
    return _require_same_names(_tied(module, build(module)), module)


def build(module: nn.Module) -> reference.Module:
    """The twin of a module, sharing apart: what the twin of a module around it is made of."""
    kind = type(module)
    maker = _TWINS.get(kind) or _BUILT_IN.get(kind)
    if is_wrapper(module):
        maker = _sequential  # of one layer
    if maker is None:
        raise _Within(kind.__name__, _unknown(module))
    try:
        return maker(module)
    except BackproofError:
        raise
    except ValueError as error:  # the reference refuses an option
        raise _Within(kind.__name__, str(error)) from error


def _unknown(module: nn.Module) -> str:
    if parametrize.is_parametrized(module):
        names = " and ".join(dict(module.get_submodule("parametrizations").named_children()))
        return (
            f"its {names} is parametrized, which the reference "
            f"does not have; torch.nn.utils.parametrize.remove_parametrizations takes that away"
        )
    return "the reference has no such layer; register_twin(class, build) teaches it one"


def child(module: nn.Module, name: str) -> reference.Module:
    """The twin of a child, for use in registered twins: errors then name its path."""
    try:
        return build(module.get_submodule(name))
    except _Within as error:
        raise _Within(error.kind, error.reason, joined(name, error.path)) from error


def _sequential(module: nn.Module) -> reference.Module:
    twins = {name: child(module, name) for name in module._modules}
    twin = reference.Sequential(*twins.values())
    twin.layers = twins  # which may have names instead of numbers
    return twin


def _layer(name: str) -> Build:
    kind, twin = getattr(nn, name), getattr(reference, name)

    def make(module: nn.Module) -> reference.Module:
        try:
            layer: reference.Module = twin(**attributes(module, kind, twin))
        except CannotCompare as error:
            raise _Within(name, str(error)) from error
        if name in HIDDEN_DROPOUT and getattr(module, "num_layers", 2) > 1:
            _require_no_dropout(module, name, module.dropout)
        return layer.train(module.training)

    return make


def _transformer(module: nn.TransformerEncoderLayer) -> reference.Module:
    name = "TransformerEncoderLayer"
    try:
        twin = reference.TransformerEncoderLayer(**transformer_options(module))
    except CannotCompare as error:
        raise _Within(name, str(error)) from error
    for part in (module.self_attn, module.dropout, module.dropout1, module.dropout2):
        _require_no_dropout(part, name, getattr(part, "dropout", getattr(part, "p", 0.0)))
    if not module.training:
        return twin.train(False)
    twin.dropout = 0.0  # none of them draws
    return twin


def _require_no_dropout(part: nn.Module, kind: str, p: Any) -> None:
    """Refuse dropout that is drawn within a layer, where its masks cannot be seen."""
    if part.training and p > 0:
        raise _Within(
            kind,
            f"it has dropout={p} inside, whose masks cannot be seen and so not be handed to the "
            f"twin; make it with dropout=0, or put it into evaluation",
        )


def _tied(module: nn.Module, twin: reference.Module) -> reference.Module:
    """The twin with those parameters shared that the module shares."""
    owners: dict[int, str] = {}
    ties: dict[str, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        owner = owners.setdefault(id(parameter), name)
        if owner != name:
            ties[name] = owner
    return reference.Tied(twin, ties) if ties else twin


def _require_same_names(twin: reference.Module, module: nn.Module) -> reference.Module:
    """Make sure that parameters and buffers have the same names and shapes."""
    found = twin.parameter_shapes() | twin.buffer_shapes()
    held = {name: tuple(value.shape) for name, value in module.named_parameters()}
    held |= {name: tuple(value.shape) for name, value in module.named_buffers()}
    for name in [*held, *found]:
        if held.get(name) != found.get(name):
            raise CannotCompare(
                f"the twin of {type(module).__name__} does not fit it: {name!r} has shape "
                f"{found.get(name)} in the twin and {held.get(name)} in the module"
            )
    return twin


_BUILT_IN: dict[type[nn.Module], Build] = {
    nn.Sequential: _sequential,
    nn.TransformerEncoderLayer: _transformer,
    **{getattr(nn, name): _layer(name) for name in LAYERS},
}
