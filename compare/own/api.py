"""The check of a user's own network, in one function."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from compare.base.errors import UsageError
from compare.base.quantities import Array
from compare.base.versions import versions
from compare.own.comparison import against_loss, against_torch
from compare.own.comparison.against_loss import Alone
from compare.own.explain.explain_verdict import explained
from compare.own.explain.first_wrong import apart, where_to_look
from compare.own.isolation.process_state import kept_world
from compare.own.isolation.snapshot_and_restore import Memento
from compare.own.isolation.timeout import time_limit
from compare.own.oracle.autograd import Autograd
from compare.own.oracle.drawn_weights import draw
from compare.own.oracle.gradient_tolerance import Allowance, coarsest
from compare.own.user.gradients import Returned, Source, Stepped
from compare.own.user.network import Subject
from compare.own.user.numbers import DTYPES
from compare.own.user.parameters import Parameters
from compare.own.user.repeats import Repeats
from compare.own.user.run import Runner
from compare.results.own_report import CrossReport

Progress = Callable[[int, int], object]


def crosscheck(
    parameters: Any,
    *,
    grads: Callable[[], Any] | None = None,
    step: Callable[..., Any] | None = None,
    lr: Any = None,
    loss: Callable[[], Any] | None = None,
    module: nn.Module | None = None,
    names: Mapping[str, str] | None = None,
    torch_loss: Callable[[Any], Any] | None = None,
    reset: Callable[[], Any] | None = None,
    draws: int = 1,
    seed: int = 0,
    dtype: str | None = None,
    tolerance: str | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    timeout: float | None = None,
    progress: Progress = lambda done, total: None,
) -> CrossReport:
    """Hold the gradients of a network written by hand against PyTorch's, or its own loss's.

    Everything that the functions given here can reach is put back as it was found, before each
    run and at the end; so are random generators, settings of NumPy and PyTorch, and the like.

    Args:
        parameters: ``(network, "W1", "b1")``, an object and paths from it; or a dict or list of
            arrays.
        grads: computes the gradients and returns them, a dict or list, or where they
            are: ``(network, "dW1", "db1")``.
        step: instead of ``grads``: makes one step of plain gradient descent. If it takes an
            argument, that is the learning rate.
        lr: of ``step``: a number, or where it is kept, ``(network, "lr")``.
        loss: the network's own loss, a number.
        module: a module of PyTorch that should be the same network.
        names: the module's name for each parameter, with ``.T`` if it is the
            transpose: ``{"W1": "0.weight.T"}``.
        torch_loss: the same loss in PyTorch: a function of a dict of tensors with the names
            of ``parameters``, or of the module if there is one. Without it, gradients are held
            against the derivative of ``loss``.
        reset: called before each run, for random numbers and state that cannot be reached.
        draws: at how many drawn weights to compare, besides those that are there.
        seed: of the drawing.
        dtype: that PyTorch computes in; None is that of the parameters.
        tolerance: ``statistical`` (default) or ``fixed``.
        rtol: relative part of the fixed tolerance.
        atol: absolute part of the fixed tolerance.
        timeout: seconds after which to give up; only in the main thread.
        progress: called with how many entries are done, and of how many.

    Returns:
        The report; ``report.agrees`` is the verdict in a word.

    Raises:
        UsageError: the arguments make no sense together.
        CannotCompare: the user's code raises, gives something else than numbers, is not
            deterministic, or does not come back in time.
    """
    _require_sense(grads, step, lr, loss, module, names, torch_loss)
    _require_count("draws", draws)
    _require_count("seed", seed)
    if dtype not in (None, *DTYPES):
        raise UsageError(f"dtype is {dtype!r}, but should be one of {', '.join(DTYPES)}")
    allowance = Allowance(tolerance, rtol, atol)
    run, began = Runner(), time.monotonic()
    with kept_world() as world:
        found = run("parameters", Parameters, parameters)
        memento = Memento(parameters, grads, step, lr, loss, reset, torch_loss)
        try:
            with time_limit(timeout), run.watched():
                source = _source(grads, step, lr, found, run)
                subject = Subject(found, source, loss, reset, run, memento, world)
                own = found.read()
                points = _points(own, draws, seed)
                repeats = subject.repeat(own, source.rates[0])
                if torch_loss is None:
                    return _by_loss(subject, repeats, allowance, points, progress, began)
                computed_in = dtype or coarsest(*(value.dtype.name for value in own.values()))
                shapes = {name: value.shape for name, value in own.items()}
                autograd = Autograd(torch_loss, module, names, shapes, computed_in, run)
                return _by_torch(subject, repeats, autograd, allowance, points, began)
        finally:
            memento.restore()


def _require_sense(
    grads: object,
    step: object,
    lr: object,
    loss: object,
    module: object,
    names: object,
    torch_loss: object,
) -> None:
    for name, value in (
        ("grads", grads),
        ("step", step),
        ("loss", loss),
        ("torch_loss", torch_loss),
    ):
        if value is not None and not callable(value):
            raise UsageError(
                f"{name} is a {type(value).__name__}, but should be a function; write "
                f"{name}=lambda: ..."
            )
    if (grads is None) == (step is None):
        raise UsageError(
            "give either grads, which returns gradients, or step, which makes one step"
        )
    if (step is None) != (lr is None):
        raise UsageError("step and lr go together: lr is the learning rate that step uses")
    if torch_loss is None and loss is None:
        raise UsageError(
            "there is nothing to compare the gradients with: give torch_loss, the same loss in "
            "PyTorch, or loss, the network's own"
        )
    if module is not None and torch_loss is None:
        raise UsageError("module needs torch_loss, a function from the module to its loss")
    if module is not None and not isinstance(module, nn.Module):
        raise UsageError(f"module is a {type(module).__name__}, but should be a torch.nn.Module")
    if names is not None and module is None:
        raise UsageError("names belongs to a module, which is not given")


def _require_count(name: str, value: Any) -> None:
    if not isinstance(value, int | np.integer) or value < 0:
        raise UsageError(f"{name} is {value!r}, but should be a whole number of at least 0")


def _source(grads: Any, step: Any, lr: Any, parameters: Parameters, run: Runner) -> Source:
    if grads is not None:
        return Returned(grads, parameters, run)
    return Stepped(step, lr, parameters, run)


def _points(own: dict[str, Array], draws: int, seed: int) -> dict[str, dict[str, Array]]:
    """The weights to compare at, each with its name."""
    drawn = {f"drawn weights {i}": draw(own, seed + i) for i in range(1, draws + 1)}
    return {"your weights": own} | drawn


def _by_torch(
    subject: Subject,
    repeats: Repeats,
    autograd: Autograd,
    allowance: Allowance,
    points: dict[str, dict[str, Array]],
    began: float,
) -> CrossReport:
    looks, left_out = against_torch.at_all(
        points,
        lambda at, title: against_torch.look(subject, autograd, allowance, at, title),
        allowance.multiple,
    )
    first = looks[0]
    said = repeats.require_allowed(first.units, allowance.multiple, first.loss_unit)
    report = CrossReport(
        against=f"PyTorch's autograd ({coarsest(*(one.expected.dtype for one in looks))})",
        tolerance=allowance.name,
        multiple=allowance.multiple,
        sections=tuple(one.section for one in looks),
        opinion=None,
        causes=(),
        remarks=(*left_out, *said),
        parameters=sum(value.size for value in looks[0].weights.values()),
        versions=versions(),
        where=_where(looks, allowance.multiple),
    )
    return explained(report, looks, subject, autograd, began)


def _where(looks: Sequence[against_torch.Look], multiple: float) -> str:
    """Where to look, as the weights tell at which most is wrong."""
    most = max(looks, key=lambda look: len(look.wrong))
    gradients = most.expected.gradients
    told = [  # what is about zero is right whatever its error is
        name
        for name, gradient in gradients.items()
        if name in most.wrong or np.any(np.abs(gradient) > multiple * most.units[name])
    ]
    return where_to_look(told, most.wrong, most.expected.behind)


def _by_loss(
    subject: Subject,
    repeats: Repeats,
    allowance: Allowance,
    points: dict[str, dict[str, Array]],
    progress: Progress,
    began: float,
) -> CrossReport:
    calls = subject.run.calls
    calls.faster = (
        "a loss that can be computed on complex numbers, without abs, max or float(), needs one "
        "call for each entry; with torch_loss, the same loss in PyTorch, a few are enough for all"
    )
    looks, left_out = against_torch.at_all(
        points,
        lambda at, title: against_loss.measure(
            subject, allowance, at, title, calls.part_of("loss", title, progress)
        ),
        allowance.multiple,
    )
    report = CrossReport(
        against=f"the derivative of its own loss ({_looked_at(looks)})",
        tolerance=allowance.name,
        multiple=allowance.multiple,
        sections=tuple(one.section for one in looks),
        opinion=None,
        causes=(),
        remarks=(
            *left_out,
            *repeats.require_allowed(looks[0].units, allowance.multiple),
            *(remark for one in looks for remark in one.remarks),
        ),
        parameters=sum(value.size for value in looks[0].weights.values()),
        versions=versions(),
        where=apart(list(looks[0].weights), max((one.wrong for one in looks), key=len)),
    )
    return explained(report, looks, subject, None, began)


def _looked_at(looks: Sequence[Alone]) -> str:
    """How the loss was differentiated, and by how many entries."""
    methods = dict.fromkeys(method for one in looks for method in one.samples.methods)
    size, looked = (
        sum(value.size for value in looks[0].weights.values()),
        looks[0].samples.total,
    )
    share = f"all {size:,}" if looked == size else f"{looked:,} of {size:,}"
    whole = ", and every tensor along a direction" if looks[0].samples.along else ""
    return f"{' and '.join(methods) or 'by no method'}; {share} entries{whole}"
