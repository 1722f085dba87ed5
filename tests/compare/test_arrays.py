"""From arrays to tensors and back: bit for bit, and never the same memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from compare import CannotCompare
from compare.base.conversion import TORCH_DTYPES, Array, assert_apart, to_array, to_tensor
from tests.support.strategies import scattered

ODD = [0.0, -0.0, 1 / 3, 5e-324, 1e-45, np.inf, -np.inf, np.nan, 3.4e38]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_are_kept_both_ways(dtype: str) -> None:
    array = np.array([ODD, ODD[::-1]], dtype)
    tensor = to_tensor(array)
    back = to_array(tensor)
    assert tensor.dtype == TORCH_DTYPES[dtype]
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("array", [np.arange(3), np.array([True, False])], ids=["int64", "bool"])
def test_other_dtypes(array: Array) -> None:
    back = to_array(to_tensor(array))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_default_dtype_does_not_matter() -> None:
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float16)
        assert to_tensor(np.ones(2, np.float64)).dtype == torch.float64
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3), (1, 1, 1)])
def test_shapes_are_kept(shape: tuple[int, ...]) -> None:
    assert to_array(to_tensor(np.ones(shape))).shape == shape


def test_layout_does_not_matter() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    for same in (scattered(array), np.asfortranarray(array), array[::-1][::-1]):
        np.testing.assert_array_equal(to_array(to_tensor(same)), array)
    np.testing.assert_array_equal(to_array(to_tensor(array).transpose(0, 2)), array.T)


def test_longdouble_is_refused() -> None:
    with pytest.raises(CannotCompare, match="PyTorch has no"):
        to_tensor(np.ones(2, np.longdouble))


def test_tensor_that_records_gradients_is_copied_without_them() -> None:
    tensor = torch.ones(2, requires_grad=True)
    array = to_array(tensor)
    array[0] = 5
    assert tensor.tolist() == [1, 1]


def test_memory_is_not_shared() -> None:
    array = np.ones((2, 3))
    tensor = to_tensor(array)
    assert_apart({"a": array, "b": to_array(tensor)}, {"t": tensor})
    array[0, 0] = 7
    assert tensor[0, 0] == 1


def test_shared_memory_is_noticed_and_named() -> None:
    array = np.ones((4, 3))
    for tensor in (
        torch.from_numpy(array),
        torch.from_numpy(array)[1:2, 1],
        torch.from_numpy(array.T),
    ):
        with pytest.raises(CannotCompare, match="array 'w' and tensor 'v' share memory"):
            assert_apart({"x": np.ones(3), "w": array}, {"u": torch.ones(3), "v": tensor})


def test_parameter_that_shares_memory_is_noticed() -> None:
    array = np.ones(3)
    with pytest.raises(CannotCompare, match="share memory"):
        assert_apart({"w": array}, {"v": torch.nn.Parameter(torch.from_numpy(array))})


def test_parts_of_one_array_that_do_not_overlap_are_apart() -> None:
    array = np.ones((4, 3))
    assert_apart({"w": array[:2]}, {"v": torch.from_numpy(array[2:])})
