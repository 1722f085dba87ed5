"""Weight files: NumPy's ``.npz``, keyed as a ``state_dict``, never pickled."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.files import other_than_file, write_whole
from compare.base.quantities import Array

#: NumPy takes no longer header for safe, and writes far shorter ones.
HEADER = 10_000

#: How members of an archive are compressed by NumPy, if at all; others may unpack without end.
COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

#: So many names are told at most.
NAMES = 20


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
    try:
        other = other_than_file(path)
        if other:
            raise CannotCompare(f"cannot read {path}: it is {other}, but should be a file")
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise CannotCompare(
                    f"{path} is not a complete .npz file; save the weights again with train --save"
                )
            with zipfile.ZipFile(file) as archive:
                return _weights(path, archive, expected)
    except CannotCompare:
        raise
    except OSError as error:
        raise CannotCompare(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # zipfile and NumPy raise all kinds of them at a damaged file
        raise CannotCompare(
            f"cannot read {path}: it is damaged ({error}); save the weights again with train --save"
        ) from error


def _weights(
    path: Path, archive: zipfile.ZipFile, expected: Mapping[str, Array]
) -> dict[str, Array]:
    """The arrays of an archive; all are known to fit before any is unpacked."""
    members = archive.infolist()
    names = [member.filename.removesuffix(".npy") for member in members]
    if sorted(names) != sorted(expected):
        raise CannotCompare(
            f"{path} does not fit the network: it holds {_list(names)}, but should hold "
            f"{_list(list(expected))}; was it saved from another --case?"
        )
    by_name = dict(zip(names, members, strict=True))
    for name, value in expected.items():
        _require_fitting(path, archive, name, by_name[name], value)
    return {name: _read(path, archive, name, by_name[name], expected[name]) for name in expected}


def _require_fitting(
    path: Path, archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo, expected: Array
) -> None:
    """Make sure of what an array is from its header alone, without reading its numbers.

    Raises:
        CannotCompare: it does not fit the network.
        ValueError: it is not what it says.
    """
    if member.compress_type not in COMPRESSION:
        raise ValueError(f"{name} is compressed in a way that NumPy does not use")
    with archive.open(member) as file:
        head = io.BytesIO(file.read(HEADER))
    shape, dtype = _header(head)
    if shape != expected.shape:
        raise CannotCompare(
            f"{path} does not fit the network: {name} has shape {shape}, but should have "
            f"{expected.shape}; was it saved with another --hidden or --case?"
        )
    if dtype.hasobject:
        raise CannotCompare(
            f"cannot read {path}: it holds pickled objects, which are never loaded; save the "
            f"weights again with train --save"
        )
    if dtype.kind not in "fiu":
        raise CannotCompare(f"{path}: {name} holds {dtype}, but should hold real numbers")
    size = head.tell() + math.prod(shape) * dtype.itemsize
    if member.file_size != size:
        raise ValueError(f"{name} has {member.file_size:,} bytes, but should have {size:,}")


def _header(head: io.BytesIO) -> tuple[tuple[int, ...], np.dtype]:
    """The shape and dtype of an array, from the beginning of its file."""
    if not head.getvalue().startswith(np.lib.format.MAGIC_PREFIX):
        raise ValueError("it holds something that is not an array")
    version = np.lib.format.read_magic(head)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"it holds an array of format {version}, which is not for plain numbers")
    shape, _, dtype = read(head)
    return shape, dtype


def _read(
    path: Path, archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo, expected: Array
) -> Array:
    """One parameter as the network needs it."""
    with archive.open(member) as file:
        found: Array = np.lib.format.read_array(file, allow_pickle=False)
        file.read()  # to the end, where its checksum is looked at
    with np.errstate(over="ignore"):
        value = found.astype(expected.dtype)
    if not np.isfinite(value).all():
        raise CannotCompare(f"{path}: {name} must hold finite numbers of {value.dtype}")
    return value


def _list(names: Sequence[str]) -> str:
    shown = [name if name.isprintable() else ascii(name) for name in sorted(names)[:NAMES]]
    more = [f"and {len(names) - NAMES:,} more"] if len(names) > NAMES else []
    return ", ".join(shown + more) or "nothing"
