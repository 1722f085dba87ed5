"""From arrays to tensors and back: the one place where the two sides' data meet.

Everything is copied. A tensor that shared its memory with an array would make a comparison of
the two a comparison of a network with itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from compare.base.errors import CannotCompare

Array = npt.NDArray[Any]

TORCH_DTYPES = {
    "float32": torch.float32,
    "float64": torch.float64,
    "complex128": torch.complex128,
    "int64": torch.int64,
    "bool": torch.bool,
}


def to_tensor(array: Array) -> torch.Tensor:
    """A tensor with a copy of the array's numbers, bit for bit."""
    if array.dtype.name not in TORCH_DTYPES:
        raise CannotCompare(f"PyTorch has no {array.dtype.name}; use one of {list(TORCH_DTYPES)}")
    return torch.tensor(array, dtype=TORCH_DTYPES[array.dtype.name])


def to_array(tensor: torch.Tensor) -> Array:
    """An array with a copy of the tensor's numbers, bit for bit."""
    return np.array(tensor.detach().cpu().numpy())


def view(tensor: torch.Tensor) -> Array:
    """The tensor's own numbers as a read-only array, which follows what becomes of them."""
    array: Array = tensor.detach().cpu().numpy()
    array.flags.writeable = False
    return array


def assert_apart(arrays: Mapping[str, Array], tensors: Mapping[str, torch.Tensor]) -> None:
    """Make sure that no array shares memory with any tensor.

    Raises:
        CannotCompare: two of them do; the message names them.
    """
    for (name, array), (other, tensor) in product(arrays.items(), tensors.items()):
        if np.shares_memory(array, tensor.detach().cpu().numpy()):
            raise CannotCompare(
                f"array {name!r} and tensor {other!r} share memory, so comparing them would "
                f"compare a network with itself; copy one of them"
            )
