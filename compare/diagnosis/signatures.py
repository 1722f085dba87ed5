"""Causes read from the numbers alone.

A wrong gradient often is PyTorch's with something done to it: a factor, a transposition, a sample's
instead of the batch's. Each signature says what the actual gradients would be if it were the cause,
and is told only if they are that to within what is allowed, and if so much agreement is no
accident: see :mod:`compare.diagnosis.gradient`.
"""

from __future__ import annotations

from collections.abc import Mapping

from compare.diagnosis.additions import decays
from compare.diagnosis.arrangements import arrangements
from compare.diagnosis.cause import Cause, best
from compare.diagnosis.factors import factors
from compare.diagnosis.facts import Facts
from compare.diagnosis.finding import merged
from compare.diagnosis.gradient import gradients, wrong_names
from compare.diagnosis.losses import lost
from compare.diagnosis.occasions import carried, lr_dependent, only_later
from compare.observation import Array


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
    causes = [
        *factors(every, facts),
        *merged([*lost(every), *arrangements(every)]),
        *decays(every, facts),
        *carried(every, facts),
        *lr_dependent(every, facts),
    ]
    return best(causes) + only_later(every, facts)
