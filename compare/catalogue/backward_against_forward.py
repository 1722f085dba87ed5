r"""The referee: each hand-derived gradient against the derivative of the layer's own forward pass.

Agreement of two sides would show nothing if both made the same mistake. So each gradient is held
against what it claims to be. With ``L = Σ dy · y`` and a random direction v of one tensor,

    ``L(x + i h v) = L(x) + i h ∂L/∂x · v + O(h²)``

whose imaginary part gives the directional derivative exact to rounding, see
:func:`compare.referee.derivative.complex_step`. The backward pass has no part in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.base.nested import leaves
from compare.base.quantities import Array, Observation, gradient
from compare.catalogue.entries.entry import Entry, Variant
from compare.catalogue.layer_against_torch import Problem, generator, observe, pose
from compare.catalogue.subject import INPUT, OUTPUT, Subject, random_like, subject_of
from compare.measure.meter import Meter
from compare.measure.rounding import unit_roundoff
from compare.measure.tolerances import make
from compare.referee.derivative import complex_step
from compare.results.checked import Checked
from reference.losses.binary import LEAST_PRODUCT


def check(entry: Entry, variant: Variant, seed: int = 0, subject: Subject | None = None) -> Checked:
    """Hold every gradient of one variant against the complex-step derivative, in float64.

    Args:
        entry: what to check.
        variant: one of its variants.
        seed: of all that is random.
        subject: the reference's side, if it is not the reference's own.
    """
    tolerance = make(None)
    meter = Meter(tolerance.multiple)
    subject = subject or subject_of(entry, variant, "float64")
    rng = generator(entry, variant, seed)
    problem = pose(entry, variant, subject, "float64", rng)
    with np.errstate(all="ignore"):
        y, _ = subject.forward(dict(problem.params), problem.inputs, problem.given)
        upstream = random_like(y, rng, "float64")
        seen = observe(subject, problem, upstream, tolerance)
        actual: Observation = {}
        expected: Observation = {}
        units: Observation = {}
        for name, computed in seen.items():
            if not name.startswith("gradient"):
                continue
            v = rng.standard_normal(computed.shape) * _free(entry, subject, problem, computed)
            along = f"{name} along a direction"
            expected[along] = np.asarray(_derivative(subject, problem, upstream, name, v))
            product = computed * v
            actual[along], own = tolerance.split(product.sum(), expected[along])
            plain = np.abs(tolerance.split(product, v)[0]).sum()
            units[along] = np.hypot(np.sqrt(2) * own, plain * unit_roundoff(np.dtype("float64")))
        if actual:
            meter.add(1, actual, expected, units)
    return Checked(
        entry.name, variant.label, "float64", "own forward", meter.multiple, meter.metrics()
    )


def _derivative(subject: Subject, problem: Problem, upstream: Any, name: str, v: Array) -> float:
    """The derivative of ``Σ dy · y`` as the tensor whose gradient has this name moves along v."""

    def weighed(t: complex) -> complex:
        params = {
            key: value + t * v if gradient(key) == name else value
            for key, value in problem.params.items()
        }
        y, _ = subject.forward(params, _moved(problem.inputs, name, t * v), problem.given)
        outputs = leaves(y, OUTPUT)
        terms = (np.sum(dy * outputs[path]) for path, dy in leaves(upstream, OUTPUT).items())
        return complex(sum(terms))

    return complex_step(weighed).value


def _moved(inputs: tuple[Any, ...], name: str, way: Array) -> tuple[Any, ...]:
    """The inputs, with the one whose gradient has this name moved by so much."""
    if len(inputs) == 1:
        return (_move(inputs[0], INPUT, name, way),)
    moved: tuple[Any, ...] = _move(inputs, INPUT, name, way)
    return moved


def _move(structure: Any, path: str, name: str, way: Array) -> Any:
    if isinstance(structure, tuple):
        parts = enumerate(structure)
        return tuple(_move(part, f"{path}[{place}]", name, way) for place, part in parts)
    return structure + way if path == name else structure


def _free(entry: Entry, subject: Subject, problem: Problem, computed: Array) -> Array:
    """1 where an entry may move, 0 where its gradient is 0 by decree, whatever forward does."""
    free = np.ones(computed.shape)
    if entry.name == "Embedding" and subject.module.padding_idx is not None:
        free[subject.module.padding_idx] = 0
    if entry.name in ("L1Loss", "SmoothL1Loss"):  # at the corner of |x| any slope would do
        free[problem.inputs[0] == problem.inputs[1]] = 0
    if entry.name == "BCELoss":  # beyond its guards the gradient is not that of the loss
        free[np.abs(problem.inputs[0] - 0.5) >= 0.5 - LEAST_PRODUCT] = 0
    if entry.name == "TripletMarginLoss" and subject.module.eps == 0:  # corners of norms, and ties
        a, b, c = problem.inputs
        free[((a == b) | (a == c) | (b == c)).any(axis=-1)] = 0
    return free
