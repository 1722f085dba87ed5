"""The twins of what trains a module: losses and update rules."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch
from torch import nn

import reference
import torch_impl
from compare.base.errors import CannotCompare
from compare.sides.networks.compiled import is_wrapper
from compare.twins.options import attributes

#: Options of how PyTorch computes, not of what.
IMPLEMENTATION = {"foreach", "fused", "capturable", "differentiable"}


def mirror_loss(loss: nn.Module) -> reference.Loss:
    """The reference's loss of the same class and options.

    Raises:
        CannotCompare: the reference has none, or not with these options.
    """
    if is_wrapper(loss):
        loss = loss.get_submodule("_orig_mod")
    kind = type(loss)
    twin = getattr(reference, kind.__name__, None)
    theirs = getattr(nn, kind.__name__, torch_impl.LOSSES.get(kind.__name__))
    if theirs is not kind or not (isinstance(twin, type) and issubclass(twin, reference.Loss)):
        raise CannotCompare(
            f"the loss is a {kind.__name__}, which the reference does not have; use one of torch.nn"
        )
    mirrored = twin(**attributes(loss, kind, twin))
    if mirrored.reduction == "none":
        raise CannotCompare("the loss has reduction='none', but should give one number to train on")
    return mirrored


def mirror_optimizer(optimizer: torch.optim.Optimizer, module: nn.Module) -> reference.Optimizer:
    """The reference's update rule of the same class, options and parameter groups.

    Args:
        optimizer: over parameters of ``module``, before its first step.
        module: tells the parameters' names.

    Raises:
        CannotCompare: the reference has none, or not with these options.
    """
    kind = type(optimizer)
    twin = getattr(reference, kind.__name__, None)
    if getattr(torch.optim, kind.__name__, None) is not kind or twin is None:
        raise CannotCompare(
            f"the optimizer is a {kind.__name__}, which the reference does not have"
        )
    _require_as_made(optimizer)
    known = inspect.signature(twin).parameters
    defaults = inspect.signature(kind).parameters
    groups = []
    for names, options in zip(group_names(optimizer, module), optimizer.param_groups, strict=True):
        group: dict[str, Any] = {"params": names}
        for name, value in options.items():
            if isinstance(value, torch.Tensor):
                raise CannotCompare(
                    f"the optimizer {kind.__name__} has {name}={value}, but the reference takes a "
                    f"number there; make it with float({name})"
                )
            if name in known and name != "params":
                group[name] = value
            elif name in defaults and name not in {*IMPLEMENTATION, "params"}:
                _require_default(kind, name, value, defaults[name].default)
        groups.append(group)
    try:
        common = {name: v for name, v in optimizer.defaults.items() if name in known}
        mirrored: reference.Optimizer = twin(**common, groups=groups)
    except ValueError as error:  # the reference refuses an option
        raise CannotCompare(f"the optimizer cannot be mirrored: {error}") from error
    return mirrored


def optimizer_like(
    optimizer: torch.optim.Optimizer, module: nn.Module, copied: nn.Module
) -> torch.optim.Optimizer:
    """The same optimizer, over the parameters of a copy of the module.

    Raises:
        CannotCompare: the given one does not hold what a new one does.
    """
    parameters = dict(copied.named_parameters())
    groups = [
        options | {"params": [parameters[name] for name in names]}
        for names, options in zip(
            group_names(optimizer, module), optimizer.param_groups, strict=True
        )
    ]
    given = inspect.signature(type(optimizer)).parameters
    defaults = {name: v for name, v in optimizer.defaults.items() if name in given}
    alike = type(optimizer)(groups, **defaults)
    _require_new(optimizer, alike)
    return alike


def group_names(optimizer: torch.optim.Optimizer, module: nn.Module) -> list[list[str]]:
    """The names of the parameters in each group.

    Raises:
        CannotCompare: the optimizer has a parameter that is not the module's, or not all of them,
            or one is frozen.
    """
    frozen = [name for name, p in module.named_parameters() if not p.requires_grad]
    if frozen:
        raise CannotCompare(
            f"the module's {', '.join(frozen)} have requires_grad=False; parameters that are not "
            f"trained cannot be compared"
        )
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    groups = [[names.pop(id(p), "") for p in group["params"]] for group in optimizer.param_groups]
    if any("" in group for group in groups):
        raise CannotCompare("the optimizer has a parameter that is not one of the module's")
    if names:
        raise CannotCompare(
            f"the optimizer does not have the module's {', '.join(names.values())}; "
            f"parameters that are not trained cannot be compared"
        )
    return groups


def require_no_hooks(optimizer: torch.optim.Optimizer, module: nn.Module) -> None:
    """Refuse hooks that a copy loses, so that it would train in another way than the original.

    Hooks of modules are copied with them, and compared.

    Raises:
        CannotCompare: a parameter has one, or the optimizer's step.
    """
    for name, parameter in module.named_parameters():
        for kind in ("_backward_hooks", "_post_accumulate_grad_hooks"):
            if getattr(parameter, kind, None):
                raise CannotCompare(
                    f"the module's parameter {name} has a hook, which the copy that is trained "
                    f"would not have; remove it, as the reference has none either"
                )
    for kind in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks"):
        if getattr(optimizer, kind, None):
            raise CannotCompare(
                f"the optimizer {type(optimizer).__name__} has a hook of its step, which the copy "
                f"that is used would not have; remove it, as the reference has none either"
            )


def _require_as_made(optimizer: torch.optim.Optimizer) -> None:
    """Refuse what a new optimizer of the class would not have: schedules, and methods replaced.

    Raises:
        CannotCompare: there is one; it is named.
    """
    kind = type(optimizer).__name__
    replaced = [name for name in vars(optimizer) if callable(getattr(type(optimizer), name, None))]
    scheduled = any(hasattr(vars(optimizer)[name], "_wrapped_by_lr_sched") for name in replaced)
    if scheduled or any("initial_lr" in group for group in optimizer.param_groups):
        raise CannotCompare(
            f"the optimizer {kind} has a learning rate scheduler, whose steps compare_module does "
            f"not make; hand in a new optimizer without one. What schedules decide is compared in "
            f"the catalogue, see docs/coverage.md"
        )
    if replaced:
        raise CannotCompare(
            f"the optimizer {kind} has a {replaced[0]} of its own in place of its class's, which "
            f"the copy that is used would not have; hand in one whose class is as torch.optim has "
            f"it"
        )


def _require_new(optimizer: torch.optim.Optimizer, new: torch.optim.Optimizer) -> None:
    """Make sure that an optimizer holds no more than what its class begins with."""
    pairs = [
        (optimizer.state.get(given, {}), new.state.get(own, {}))
        for group, alike in zip(optimizer.param_groups, new.param_groups, strict=True)
        for given, own in zip(group["params"], alike["params"], strict=True)
    ]
    if not all(_same(held, fresh) for held, fresh in pairs):
        raise CannotCompare(
            "the optimizer has made steps already, or its state was changed; hand in a new one"
        )


def _same(held: dict[str, Any], fresh: dict[str, Any]) -> bool:
    return held.keys() == fresh.keys() and all(
        np.array_equal(np.asarray(value), np.asarray(fresh[name])) for name, value in held.items()
    )


def _require_default(kind: type, name: str, value: Any, default: Any) -> None:
    if value != default:
        raise CannotCompare(
            f"the optimizer {kind.__name__} has {name}={value!r}, which the reference does not have"
        )
