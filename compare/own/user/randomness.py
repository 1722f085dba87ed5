"""Which generators of random numbers a user's code draws from."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from compare.base.conversion import to_array


class Generators:
    """Those of the process, and those among some objects.

    Args:
        reached: whatever the user's code can reach.
    """

    def __init__(self, reached: Iterable[Any]) -> None:
        kinds = (random.Random, np.random.RandomState, np.random.Generator, torch.Generator)
        self._own = [one for one in reached if issubclass(type(one), kinds)]
        self._before = self._states()

    def drawn(self) -> tuple[str, ...]:
        """Which ones have been drawn from since this was made, by name."""
        now = self._states()
        changed = (name for name, state in self._before if (name, state) not in now)
        return tuple(dict.fromkeys(changed))

    def _states(self) -> list[tuple[str, Any]]:
        shared = [
            ("np.random", _comparable(np.random.get_state())),  # noqa: NPY002 - theirs to use
            ("random", random.getstate()),
            ("torch", to_array(torch.get_rng_state()).tobytes()),
        ]
        return [*shared, *((f"a {_name(one)}", _state(one)) for one in self._own)]


def _name(generator: Any) -> str:
    kind = type(generator)
    return f"{kind.__module__.partition('.')[0]} {kind.__name__}"


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return _comparable(generator.bit_generator.state)
    if isinstance(generator, torch.Generator):
        return to_array(generator.get_state()).tobytes()
    if isinstance(generator, np.random.RandomState):
        return _comparable(generator.get_state())
    return generator.getstate()


def _comparable(state: Any) -> Any:
    """The same with arrays as bytes, which can be compared at once."""
    if isinstance(state, np.ndarray):
        return state.tobytes()
    if isinstance(state, dict):
        return tuple((key, _comparable(value)) for key, value in state.items())
    return tuple(map(_comparable, state)) if isinstance(state, tuple) else state
