"""Every entry of the catalogue agrees, with computed tolerances, and with its own forward pass."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch.fx.experimental.symbolic_shapes  # noqa: F401 - adds warnings filters: now, not later

import reference
from compare.audit.modules import exhibits_of
from compare.base.errors import CannotCompare, UsageError
from compare.cases.registry import CASES, DTYPES
from compare.catalogue import layer_against_torch
from compare.catalogue.check_entries import check
from compare.catalogue.entries.entry import Draw, Entry
from compare.catalogue.subject import random_like, subject_of
from compare.catalogue.table import CATALOGUE, find, lines
from compare.measure.rounding import Rounded
from compare.measure.tolerances import TOLERANCES, Fixed, make
from compare.results.verdict import Verdict
from compare.sides.pair import build
from reference.optim import Scheduler

#: What networks are made of, and the case, or the module of the audit, that compares it.
STRUCTURE = {
    "Sequential": "gpt", "Tied": "gpt", "Shift": "line", "Residual": "module with a skip",
}  # fmt: skip

BASES = {"Loss", "Module", "Optimizer"}

WITH_GRADIENTS = [e.name for e in CATALOGUE.values() if e.kind in ("layer", "activation", "loss")]


@pytest.mark.parametrize("name", CATALOGUE)
def test_agrees_with_torch_and_with_its_own_forward(name: str) -> None:
    row = check(CATALOGUE[name])
    assert row.verdict is Verdict.AGREE, str(row)
    if name in WITH_GRADIENTS:
        decided = [checked.decided for checked in row.referee]
        assert sum(decided) >= 0.8 * len(decided)


@pytest.mark.parametrize("name", WITH_GRADIENTS)
def test_other_numbers_agree_too(name: str) -> None:
    row = check(CATALOGUE[name], seed=1)
    assert not row.failures, str(row)


#: PyTorch's backward is dy − dy (1 − t²), which cancels near 0; the reference's is dy t². What
#: bounds the rounding errors of the second does not bound those of the first.
BEYOND_ITS_BOUND = {"Tanhshrink"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_bounds_hold_as_well(name: str) -> None:
    row = check(CATALOGUE[name], make("rigorous"))
    assert bool(row.failures) == (name in BEYOND_ITS_BOUND), str(row)
    assert row.highest < 1.5


@pytest.mark.parametrize("tolerance", [name for name in TOLERANCES if name != "fixed"])
@pytest.mark.parametrize("name", WITH_GRADIENTS)
def test_numbers_that_carry_errors_are_the_very_same(name: str, tolerance: str) -> None:
    entry = CATALOGUE[name]
    for variant in entry.variants:
        for dtype in DTYPES:
            subject = subject_of(entry, variant, dtype)
            rng = layer_against_torch.generator(entry, variant, 0)
            problem = layer_against_torch.pose(entry, variant, subject, dtype, rng)
            with np.errstate(all="ignore"):
                y, _ = subject.forward(dict(problem.params), problem.inputs, problem.given)
                upstream = random_like(y, rng, dtype)
                plain = layer_against_torch.observe(subject, problem, upstream, Fixed(0, 0))
                carrying = layer_against_torch.observe(subject, problem, upstream, make(tolerance))
            assert plain.keys() == carrying.keys()
            for quantity, value in carrying.items():
                number = value.value if isinstance(value, Rounded) else value
                np.testing.assert_array_equal(number, plain[quantity], err_msg=quantity)
                assert number.dtype == plain[quantity].dtype


def test_everything_that_the_reference_has_is_in_it() -> None:
    exported = {name: getattr(reference, name) for name in reference.__all__}
    classes = {name: kind for name, kind in exported.items() if isinstance(kind, type)}
    mirrored = (
        reference.Module,
        reference.Loss,
        reference.Optimizer,
        Scheduler,
        reference.ReduceLROnPlateau,
    )
    wanted = {
        name
        for name, kind in classes.items()
        if issubclass(kind, mirrored) and not kind.__module__.startswith("reference.networks")
    }
    assert wanted - set(STRUCTURE) - BASES == set(CATALOGUE)


@pytest.mark.parametrize(("name", "case"), STRUCTURE.items())
def test_what_networks_are_made_of_is_compared(name: str, case: str) -> None:
    if case in CASES:
        networks = [build(CASES[case]).reference.model.network]
    else:
        networks = [one.parts["network"] for one in exhibits_of(case, "float64", make(None))]
    kinds = {kind for network in networks for one in _all(network) for kind in type(one).mro()}
    assert name in {kind.__name__ for kind in kinds}


def _all(module: reference.Module) -> Iterator[reference.Module]:
    yield module
    for child in module.children().values():
        yield from _all(child)


def test_every_network_of_the_reference_is_a_case() -> None:
    named = {
        name
        for name in reference.__all__
        if getattr(getattr(reference, name), "__module__", "").startswith("reference.networks")
    }
    assert named - {"XORNetwork"} == {case.network for case in CASES.values()}  # it is an MLP


def test_every_entry_varies_what_faults_need() -> None:
    """More than one variant, and of what has samples a batch of one and of several."""
    for entry in CATALOGUE.values():
        assert entry.varies
        assert len(entry.variants) > 1, entry.name
        if entry.kind == "layer" and entry.name != "Embedding":
            lengths = {_samples(entry, number) for number in range(len(entry.variants))}
            assert len(lengths) > 1, entry.name
        if entry.kind in ("layer", "activation", "loss"):
            strided = any(variant.strided for variant in entry.variants)
            assert strided or entry.name == "Unflatten", entry.name


def _samples(entry: Entry, number: int) -> tuple[int, ...]:
    first = entry.variants[number].inputs[0]
    assert isinstance(first, Draw)
    return first.shape[:2]


def test_is_listed_without_loading_numpy_or_torch() -> None:
    program = (
        "import sys; from compare.catalogue.table import lines; print('\\n'.join(lines())); "
        "assert not {'numpy', 'torch'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == lines()
    assert len(lines()) == len(CATALOGUE)
    assert all(line.startswith(name) for line, name in zip(lines(), CATALOGUE, strict=True))


def test_unknown_entry_is_refused_with_the_names_there_are() -> None:
    assert find("Linear") is CATALOGUE["Linear"]
    with pytest.raises(UsageError, match="no 'Liner', but Linear"):
        find("Liner")


def test_unknown_operation_is_named() -> None:
    array = make(None).lift(np.ones(3))
    with pytest.raises(CannotCompare, match="arctan2"):
        np.arctan2(array, array)
    with pytest.raises(CannotCompare, match="asarray"):
        np.asarray(array)


def test_square_root_of_an_exact_zero_is_exact() -> None:
    array: Rounded = np.sqrt(make(None).lift(np.array([0.0, 4.0])))  # type: ignore[assignment]
    assert array.error is not None
    assert array.error[0] == 0.0
    assert np.isfinite(array.error).all()


def test_square_root_near_zero_has_a_finite_error() -> None:
    small = make(None).lift(np.array([1.0])) * 0.1 - 0.1
    error = np.sqrt(small).error  # type: ignore[attr-defined]
    assert np.isfinite(error).all()
    assert 0 < error[0] <= 1e-7


def test_a_number_compared_with_itself_is_certain() -> None:
    array = make(None).lift(np.array([1.0, 2.0])) * 0.1
    same: Rounded = array.real == array.real
    assert same.error is None
    assert same.value.all()


def test_winner_of_a_near_tie_is_uncertain_and_no_other() -> None:
    """0.3 and 0.1 · 3 differ by rounding, so either may be the largest; 0.2 may not."""
    tolerance = make(None)
    pool = reference.MaxPool1d(3)
    x = tolerance.lift(np.array([[[0.1, 0.3 / 3, 0.2 / 3, 0.1, 0.2, 0.3]]])) * 3.0
    _, cache = pool.forward({}, x)
    dx, _ = pool.backward({}, cache, tolerance.lift(np.array([[[2.0, 5.0]]])))
    _, unit = tolerance.split(dx, np.zeros(dx.shape))
    allowed = tolerance.multiple * unit[0, 0]
    assert (allowed[:2] >= 2.0).all()
    assert (allowed[3:] <= 1e-12).all()


def test_exact_tie_is_no_matter_of_rounding() -> None:
    tolerance = make(None)
    pool = reference.MaxPool1d(2)
    _, cache = pool.forward({}, tolerance.lift(np.array([[[1.0, 1.0]]])))
    dx, _ = pool.backward({}, cache, tolerance.lift(np.array([[[2.0]]])))
    value, unit = tolerance.split(dx, np.zeros(dx.shape))
    np.testing.assert_array_equal(value, [[[2.0, 0.0]]])
    assert (tolerance.multiple * unit <= 1e-12).all()
