"""What a reader should know besides what was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from compare.base.quantities import Array
from compare.measure import torch_constants
from compare.own.comparison.against_torch import Look
from compare.own.explain.steps import LATE
from compare.own.oracle.gradient_tolerance import coarsest
from compare.own.user.gradients import Seen, Stepped
from compare.own.user.network import Subject
from compare.results.cause import Cause

_UNTRAINED = "not trained"


def on(looks: Sequence[Look], subject: Subject) -> list[str]:
    """Everything that is worth a remark, of what has been seen."""
    told = [*_not_trained(looks), *_not_read(looks), *_coarse(looks), *_constants(looks)]
    told += [*_undisturbed(looks), *_put_back(looks)]
    told += mixed(looks[0].weights, looks[0].seen)
    rates = subject.source.rates
    if subject.source.unread:
        told.append(subject.source.unread)
    elif isinstance(subject.source, Stepped) and len(rates) == 1 and any(o.wrong for o in looks):
        told.append(
            f"one learning rate, {rates[0]:g}: whether differences depend on it could not be seen; "
            f"with step=lambda lr: ..., or lr=(network, 'lr'), two are tried"
        )
    return told


def beside(causes: Sequence[Cause], remarks: Sequence[str]) -> list[str]:
    """The remarks that hold whatever the cause is: what comes late is trained all the same."""
    late = any(cause.name == LATE for cause in causes)
    return [one for one in remarks if not (late and one.startswith(_UNTRAINED))]


def printed(lines: int, who: str = "your code") -> list[str]:
    """That the user's code printed something."""
    if not lines:
        return []
    told = "1 line, which is" if lines == 1 else f"{lines:,} lines, which are"
    return [f"{who} printed {told} not shown"]


def _not_trained(looks: Sequence[Look]) -> list[str]:
    """Parameters whose gradient, or change, is exactly zero at all weights, and should not be."""
    names = [
        name
        for name in looks[0].weights
        if all(not np.any(one.seen.gradients[name]) for one in looks)
        and any(name in one.wrong for one in looks)
    ]
    if not names:
        return []
    stepped = looks[0].seen.lr is not None
    how = "step leaves them exactly as they were" if stepped else "their gradients are exactly 0"
    bound = (
        "; if your code binds a new array to a name, give the object and the name, "
        "(network, 'W1'), instead of the array"
        if stepped
        else ""
    )
    return [f"{_UNTRAINED}: {', '.join(names)}: {how}{bound}"]


def _not_read(looks: Sequence[Look]) -> list[str]:
    """The same gradients at other weights: the code reads its parameters somewhere else."""
    first, last = looks[0], looks[-1]
    if first.weights is last.weights or first.seen.lr is not None:
        return []
    mine, elsewhere = first.seen.gradients, last.seen.gradients
    if not last.wrong or not all(np.array_equal(mine[name], elsewhere[name]) for name in mine):
        return []
    right, there = first.expected.gradients, last.expected.gradients
    if all(np.allclose(right[name], there[name], rtol=1e-6, equal_nan=True) for name in right):
        return []  # as it should be
    return [
        "your gradients are the same at other weights: the code does not read its parameters where "
        "they were said to be"
    ]


def _coarse(looks: Sequence[Look]) -> list[str]:
    """Numbers of lower precision on PyTorch's side."""
    double = all(value.dtype == np.float64 for value in looks[0].weights.values())
    if not double or looks[0].expected.dtype == "float64":
        return []
    return [
        "torch_loss computes with float32 numbers, so that nothing finer can be compared; make its "
        "data with dtype=torch.float64"
    ]


def mixed(weights: Mapping[str, Array], seen: Seen) -> list[str]:
    """Numbers of the user's that are less precise than others."""
    held_in = {name: value.dtype.name for name, value in weights.items()}
    told = []
    coarse = coarsest(*held_in.values())
    if len(set(held_in.values())) > 1:
        few = ", ".join(name for name, dtype in held_in.items() if dtype == coarse)
        told.append(
            f"{few}: {coarse}, unlike the other parameters; nothing finer than {coarse} can be "
            f"compared"
        )
    coarser = [name for name, dtype in seen.dtypes.items() if coarsest(coarse, dtype) != coarse]
    if coarser:
        dtype = coarsest(*seen.dtypes.values())
        told.append(
            f"your gradients of {', '.join(coarser)} are {dtype}, while the parameters are "
            f"{coarse}: nothing finer than {dtype} can be compared"
        )
    return told


def _constants(looks: Sequence[Look]) -> list[str]:
    """Constants of PyTorch's that are less precise than its numbers."""
    found = {name for one in looks for name in one.expected.constants}
    return [torch_constants.told(found)] if found else []


def _undisturbed(looks: Sequence[Look]) -> list[str]:
    """Code that cannot be run with noise."""
    reasons = dict.fromkeys(one.expected.undisturbed for one in looks if one.expected.undisturbed)
    return [
        f"allowed is more than usual: rounding could not be measured with noise on each operation, "
        f"as only then {reason}"
        for reason in reasons
    ]


def _put_back(looks: Sequence[Look]) -> list[str]:
    """What the user's code moves on besides the parameters."""
    names = dict.fromkeys(name for one in looks for name in one.put_back)
    if not names:
        return []
    return [
        f"your code moves more than the parameters that you named: {', '.join(names)}; as "
        f"torch_loss reads that, it was put back before torch_loss was evaluated"
    ]
