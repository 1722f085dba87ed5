"""Functions of Python, NumPy and PyTorch that a user's code has put others in the place of.

While the user's code runs they are as it has made them. While Backproof's does, they are what they
were when it was loaded, and so they are once more at the end.
"""

from __future__ import annotations

import builtins
import copy
import math
import operator
import os
import random
import time
import types
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

_GONE = object()

#: What changes as warnings are caught, and is put back by who catches them.
_CAUGHT = {"showwarning"}


class _Watched:
    """The functions and classes of one module."""

    def __init__(self, module: types.ModuleType) -> None:
        self.namespace = vars(module)
        self.originals = {
            name: value
            for name, value in self.namespace.items()
            if callable(value) and not name.startswith("_") and name not in _CAUGHT
        }
        self._pick = operator.itemgetter(*self.originals)
        self._picked = tuple(self.originals.values())

    def replaced(self) -> dict[str, Any]:
        """What is in the place of any."""
        try:
            if self._pick(self.namespace) == self._picked:
                return {}
        except Exception:  # noqa: S110 - one is gone, or refuses to be compared
            pass
        now = {name: self.namespace.get(name, _GONE) for name in self.originals}
        return {name: value for name, value in now.items() if value is not self.originals[name]}

    def put(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if value is _GONE:
                self.namespace.pop(name, None)
            else:
                self.namespace[name] = value


_WATCHED = [
    _Watched(module)
    for module in (
        *(builtins, copy, math, os, random, time, warnings),
        *(np, np.random, np.linalg, torch, torch.autograd, torch.nn.functional),
    )
]

_Patches = list[tuple[_Watched, dict[str, Any]]]

#: What is in force while the user's code runs.
_theirs: _Patches = []


@contextmanager
def originals() -> Iterator[None]:
    """Within the block all functions are the original ones, except in those of :class:`Theirs`."""
    global _theirs
    outer, found = _theirs, _lift()
    _theirs = [*outer, *found]
    try:
        yield
    finally:
        _lift()
        _theirs = outer
        _apply(found)


class Theirs:
    """Runs the user's functions with what they have replaced.

    To look at two thousand functions takes as long as a small network. Code that is run from the
    same start over and over replaces some at once or never, so that it is looked at ever more
    rarely if it has not: after its first, second, fourth, eighth call, and at the end.

    Args:
        keeps: whether what one function replaces is so for the next, too.
    """

    def __init__(self, keeps: bool = False) -> None:
        self.keeps = keeps
        self._calls: Counter[str] = Counter()
        self._replacing: set[str] = set()

    @contextmanager
    def during(self, what: str) -> Iterator[None]:
        """Within the block, which runs one of their functions, all are as they want them."""
        global _theirs
        self._calls[what] += 1
        _apply(_theirs)
        try:
            yield
        finally:
            if _theirs or what in self._replacing or self._calls[what].bit_count() == 1:
                self._take_back(what)

    def _take_back(self, what: str) -> None:
        global _theirs
        found = _lift()
        if found:
            self._replacing.add(what)
        if self.keeps:
            _theirs = found


def _lift() -> _Patches:
    """Put the original functions back, and give what was in their place."""
    found = [(one, now) for one in _WATCHED if (now := one.replaced())]
    for one, now in found:
        one.put({name: one.originals[name] for name in now})
    return found


def _apply(patches: _Patches) -> None:
    for one, values in patches:
        one.put(values)
