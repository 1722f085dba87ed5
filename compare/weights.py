"""Weight files: NumPy's ``.npz``, keyed as a ``state_dict``, never pickled."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

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
    found = _read(path)
    missing, extra = expected.keys() - found.keys(), found.keys() - expected.keys()
    if missing or extra:
        raise CannotCompare(
            f"{path} does not fit the network: it holds {_list(found)}, but should hold "
            f"{_list(expected)}; was it saved from another case?"
        )
    for name, value in expected.items():
        if found[name].shape != value.shape:
            raise CannotCompare(
                f"{path} does not fit the network: {name} has shape {found[name].shape}, but "
                f"should have {value.shape}; was it saved with another --hidden or --case?"
            )
        if found[name].dtype.kind not in "fiu" or not np.isfinite(found[name]).all():
            raise CannotCompare(f"{path}: {name} must hold finite real numbers")
    return {name: found[name].astype(value.dtype) for name, value in expected.items()}


def _read(path: Path) -> dict[str, Array]:
    try:
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise CannotCompare(f"{path} is not a complete .npz file; save it again")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return dict(archive)
    except OSError as error:
        raise CannotCompare(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        reason = "it holds pickled objects, which are never loaded"
        if "pickle" not in str(error).lower():
            reason = f"it is damaged ({error})"
        raise CannotCompare(f"cannot read {path}: {reason}; save the weights again") from error


def _list(weights: dict[str, Array]) -> str:
    return ", ".join(sorted(weights)) or "nothing"
