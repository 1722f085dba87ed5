"""Backproof's own packages, ``compare``, ``reference`` and ``torch_impl``, and others so named.

Many a project has a ``compare.py`` or a ``reference/`` of its own. Which of two modules of one name
an ``import`` means is decided by who imports:

- a process that is Backproof's, the command line and the one that runs a user's file, finds
  Backproof's, wherever it was started (:func:`claim`), and within :func:`users_first` what the
  user's code imports is the user's;
- in a process that is the user's, such as a run of pytest, nothing is taken from anybody: if
  another module is in the way, one line says so (:func:`require`).
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

NAMES = ("compare", "reference", "torch_impl")

#: Where they lie: beside this package.
ROOT = Path(__file__).resolve().parent.parent


class InTheWay(ImportError):
    """Another module has the name of one of Backproof's packages."""


class _Finder:
    """Finds Backproof's packages before all else, unless the user's are wanted."""

    wanted = True

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What an import asks."""
        return PathFinder.find_spec(name, [str(ROOT)]) if self.wanted and name in NAMES else None


_finder = _Finder()


def claim() -> None:
    """From now on the three names mean Backproof's packages in this process."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def require() -> None:
    """Make sure that the three names mean Backproof's packages.

    Raises:
        InTheWay: another module has one of these names.
    """
    if _finder in sys.meta_path:
        return
    for name in NAMES:
        loaded = sys.modules.get(name)
        spec = PathFinder.find_spec(name) if loaded is None else loaded.__spec__
        place = getattr(loaded, "__file__", None) or (spec and spec.origin)
        if place is None or not _lies_in(str(place), ROOT / name):
            raise InTheWay(
                f"Backproof needs its own package {name!r}, but {place or 'another module'} is in "
                f"the way; rename that, or run Backproof where it is not on the import path: the "
                f"command `backproof check FILE` minds no such names"
            )


def _lies_in(file: str, folder: Path) -> bool:
    return Path(file).resolve().is_relative_to(folder)


@contextmanager
def users_first(folder: Path) -> Iterator[None]:
    """Within the block, what lies in a folder is what all code but Backproof's own imports.

    Args:
        folder: of the user's file; it should be on the import path.
    """
    taken = frozenset(name for name in NAMES if _has(folder, name))
    if not taken or folder.resolve() == ROOT:
        yield
        return
    names = _Namesakes(taken)
    original = builtins.__import__
    builtins.__import__ = names.importing(original)
    try:
        yield
    finally:
        builtins.__import__ = original


def _has(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or any((folder / name).glob("*.py"))


class _Namesakes:
    """Two sets of modules with the same names, of which one at a time is in ``sys.modules``."""

    def __init__(self, taken: frozenset[str]) -> None:
        self.taken = taken
        self.aside: dict[str, ModuleType] = {}
        self.users_are_in = False

    def importing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """An ``__import__`` that looks at who imports."""

        def importing(
            name: str,
            globals: Mapping[str, Any] | None = None,
            locals: Mapping[str, Any] | None = None,
            fromlist: Sequence[str] = (),
            level: int = 0,
        ) -> Any:
            importer = globals or {}
            package = str(importer.get("__package__") or "") if level else name
            if package.partition(".")[0] not in self.taken and not self.users_are_in:
                return original(name, globals, locals, fromlist, level)
            with self._being(not _is_ours(importer)):
                return original(name, globals, locals, fromlist, level)

        return importing

    @contextmanager
    def _being(self, users: bool) -> Iterator[None]:
        """Have the user's modules in ``sys.modules``, or Backproof's."""
        before = self.users_are_in
        self._turn(users)
        try:
            yield
        finally:
            self._turn(before)

    def _turn(self, users: bool) -> None:
        if users == self.users_are_in:
            return
        out = {
            name: module
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] in self.taken
        }
        for name in out:
            del sys.modules[name]
        sys.modules.update(self.aside)
        self.aside, self.users_are_in = out, users
        _finder.wanted = not users


def _is_ours(importer: Mapping[str, Any]) -> bool:
    """Whether a module, of which these are the globals, is one of Backproof's."""
    file = importer.get("__file__")
    return isinstance(file, str) and any(
        _lies_in(file, ROOT / name) for name in (*NAMES, "backproof", "cli.py")
    )
