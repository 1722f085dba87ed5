"""What the whole process shares and no test may leave changed."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Setting:
    """One thing that is global: how to read it, in a form that can be compared, and to set it."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def _legacy_rng() -> tuple[Any, ...]:
    name, key, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    return (name, np.asarray(key).tobytes(), *rest)


def _set_legacy_rng(state: tuple[Any, ...]) -> None:
    name, key, *rest = state
    np.random.set_state((name, np.frombuffer(key, np.uint32), *rest))  # noqa: NPY002


def _set_filters(filters: list[Any]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]


SETTINGS: dict[str, Setting] = {
    "NumPy's errstate": Setting(np.geterr, lambda state: np.seterr(**state)),
    "NumPy's legacy random state": Setting(_legacy_rng, _set_legacy_rng),
    "Python's random state": Setting(random.getstate, random.setstate),
    "PyTorch's default dtype": Setting(torch.get_default_dtype, torch.set_default_dtype),
    "PyTorch's random state": Setting(
        lambda: torch.get_rng_state().numpy().tobytes(),
        lambda state: torch.set_rng_state(torch.tensor(list(state), dtype=torch.uint8)),
    ),
    "PyTorch's thread count": Setting(torch.get_num_threads, torch.set_num_threads),
    "PyTorch's grad mode": Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    "the warnings filters": Setting(lambda: list(warnings.filters), _set_filters),
}


def snapshot() -> dict[str, Any]:
    """Read all settings."""
    return {name: setting.read() for name, setting in SETTINGS.items()}


def changes(before: dict[str, Any]) -> list[str]:
    """Names of the settings that are not what they were."""
    return [name for name, setting in SETTINGS.items() if setting.read() != before[name]]


def restore(before: dict[str, Any]) -> None:
    """Set back whatever has changed."""
    for name in changes(before):
        SETTINGS[name].write(before[name])
