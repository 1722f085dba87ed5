"""What a result was computed with."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("backproof", "numpy", "torch")


def versions() -> dict[str, str]:
    """Versions from the packages' metadata, without importing any of them."""
    return dict(_versions())


@lru_cache
def _versions() -> dict[str, str]:
    return {name: _version(name) for name in PACKAGES} | {"python": platform.python_version()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
