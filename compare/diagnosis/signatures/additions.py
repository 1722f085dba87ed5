"""Gradients to which something known was added, or from which it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence import fit
from compare.diagnosis.evidence.facts import Facts
from compare.diagnosis.evidence.fit import Fit, Line
from compare.diagnosis.evidence.gradient import Gradient
from compare.diagnosis.signatures.gradient_times_constant import is_bias
from compare.results.cause import Cause, listed

_DECAYS: dict[str, Callable[[Array], Array]] = {
    "weight decay": lambda weight: weight,
    "L1 decay": np.sign,
}


def decays(every: Sequence[Gradient], facts: Facts) -> list[Cause]:
    """A difference that is a constant times the parameter itself, or times its signs."""
    found = []
    for name, of in _DECAYS.items():
        weights = {key: of(np.asarray(array)) for key, array in (facts.weights or {}).items()}
        zero = {key: np.zeros(array.shape) for key, array in weights.items()}
        fits = fit.free(list(differences(every, weights, zero)))
        found += [_decay(name, one, every) for one in fits if _told(name, one)]
    return found


def differences(
    every: Sequence[Gradient], basis: Mapping[str, Array], allowed: Mapping[str, Array]
) -> Iterator[Line]:
    """The difference of each wrong gradient, as a constant times something known."""
    for gradient in every:
        x = np.asarray(basis.get(gradient.name, ()))
        if (
            gradient.wrong
            and gradient.finite
            and gradient.same_shape
            and x.shape == gradient.actual.shape
        ):
            difference = gradient.actual - gradient.expected
            error = np.broadcast_to(np.asarray(allowed[gradient.name]), x.shape)
            line = Line(gradient.name, x, difference, error, gradient.allowed, difference)
            if np.isfinite(x).all():
                yield line


def _told(name: str, one: Fit) -> bool:
    """Whether it is worth telling: two entries swapped are off by a constant times signs, too."""
    return name == "weight decay" or sum(line.x.size for line in one.lines) > 2


def _decay(name: str, one: Fit, every: Sequence[Gradient]) -> Cause:
    extra = one.constant > 0
    on = _on(one.names, every)
    of = "their signs" if name.startswith("L1") else "the parameters themselves"
    return Cause(
        name=f"{name} {'extra' if extra else 'missing'}{on}",
        told=(
            f"{listed(one.names)}: off by {one.constant:.6g} times {of}: {name} "
            + ("that PyTorch does not have" if extra else "is missing")
            + (f"{on}" if on else "")
        ),
        remedy=f"{'leave out' if extra else 'add'} {name} of {abs(one.constant):.6g}{on}, once",
        match=one.match,
        tensors=one.names,
    )


def _on(names: Sequence[str], every: Sequence[Gradient]) -> str:
    """Whether only biases, or only weights, are meant."""
    biases = {gradient.name for gradient in every if is_bias(gradient.name)}
    if biases and set(names) <= biases:
        return " on biases"
    if biases and not set(names) & biases:
        return " on weights"
    return ""
