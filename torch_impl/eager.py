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
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch.optim import Optimizer

_NAME = "torch._dynamo"
_Function = TypeVar("_Function", bound=Callable[..., Any])


class _NoCompiler(ModuleType):
    """Answers what an eager optimizer asks of the compiler; gives way for anything else."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []  # a package, so that its submodules can be asked for

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


class _GiveWay(MetaPathFinder, Loader):
    """Loads the real compiler when one of its submodules is imported."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith(f"{_NAME}.") or not _stands_in():
            return None
        _remove()
        self.module = importlib.import_module(name)
        self.spec = self.module.__spec__
        return ModuleSpec(name, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec


_FINDER = _GiveWay()


def _stands_in() -> bool:
    return isinstance(sys.modules.get(_NAME), _NoCompiler)


def _remove() -> None:
    """Take the stand-in away, and what the optimizers have remembered of it."""
    if _stands_in():
        sys.meta_path.remove(_FINDER)
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
    sys.meta_path.insert(0, _FINDER)
    try:
        yield
    finally:
        _remove()
