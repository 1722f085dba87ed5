"""Causes read from the numbers alone.

A wrong gradient often is PyTorch's with something done to it: a factor, a transposition, a sample's
instead of the batch's. Each signature says what the actual gradients would be if it were the cause,
and is told only if they are that to within what is allowed, and if so much agreement is no
accident: see :mod:`compare.diagnosis.evidence.gradient`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence import fit
from compare.diagnosis.evidence.facts import Facts
from compare.diagnosis.evidence.finding import merged
from compare.diagnosis.evidence.gradient import Gradient, gradients, wrong_names
from compare.diagnosis.signatures.additions import decays
from compare.diagnosis.signatures.arrangements import arrangements
from compare.diagnosis.signatures.factor_per_unit import unit_factors
from compare.diagnosis.signatures.gradient_times_constant import factors, line
from compare.diagnosis.signatures.missing_parts import lost
from compare.diagnosis.signatures.second_observation import carried, lr_dependent, only_later
from compare.results.cause import Cause, best, unexplained

#: What any wrong error, or any wrong input, of a layer may look like.
_GENERAL = ("rank one", "one factor for each unit", "one factor for each input")


@np.errstate(all="ignore")  # numbers that overflow or are none match nothing
def read(
    actual: Mapping[str, Array],
    expected: Mapping[str, Array],
    allowed: Mapping[str, Array],
    facts: Facts | None = None,
) -> list[Cause]:
    """The causes that explain why two sets of gradients differ, those that explain most first.

    Args:
        actual: the gradients in question, by the parameter's name in the state_dict, in any order.
        expected: PyTorch's.
        allowed: the largest allowed difference, of each entry or of the whole tensor.
        facts: what is known of the set-up.

    Returns:
        Causes that explain all wrong gradients, or some by themselves; several that explain the
        same gradients equally well are all there. Empty if nothing is wrong, or nothing fits.
    """
    facts = facts or Facts()
    every = gradients(actual, expected, allowed)
    if not wrong_names(every):
        return []
    causes = _local(every, facts)
    rest = set(unexplained(causes, wrong_names(every)))
    causes += _beside_a_factor(every, rest)
    rest = set(unexplained(causes, wrong_names(every)))
    causes += merged(unit_factors([g for g in every if g.name in rest], facts.units))
    causes = [replace(one, general=one.general or one.name in _GENERAL) for one in causes]
    return best(causes) + only_later(every, facts)


def _beside_a_factor(every: Sequence[Gradient], rest: Collection[str]) -> list[Cause]:
    """Causes of the rest, once the factor that most of the others have is accounted for."""
    lines = [line(g) for g in every if g.wrong and g.finite and g.same_shape]
    fits = [one for one in fit.free(lines) if len(one.names) > 1]
    if not fits:
        return []
    factor = max(fits, key=lambda one: len(one.names)).constant
    scaled = [
        replace(g, expected=factor * g.expected, allowed=max(1.0, abs(factor)) * g.allowed)
        for g in every
        if g.name in rest
    ]
    told = f", once the factor of {factor:.6g} that other gradients have is accounted for"
    causes = merged([*lost(scaled), *arrangements(scaled)])
    return [replace(cause, told=cause.told + told) for cause in causes]


def _local(every: Sequence[Gradient], facts: Facts) -> list[Cause]:
    return [
        *factors(every, facts),
        *merged([*lost(every), *arrangements(every)]),
        *decays(every, facts),
        *carried(every, facts),
        *lr_dependent(every, facts),
    ]
