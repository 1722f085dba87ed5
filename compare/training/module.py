"""Comparing a module of one's own with its NumPy twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import reference
import torch_impl
from compare.base.conversion import to_array, to_tensor
from compare.base.errors import CannotCompare, UsageError
from compare.base.quantities import Array
from compare.cases.case import Case
from compare.cases.datasets import Dataset
from compare.cases.registry import check_settings
from compare.measure.step_records import StepOutcome
from compare.measure.tolerances import make
from compare.results.report import Report
from compare.results.verdict import Verdict
from compare.sides.feed import Feed
from compare.sides.networks.beside import Beside
from compare.sides.networks.compiled import compiling, require_no_compiled_dropout
from compare.sides.networks.copies import copied, require_copies_alike
from compare.sides.networks.torch_hooks import draws_unseen
from compare.sides.pair import Pair, joined
from compare.sides.reference_side import ReferenceSide
from compare.sides.torch_side import TorchSide
from compare.training.session import Progress, Session
from compare.twins.modules import mirror
from compare.twins.training import (
    mirror_loss,
    mirror_optimizer,
    optimizer_like,
    require_no_hooks,
)

Data = tuple[Any, Any]


def compare_module(
    module: nn.Module,
    data: Data,
    loss: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int = 10,
    batch_size: int | None = None,
    seed: int = 0,
    tolerance: str | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    lockstep_every: int | None = None,
    progress: Progress = lambda epoch: None,
) -> Report:
    """Train a module and its NumPy twin, and compare every gradient and every step.

    A copy of the module is trained; the module, the optimizer and the global generator of random
    numbers stay as they are.

    Args:
        module: made of layers that the reference has, see
            :func:`compare.twins.modules.mirror`. It is compared as it is: compiled, with its
            hooks, each layer in training or evaluation.
        data: inputs and targets, arrays or tensors with one row for each sample.
        loss: of ``torch.nn``, with a mean or a sum for its reduction.
        optimizer: of ``torch.optim``, over all the module's parameters, before its first step.
        epochs: passes over the data.
        batch_size: samples per step; None is all of them.
        seed: of the order of the samples and of dropout.
        tolerance: ``statistical`` (default), ``rigorous`` or ``fixed``.
        rtol: relative part of the fixed tolerance.
        atol: absolute part of the fixed tolerance.
        lockstep_every: epochs between two lockstep checks; None chooses.
        progress: called now and then with the number of the epoch that is done.

    Returns:
        The report; ``report.agrees`` is the verdict in a word.

    Raises:
        CannotCompare: the reference does not have a layer, the loss or the optimizer, or not with
            these options; or a parameter is frozen, or has a hook; or the optimizer has one, has
            a schedule or has made steps; or a copy would not compute what the module does; or
            random numbers, infinite ones or autocast leave nothing to compare.
        UsageError: an argument is not of the kind that it should be, or out of range.
    """
    limits = make(tolerance, rtol, atol)
    check_settings(epochs=epochs, batch_size=batch_size, seed=seed, lockstep_every=lockstep_every)
    _require("module", module, nn.Module, "a torch.nn.Module")
    _require("loss", loss, nn.Module, "a torch.nn.Module, such as torch.nn.MSELoss()")
    _require("optimizer", optimizer, torch.optim.Optimizer, "a torch.optim.Optimizer")
    _require_no_autocast()
    case = _case(module, loss, optimizer, epochs, batch_size, seed)
    with torch.inference_mode(False), torch.enable_grad(), compiling(module, loss):
        pair = pair_of(module, loss, optimizer, seed)
        feed = Feed(case, _dataset(data, case.dtype), summed=_is_summed(loss))
        with pair.torch.training(), np.errstate(all="ignore"):
            session = Session(case, limits, pair, feed, lockstep_every)
            session.train(progress)
            report = session.report()
            if report.verdict is Verdict.DISAGREE:
                _require_no_other_draws(pair.torch, session.steps)
            return report


def pair_of(
    module: nn.Module, loss: nn.Module, optimizer: torch.optim.Optimizer, seed: int = 0
) -> Pair:
    """A copy of a module and its twin, as the two sides of a comparison.

    Raises:
        CannotCompare: the reference does not have a layer, the loss or the optimizer, or a
            parameter is frozen or has a hook.
    """
    require_no_hooks(optimizer, module)
    require_no_compiled_dropout(module)
    require_copies_alike(module, optimizer)
    require_copies_alike(loss, module, optimizer)
    theirs = copied(module)
    _require_on_cpu(theirs)
    for layer in theirs.modules():
        if hasattr(layer, "inplace"):  # the same numbers, and those before them can still be seen
            vars(layer)["inplace"] = False
    twin = mirror(theirs)
    ours = mirror_optimizer(optimizer, module)
    torch_side = TorchSide(
        theirs,
        copied(loss),
        lambda copied: torch_impl.UpdateRule(optimizer_like(optimizer, module, copied)),
        seed,
    )
    weights = {name: p.copy() for name, p in torch_side.weights().items()}
    reference_side = ReferenceSide(
        Beside(twin, torch_side.buffers()),
        mirror_loss(loss),
        reference.UpdateRule(ours),
        weights,
        _dtype(module),
        lambda: torch_side.masks,
    )
    return joined(reference_side, torch_side)


def _case(
    module: nn.Module,
    loss: nn.Module,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batch_size: int | None,
    seed: int,
) -> Case:
    """What a report tells of the comparison."""
    name = type(module).__name__
    return Case(
        name=name,
        summary=f"the module {name}, by {type(optimizer).__name__}",
        network=name,
        loss=type(loss).__name__,
        lr=float(optimizer.param_groups[0]["lr"]),
        data="given",
        goal="none",
        epochs=epochs,
        batch_size=batch_size,
        dtype=_dtype(module),
        seed=seed,
    )


def _dtype(module: nn.Module) -> str:
    found = {str(p.dtype).removeprefix("torch.") for p in module.parameters()}
    if found not in ({"float32"}, {"float64"}):
        raise CannotCompare(
            f"the module's parameters are {', '.join(sorted(found)) or 'none'}, but should be "
            f"either all float32 or all float64"
        )
    return found.pop()


def _require(name: str, given: object, kind: type, wanted: str) -> None:
    if not isinstance(given, kind):
        raise UsageError(f"{name} is a {type(given).__name__}, but should be {wanted}")


def _require_no_other_draws(side: TorchSide, steps: Sequence[StepOutcome]) -> None:
    """Refuse a disagreement about random numbers that the twin could not be handed."""
    for step in steps[-1:]:
        x = to_tensor(step.given.x)
        if draws_unseen(copied(side.network), step.given.masks, x):
            raise CannotCompare(
                "the two sides differ, but the module draws random numbers other than the masks of "
                "nn.Dropout layers, such as by functional.dropout, which cannot be handed to its "
                "twin; put it into evaluation, or draw them by nn.Dropout"
            )


def _require_on_cpu(module: nn.Module) -> None:
    places = {str(one.device) for one in (*module.parameters(), *module.buffers())} - {"cpu"}
    if places:
        raise CannotCompare(f"the module is on {', '.join(sorted(places))}, but should be on cpu")


def _require_no_autocast() -> None:
    if torch.is_autocast_enabled("cpu"):
        dtype = str(torch.get_autocast_dtype("cpu")).removeprefix("torch.")
        raise CannotCompare(
            f"autocast is on, so that PyTorch's side would compute in {dtype}, for which the "
            f"reference has no arithmetic; call compare_module outside of torch.autocast"
        )


def _dataset(data: Data, dtype: str) -> Dataset:
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise UsageError("data should be two arrays or tensors, (inputs, targets)")
    named = zip(("inputs", "targets"), data, strict=True)
    inputs, targets = (_rounded(_as_array(name, one), dtype) for name, one in named)
    if not len(inputs) == len(targets) > 0:
        raise CannotCompare(
            f"there are {len(inputs)} inputs and {len(targets)} targets, but there should be as "
            f"many of both, and at least one"
        )
    return Dataset(inputs, targets)


def _as_array(name: str, values: Array | Tensor | Sequence[Any]) -> Array:
    try:
        array = to_array(values) if isinstance(values, Tensor) else np.asarray(values)
    except Exception as error:  # rows of unequal lengths, a tensor of what NumPy does not have
        raise UsageError(f"data's {name} cannot be made an array: {error}") from error
    if array.ndim < 1 or array.dtype.kind not in "biuf":
        raise UsageError(
            f"data's {name} are of shape {array.shape} and dtype {array.dtype}, but should be "
            f"real numbers with one row for each sample"
        )
    return array


def _rounded(values: Array, dtype: str) -> Array:
    """Real numbers in the module's dtype, whole numbers as PyTorch's indices."""
    return values.astype("int64" if values.dtype.kind in "iu" else dtype)


def _is_summed(loss: nn.Module) -> bool:
    return getattr(loss, "reduction", "sum") == "sum"
