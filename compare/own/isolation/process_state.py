"""What the whole process shares, kept as it was found whatever a user's code does to it."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch._tensor_str import PRINT_OPTS

from compare.own.isolation.patches import originals
from compare.own.isolation.restore_methods import Restore

#: As the operating system has them: to read them so takes a thirtieth of the time.
_VARIABLES = os.environ._data  # type: ignore[attr-defined]


@contextmanager
def kept_world() -> Iterator[Restore]:
    """Put the process's own state back at the end of the block, and whenever asked to."""
    with originals():
        saved = [(write, read()) for read, write in _settings()]

        def restore() -> None:
            for write, value in saved:
                write(value)

        try:
            yield restore
        finally:
            restore()


def _settings() -> list[tuple[Callable[[], Any], Callable[[Any], object]]]:
    return [
        (np.geterr, lambda state: np.seterr(**state)),
        (np.get_printoptions, _print_options),
        (np.random.get_state, np.random.set_state),  # theirs to use
        (random.getstate, random.setstate),
        (torch.get_rng_state, torch.set_rng_state),
        (torch.get_default_dtype, torch.set_default_dtype),
        (torch.get_num_threads, _threads),
        (torch.is_grad_enabled, torch.set_grad_enabled),
        (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
        (_deterministic, _as_deterministic),
        (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
        (lambda: asdict(PRINT_OPTS), _torch_print_options),
        (lambda: list(warnings.filters), _filters),
        (lambda: list(sys.path), lambda path: sys.path.__setitem__(slice(None), path)),
        (lambda: list(sys.argv), lambda argv: sys.argv.__setitem__(slice(None), argv)),
        (os.getcwd, _directory),
        (lambda: dict(_VARIABLES), _environment),
        (lambda: (sys.stdin, sys.stderr), _streams),
        (lambda: (sys.excepthook, sys.displayhook, sys.unraisablehook), _hooks),
        (sys.getrecursionlimit, sys.setrecursionlimit),
    ]


def _deterministic() -> dict[str, bool]:
    return {
        "mode": torch.are_deterministic_algorithms_enabled(),
        "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
    }


def _as_deterministic(state: dict[str, bool]) -> None:
    if _deterministic() != state:  # setting it loads PyTorch's compiler
        torch.use_deterministic_algorithms(**state)


def _torch_print_options(options: dict[str, Any]) -> None:
    torch.set_printoptions(**options)  # type: ignore[no-untyped-call]


def _threads(number: int) -> None:
    if torch.get_num_threads() != number:
        torch.set_num_threads(number)


def _filters(filters: list[Any]) -> None:
    if list(warnings.filters) != filters:
        warnings.filters[:] = filters  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]


def _print_options(options: dict[str, Any]) -> None:
    if np.get_printoptions() != options:
        np.set_printoptions(**{k: v for k, v in options.items() if k != "override_repr"})


def _directory(path: str) -> None:
    if os.getcwd() != path:  # noqa: PTH109 - three times as fast
        os.chdir(path)


def _environment(variables: dict[Any, Any]) -> None:
    if variables != _VARIABLES:
        for name in [*os.environ]:
            del os.environ[name]
        for name, value in variables.items():
            os.environ[os.environ.decodekey(name)] = os.environ.decodevalue(value)


def _streams(streams: tuple[Any, Any]) -> None:
    sys.stdin, sys.stderr = streams


def _hooks(hooks: tuple[Any, Any, Any]) -> None:
    sys.excepthook, sys.displayhook, sys.unraisablehook = hooks
