"""One layer, activation or loss on both sides, from the very same numbers.

Parameters, inputs and the gradient at every output are random; what is compared is every output,
the gradient of every parameter and at every input, and every buffer after the pass, each within
the tolerance that rounding explains.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from compare.base.nested import mapped
from compare.base.quantities import Array, Observation
from compare.catalogue.draws import draw
from compare.catalogue.entries.entry import Entry, Variant
from compare.catalogue.subject import OUTPUT, Subject, random_like, random_params, subject_of
from compare.catalogue.torch_subject import TorchSubject, dropout_mask, module_of
from compare.measure.meter import Meter
from compare.measure.step_records import StepOutcome, compare_step
from compare.measure.tolerances import Tolerance, make
from compare.measure.torch_constants import Constants
from compare.results.checked import Checked


@dataclass(frozen=True)
class Problem:
    """All numbers that a comparison starts from.

    Attributes:
        params: parameters and buffers, by name.
        inputs: of the forward pass.
        given: what else it is given, by name.
        seed: of whatever PyTorch draws in it.
        undefined: whether the output is no number, see :class:`Variant`.
    """

    params: Mapping[str, Array]
    inputs: tuple[Any, ...]
    given: Mapping[str, Any]
    seed: int
    undefined: bool = False


@dataclass(frozen=True)
class Asked:
    """A problem, and what PyTorch makes of it.

    Attributes:
        problem: the numbers that both start from.
        expected: PyTorch's quantities.
        upstream: the gradient at every output.
    """

    problem: Problem
    expected: Observation
    upstream: Any


def pose(
    entry: Entry, variant: Variant, subject: Subject, dtype: str, rng: np.random.Generator
) -> Problem:
    """Draw parameters and inputs; of a dropout, take the mask that PyTorch will draw."""
    inputs = tuple(draw(one, rng, dtype) for one in variant.inputs)
    given = {key: draw(value, rng, dtype) for key, value in variant.given.items()}
    seed = int(rng.integers(2**31))
    if entry.name == "Dropout":
        dropout = module_of(entry, variant, dtype)
        given["mask"] = dropout_mask(dropout, inputs[0], variant.strided, seed)
    params = random_params(subject, rng, dtype)
    return Problem(params, inputs, given, seed, variant.undefined)


def check(
    entry: Entry,
    variant: Variant,
    dtype: str = "float32",
    tolerance: Tolerance | None = None,
    seed: int = 0,
    subject: Subject | None = None,
) -> Checked:
    """Compare one variant of an entry.

    Args:
        entry: what to compare.
        variant: one of its variants.
        dtype: float32 or float64.
        tolerance: how far the two may differ; None computes it.
        seed: of all that is random; the entry's and the variant's names go into it.
        subject: the reference's side, if it is not the reference's own.
    """
    tolerance = tolerance or make(None)
    subject = subject or subject_of(entry, variant, dtype)
    meter = Meter(tolerance.multiple)
    with np.errstate(all="ignore"):
        asked = ask(entry, variant, dtype, subject, seed)
        step_layer(variant, tolerance, subject, asked).judge(meter, 1)
    return Checked(
        entry.name, variant.label, dtype, "lockstep", tolerance.multiple, meter.metrics()
    )


def ask(entry: Entry, variant: Variant, dtype: str, subject: Subject, seed: int) -> Asked:
    """Draw a problem, and let PyTorch solve it."""
    rng = generator(entry, variant, seed)
    problem = pose(entry, variant, subject, dtype, rng)
    return Asked(problem, *observe_torch(entry, variant, dtype, problem, rng))


def step_layer(
    variant: Variant, tolerance: Tolerance, subject: Subject, asked: Asked
) -> StepOutcome:
    """Let the reference's side solve a problem, and compare it with what PyTorch made of it."""

    def run(seen: Observation) -> None:
        observe(subject, asked.problem, asked.upstream, tolerance, variant.strided, seen)

    return compare_step(run, asked.expected, tolerance.split)


def observe_torch(
    entry: Entry, variant: Variant, dtype: str, problem: Problem, rng: np.random.Generator
) -> tuple[Observation, Any]:
    """PyTorch's quantities, and the random gradient at each of its outputs that gave them.

    Where its backward pass is less exact than float64, they are as they would be without that bug.
    """
    differentiable = entry.differentiable if entry.kind == "loss" else None
    module = module_of(entry, variant, dtype)
    theirs = TorchSubject(module, problem.params, variant, differentiable)
    given = {key: value for key, value in problem.given.items() if key != "mask"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(problem.seed)
        y, tensors = theirs.forward(problem.inputs, given)
    upstream = random_like(y, rng, dtype)
    with Constants(mend=True):
        expected = theirs.everything(y, tensors, upstream)
    if variant.undefined:
        expected[OUTPUT] = _no_number(expected[OUTPUT])
    return expected, upstream


def observe(
    subject: Subject,
    problem: Problem,
    upstream: Any,
    tolerance: Tolerance,
    strided: bool = False,
    seen: Observation | None = None,
) -> Observation:
    """The reference's quantities, in the numbers that the tolerance computes with.

    They are put into ``seen``, too, if it is given.
    """
    seen = {} if seen is None else seen

    def lift(array: Array) -> Array:
        return tolerance.lift(_strided(array) if strided else array)

    params = {name: lift(value) for name, value in problem.params.items()}
    inputs = tuple(
        mapped(lift, one) if subject.learns(position) else one
        for position, one in enumerate(problem.inputs)
    )
    upstream = mapped(lift, upstream)
    subject.everything(params, inputs, problem.given, upstream, seen)
    if problem.undefined:
        plain, _ = tolerance.split(seen[OUTPUT], seen[OUTPUT])
        seen[OUTPUT] = _no_number(plain)
    return seen


def generator(entry: Entry, variant: Variant, seed: int) -> np.random.Generator:
    """The same numbers whenever the same variant is compared."""
    return np.random.default_rng((seed, zlib.crc32(f"{entry.name} {variant.label}".encode())))


def _no_number(output: Array) -> Array:
    """1 where the output is no number, else 0: what can be compared of it."""
    return np.isnan(output).astype(float)


def _strided(array: Array) -> Array:
    """The same numbers with axes in reverse order in memory, and gaps between them."""
    return np.stack([array.T, array.T], axis=-1)[..., 0].T
