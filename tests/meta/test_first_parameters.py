"""What compares first parameters finds a range that is too wide, a shift, and a constant."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from reference import Array
from tests.reference.test_first_parameters import LAYERS, drawn_here, drawn_there, unlike

WRONG: dict[str, Callable[[Array], Array]] = {
    "the root of the outputs for that of the inputs": lambda w: w * np.sqrt(2),
    "from 0 on": abs,
    "normal for uniform": lambda w: np.random.default_rng(0).normal(0, w.std(), w.shape),
    "zero": np.zeros_like,
    "transposed": lambda w: w.swapaxes(-1, -2),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_start_is_found(wrong: str) -> None:
    ours, theirs = (drawn("Bilinear", LAYERS["Bilinear"]) for drawn in (drawn_here, drawn_there))
    assert unlike(ours, theirs) == set()
    assert unlike(ours | {"weight": WRONG[wrong](ours["weight"])}, theirs) == {"weight"}
    assert unlike({"weight": ours["weight"]}, theirs) == {"bias"}
