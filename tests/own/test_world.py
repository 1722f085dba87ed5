"""What the process shares is as it was found, whatever a user's code does to it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from compare.own.isolation.process_state import kept_world


def printed(**options: Any) -> None:
    torch.set_printoptions(**options)  # type: ignore[no-untyped-call]


#: What is read, and what changes it.
CHANGES: dict[str, tuple[Callable[[], Any], Callable[[], object]]] = {
    "errstate": (np.geterr, lambda: np.seterr(under="raise")),
    "NumPy's print options": (np.get_printoptions, lambda: np.set_printoptions(precision=3)),
    "random": (random.getstate, random.random),
    "default dtype": (torch.get_default_dtype, lambda: torch.set_default_dtype(torch.float64)),
    "grad mode": (torch.is_grad_enabled, lambda: torch.set_grad_enabled(False)),
    "anomaly mode": (torch.is_anomaly_enabled, lambda: torch.set_anomaly_enabled(True)),
    "deterministic algorithms": (
        torch.are_deterministic_algorithms_enabled,
        lambda: torch.use_deterministic_algorithms(True),
    ),
    "only warned of": (
        torch.is_deterministic_algorithms_warn_only_enabled,
        lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    ),
    "precision of products": (
        torch.get_float32_matmul_precision,
        lambda: torch.set_float32_matmul_precision("high"),
    ),
    "PyTorch's print options": (
        lambda: str(torch.tensor(1.23456789)),
        lambda: printed(precision=2),
    ),
    "PyTorch's linewidth": (
        lambda: str(torch.arange(100.0)),
        lambda: printed(profile="full", linewidth=50, sci_mode=True),
    ),
    "warnings": (lambda: list(warnings.filters), lambda: warnings.simplefilter("ignore")),
    "import path": (lambda: list(sys.path), lambda: sys.path.append("/nowhere")),
    "environment": (lambda: dict(os.environ), lambda: os.environ.update(BACKPROOF_TEST="1")),
    "recursion limit": (sys.getrecursionlimit, lambda: sys.setrecursionlimit(5000)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change_is_undone(name: str) -> None:
    read, change = CHANGES[name]
    before = read()
    with kept_world():
        change()
        assert read() != before
    assert read() == before


def test_what_was_not_changed_loads_nothing() -> None:
    code = (
        "import sys\n"
        "from compare.own.isolation.process_state import kept_world\n"
        "with kept_world() as restore: restore()\n"
        "print('torch._inductor' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
