"""Whose code it is: the user's, Backproof's, or that of Python and of installed packages.

Files tell it, not names: a user may well have a ``compare.py`` or a package ``tests``.
"""

from __future__ import annotations

import functools
import sys
import sysconfig
from pathlib import Path
from typing import Any

#: Where Python's own modules are, and names of folders in which packages are installed, be it in
#: another environment that this one looks into.
_STANDARD = Path(sysconfig.get_path("stdlib")).resolve()
_INSTALLED = frozenset({"site-packages", "dist-packages"})

#: Where Backproof itself lies: beside this package.
_HERE = Path(__file__).resolve().parents[1]
_OTHERS = ("reference", "torch_impl", "backproof", "cli.py")
_OURS = (_HERE, *(_HERE.parent / name for name in _OTHERS))


@functools.cache
def is_ours(file: str) -> bool:
    """Whether a file is one of Backproof's."""
    place = _resolved(file)
    return place is not None and any(place.is_relative_to(own) for own in _OURS)


@functools.cache
def is_harness(file: str) -> bool:
    """Whether a file is one of :mod:`compare`, which runs the user's code beside all other."""
    place = _resolved(file)
    return place is not None and place.is_relative_to(_HERE)


@functools.cache
def is_users(file: str) -> bool:
    """Whether a file is the user's own; so is what was typed in, or made as text."""
    if file.startswith(("<frozen ", "<__array_function__")):
        return False
    place = _resolved(file)
    if place is None or file.startswith("<"):
        return True
    return not (is_ours(file) or _INSTALLED & set(place.parts) or place.is_relative_to(_STANDARD))


def is_users_module(name: Any) -> bool:
    """Whether a module is the user's own."""
    if not isinstance(name, str):
        return False
    loaded = sys.modules.get(name)
    if name == "__main__":
        return True
    if loaded is None:
        return name not in sys.builtin_module_names  # made by runpy, or in a notebook
    file = vars(loaded).get("__file__") if isinstance(loaded, type(sys)) else None
    return isinstance(file, str) and is_users(file)


def is_users_namespace(names: dict[str, Any]) -> bool:
    """Whether the globals of a function are those of a user's module."""
    file, name = names.get("__file__"), names.get("__name__")
    if isinstance(file, str) and name != "__main__":
        return is_users(file)
    return name is None or is_users_module(name)


def _resolved(file: str) -> Path | None:
    try:
        return Path(file).resolve()
    except (OSError, ValueError, RuntimeError):  # no name that a file can have
        return None
