"""Reading the options of PyTorch's objects, to make the reference's of the same."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from compare.base.conversion import to_array
from compare.base.errors import CannotCompare

#: Options of how, not of what is computed.
IGNORED = {
    "device", "dtype", "inplace", "sparse",
    "size_average", "reduce", "min_value", "max_value",  # deprecated
}  # fmt: skip


def attributes(module: nn.Module, kind: type, twin: type) -> dict[str, Any]:
    """The options of a layer or loss, from its attributes of the same names.

    Args:
        module: whose options.
        kind: the class of PyTorch, whose constructor tells which options there are.
        twin: the class of the reference, whose constructor tells which it has.

    Raises:
        CannotCompare: an option that the reference does not have is not at its default.
    """
    options, known = {}, arguments(twin)
    theirs = arguments(kind)
    for name in {**theirs, **known}:
        if name == "init":
            continue  # no more than where the parameters started
        value = _option(module, name)
        if name in known:
            options[name] = value
        elif name != "mode" and value != theirs[name].default:
            raise CannotCompare(f"the reference has no option {name}, which is {value!r}")
    return options


def transformer_options(module: nn.TransformerEncoderLayer) -> dict[str, Any]:
    """The options of an encoder layer, which keeps them in its parts."""
    activation = module.activation
    names = {torch.nn.functional.relu: "relu", torch.nn.functional.gelu: "gelu"}
    kinds: dict[type, str] = {nn.ReLU: "relu", nn.GELU: "gelu"}
    name = names.get(activation) or kinds.get(type(activation))
    if name is None or getattr(activation, "approximate", "none") != "none":
        raise CannotCompare(f"its activation is {activation}, but should be relu or gelu")
    return {
        "d_model": module.self_attn.embed_dim,
        "nhead": module.self_attn.num_heads,
        "dim_feedforward": module.linear1.out_features,
        "dropout": module.dropout.p,
        "activation": name,
        "layer_norm_eps": module.norm1.eps,
        "batch_first": module.self_attn.batch_first,
        "norm_first": module.norm_first,
        "bias": module.linear1.bias is not None,
    }


def arguments(kind: type) -> dict[str, inspect.Parameter]:
    """The constructor's arguments; a class that only passes them on has those of its base."""
    found: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        parameters = inspect.signature(base.__init__).parameters  # type: ignore[misc]
        kinds = {p.kind for p in parameters.values()}
        found |= {
            name: p
            for name, p in parameters.items()
            if name not in IGNORED | found.keys() | {"self"}
            and not name.startswith("_")
            and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        }
        if inspect.Parameter.VAR_POSITIONAL not in kinds:
            break
    return found


def _option(module: nn.Module, name: str) -> Any:
    if name == "bias":
        return _has_bias(module)
    if name == "add_bias_kv" and isinstance(module, nn.MultiheadAttention):
        return module.bias_k is not None
    value = getattr(module, name)
    return to_array(value) if isinstance(value, torch.Tensor) else value


def _has_bias(module: nn.Module) -> bool:
    if isinstance(module, nn.MultiheadAttention):
        return module.in_proj_bias is not None
    if isinstance(module, nn.RNNBase):
        return bool(module.bias)
    return getattr(module, "bias", None) is not None
