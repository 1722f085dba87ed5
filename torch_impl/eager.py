"""Optimizers without loading the compiler.

The first ``torch.optim`` object of a process makes PyTorch import ``torch._dynamo``, which takes as
long as importing PyTorch itself, only to tell a compiler that is not in use to leave the
optimizer alone. In eager mode those calls do nothing, so for as long as they are all that is
wanted a module that does nothing answers them. The arithmetic is not touched.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch.optim import Optimizer

_NAME = "torch._dynamo"
_Function = TypeVar("_Function", bound=Callable[..., Any])


class _NoCompiler(ModuleType):
    """Answers what an eager optimizer asks of the compiler; gives way for anything else."""

    @staticmethod
    def disable(fn: _Function, *args: object, **kwargs: object) -> _Function:
        return fn

    @staticmethod
    def graph_break(*args: object, **kwargs: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _remove()
        return getattr(importlib.import_module(_NAME), name)


def _remove() -> None:
    """Take the stand-in away, and what the optimizers have remembered of it."""
    if isinstance(sys.modules.get(_NAME), _NoCompiler):
        del sys.modules[_NAME]
        del torch._dynamo
        for method in vars(Optimizer).values():
            vars(getattr(method, "__wrapped__", _remove)).pop("__dynamo_disable", None)


@contextmanager
def eager_optimizers() -> Iterator[None]:
    """Within the block, optimizers do not import the compiler; afterwards all is as before."""
    if _NAME in sys.modules:
        yield
        return
    torch._dynamo = sys.modules[_NAME] = _NoCompiler(_NAME)
    try:
        yield
    finally:
        _remove()
