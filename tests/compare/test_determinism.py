"""The same arguments give the same report, whatever the process was doing before."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from compare import compare
from compare.cases.registry import DTYPES
from tests.support.global_state import changes, restore, snapshot
from tests.support.noise import noise_case
from tests.support.processes import run


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["xor", "xor-relu", "digits"])
def test_two_runs_are_equal(name: str, dtype: str) -> None:
    first, again = (compare(name, epochs=4, dtype=dtype).to_json() for _ in range(2))
    assert first == again


def test_two_processes_are_equal() -> None:
    program = """
        from compare import compare
        print(compare("xor-tanh", epochs=20, dtype="float32").to_json())
    """
    assert run(program) == run(program)


def test_seed_fixes_weights_and_order(monkeypatch: pytest.MonkeyPatch) -> None:
    case = noise_case(monkeypatch)
    losses = [list(compare(case, seed=seed).history.reference) for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_unusual_global_state_is_left_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    case = noise_case(monkeypatch, dtype="float32")
    expected = compare(case).to_json()
    before = snapshot()
    try:
        np.seterr(all="raise")
        np.random.seed(5)  # noqa: NPY002
        torch.manual_seed(5)
        torch.set_default_dtype(torch.float64)
        warnings.simplefilter("error")
        unusual = snapshot()
        assert compare(case).to_json() == expected
        assert changes(unusual) == []
    finally:
        restore(before)


def test_global_state_is_left_when_it_fails() -> None:
    before = snapshot()
    with pytest.raises(RuntimeError, match="stop"):
        compare("xor", epochs=3, progress=_stop)
    assert changes(before) == []


def _stop(epoch: int) -> None:
    raise RuntimeError("stop")
