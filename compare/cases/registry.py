"""Cases: a network, its data and its training, as plain data.

Nothing here computes anything, so that the list of cases can be shown without loading NumPy or
PyTorch.
"""

from __future__ import annotations

import math
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

from compare.base.errors import UsageError
from compare.cases.case import Case
from compare.cases.network_cases import NETWORK_CASES

__all__ = ["ACTIVATIONS", "CASES", "DTYPES", "Case", "adapt", "check_settings", "find"]

DTYPES = ("float32", "float64")
ACTIVATIONS = ("sigmoid", "tanh", "relu", "identity")

#: The most epochs, units of a layer or samples of a batch.
MOST = 2**31 - 1

#: The largest seed that PyTorch's generator takes, as a signed number of 64 bits.
LARGEST_SEED = 2**63 - 1

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        Case(
            name="xor",
            summary="the truth table of exclusive or, by 2-2-1 sigmoid units",
            network="MLP",
            arguments={"sizes": (2, 2, 1), "activation": "sigmoid"},
            loss="HalfSquaredErrorLoss",
            lr=1.0,
            data="xor",
            goal="binary",
            epochs=5000,
            init="uniform",
        ),
        Case(
            name="xor-tanh",
            summary="the same by 2-3-1, tanh in the hidden layer, mean squared error",
            network="MLP",
            arguments={"sizes": (2, 3, 1), "activation": "tanh"},
            loss="MSELoss",
            lr=2.0,
            data="xor",
            goal="binary",
            epochs=2000,
        ),
        Case(
            name="xor-relu",
            summary="the same by 2-8-1, ReLU in the hidden layer",
            network="MLP",
            arguments={"sizes": (2, 8, 1), "activation": "relu"},
            loss="HalfSquaredErrorLoss",
            lr=0.5,
            data="xor",
            goal="binary",
            epochs=2000,
        ),
        Case(
            name="line",
            summary="the slope k of y = kx + 3 from one point, x = 5, y = 21",
            network="Line",
            arguments={"offset": 3.0},
            loss="HalfSquaredErrorLoss",
            lr=0.01,
            data="line",
            goal="value",
            epochs=100,
            init="ones",
        ),
        Case(
            name="digits",
            summary="1,797 handwritten digits by 64-32-10, shuffled mini-batches",
            network="MLP",
            arguments={"sizes": (64, 32, 10), "activation": "tanh"},
            loss="MSELoss",
            lr=2.0,
            data="digits",
            goal="classes",
            epochs=30,
            batch_size=50,
        ),
        *NETWORK_CASES,
    )
}


def find(name: str) -> Case:
    """The case of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in CASES:
        raise UsageError(
            f"no case is called {name!r}; there are {', '.join(CASES)}, and what else `cases` lists"
        )
    return CASES[name]


def adapt(
    case: Case,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    dtype: str | None = None,
    lr: float | None = None,
    hidden: tuple[int, ...] | None = None,
    activation: str | None = None,
    batch_size: int | None = None,
) -> Case:
    """The case with some of its settings changed; None leaves a setting as it is.

    Raises:
        UsageError: a value is out of range, or the case has no such setting.
    """
    hidden = _widths(hidden)
    check_settings(epochs=epochs, batch_size=batch_size, seed=seed)
    _check_counts(hidden=hidden)
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"dtype is {dtype!r}, but should be one of {', '.join(DTYPES)}")
    if activation is not None and activation not in ACTIVATIONS:
        raise UsageError(
            f"activation is {activation!r}, but should be one of {', '.join(ACTIVATIONS)}"
        )
    arguments = dict(case.arguments)
    if (hidden or activation) and "sizes" not in arguments:
        raise UsageError(
            f"case {case.name!r} has no hidden layers to choose, so --hidden and --activation "
            f"do not apply"
        )
    if hidden:
        arguments["sizes"] = (arguments["sizes"][0], *hidden, arguments["sizes"][-1])
    if activation:
        arguments["activation"] = activation
    changes: dict[str, Any] = {
        "epochs": epochs,
        "seed": seed,
        "dtype": dtype,
        "lr": lr,
        "batch_size": batch_size,
    }
    changed = replace(
        case,
        arguments=arguments,
        **{name: value for name, value in changes.items() if value is not None},
    )
    _check_lr(changed)
    return changed


def check_settings(
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    lockstep_every: int | None = None,
) -> None:
    """Make sure of what every comparison can be given; None is not given.

    Raises:
        UsageError: one is no whole number, or out of range.
    """
    counts = {"epochs": epochs, "batch_size": batch_size, "lockstep_every": lockstep_every}
    _check_whole(**counts, seed=seed)
    _check_counts(**counts)
    if seed is not None and seed < 0:
        raise UsageError(f"seed is {seed}, but should be at least 0")
    if seed is not None and seed > LARGEST_SEED:
        raise UsageError(f"seed is {seed}, but should be at most {LARGEST_SEED}")


def _widths(hidden: object) -> tuple[int, ...] | None:
    """One width or several, as a tuple."""
    if hidden is None:
        return None
    widths = tuple(hidden) if isinstance(hidden, list | tuple) else (hidden,)
    _check_whole(**{f"hidden[{i}]": width for i, width in enumerate(widths)})
    if not widths:
        raise UsageError("hidden is empty, but should hold at least one width")
    return widths


def _check_whole(**numbers: object) -> None:
    for name, number in numbers.items():
        if number is not None and (isinstance(number, bool) or not isinstance(number, Integral)):
            raise UsageError(f"{name} is {number!r}, but should be a whole number")


def _check_counts(**counts: int | tuple[int, ...] | None) -> None:
    for name, count in counts.items():
        for number in count if isinstance(count, tuple) else (count,):
            if number is not None and number < 1:
                raise UsageError(f"{name} is {number}, but should be at least 1")
            if number is not None and number > MOST:
                raise UsageError(f"{name} is {number}, but should be at most {MOST}")


def _check_lr(case: Case) -> None:
    if not (isinstance(case.lr, Real) and math.isfinite(case.lr) and case.lr > 0):
        raise UsageError(f"lr is {case.lr}, but should be a finite number above 0")
    if case.dtype == "float32" and not 2.0**-126 <= case.lr <= 2.0**127:
        raise UsageError(f"lr is {case.lr}, which float32 cannot hold; use --dtype float64")
