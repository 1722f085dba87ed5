"""Weight files: NumPy's ``.npz``, keyed as a ``state_dict``, never pickled."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from compare.errors import CannotCompare
from compare.files import write_whole
from compare.observation import Array


def save(path: Path, weights: dict[str, Array]) -> None:
    """Write a weight file, whole or not at all."""
    write_whole(path, lambda file: np.savez(file, allow_pickle=False, **weights))


def load(path: Path, expected: dict[str, Array]) -> dict[str, Array]:
    """Read a weight file.

    Args:
        path: the file.
        expected: parameters of the keys, shapes and dtype that the network needs.

    Raises:
        CannotCompare: the file cannot be read or does not fit the network.
    """
    found = _read(path, expected)
    return {name: _fitted(path, name, found[name], value) for name, value in expected.items()}


def _fitted(path: Path, name: str, found: Array, expected: Array) -> Array:
    """One parameter as the network needs it."""
    if found.shape != expected.shape:
        raise CannotCompare(
            f"{path} does not fit the network: {name} has shape {found.shape}, but should have "
            f"{expected.shape}; was it saved with another --hidden or --case?"
        )
    if found.dtype.kind not in "fiu":
        raise CannotCompare(f"{path}: {name} holds {found.dtype}, but should hold real numbers")
    with np.errstate(over="ignore"):
        value = found.astype(expected.dtype)
    if not np.isfinite(value).all():
        raise CannotCompare(f"{path}: {name} must hold finite numbers of {value.dtype}")
    return value


def _read(path: Path, names: Iterable[str]) -> dict[str, Array]:
    """The arrays of a file, if it holds those of the given names and no others."""
    try:
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise CannotCompare(
                    f"{path} is not a complete .npz file; save the weights again with train --save"
                )
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                _require_names(path, archive.files, names)
                return {name: _array(archive[name]) for name in archive.files}
    except CannotCompare:
        raise
    except OSError as error:
        raise CannotCompare(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # zipfile and NumPy raise all kinds of them at a damaged file
        reason = f"it is damaged ({error})"
        if "pickle" in str(error).lower():
            reason = "it holds pickled objects, which are never loaded"
        raise CannotCompare(
            f"cannot read {path}: {reason}; save the weights again with train --save"
        ) from error


def _require_names(path: Path, found: Iterable[str], expected: Iterable[str]) -> None:
    if set(found) != set(expected):
        raise CannotCompare(
            f"{path} does not fit the network: it holds {_list(found)}, but should hold "
            f"{_list(expected)}; was it saved from another --case?"
        )


def _array(member: Any) -> Array:
    """What NumPy read; it gives bytes where a member of the archive is no array."""
    if not isinstance(member, np.ndarray):
        raise ValueError("it holds something that is not an array")
    return member


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
