"""Weights from train to predict, and files that are not what they should be."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compare.cases.registry import CASES, adapt
from compare.command import predict
from compare.training.solo import IMPLEMENTATIONS
from tests.support.checks import assert_refused, run

XOR = {
    "0.weight": np.array([[1.0, 2.0], [3.0, 4.0]]),
    "0.bias": np.array([0.1, 0.2]),
    "2.weight": np.array([[5.0, -6.0]]),
    "2.bias": np.array([0.3]),
}
CHUNK = 1 << 20
LARGE = 1 << 26
ROWS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [-0.5, 7.0]])


def _npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _zip(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def _bomb(claim: int, size: int, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The right names, but one unpacks to so many zeros, of which its header knows."""
    header, file = io.BytesIO(), io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": (claim,)}
    np.lib.format.write_array_header_1_0(header, about)
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, value in XOR.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                if name != "2.bias":
                    np.lib.format.write_array(member, value)
                    continue
                member.write(header.getvalue())
                for _ in range(size // CHUNK):
                    member.write(bytes(CHUNK))
                member.write(bytes(size % CHUNK))
    return file.getvalue()


def _torch_file() -> bytes:
    file = io.BytesIO()
    torch.save({name: torch.tensor(value) for name, value in XOR.items()}, file)
    return file.getvalue()


class Planted:
    """Shows, if it is unpickled, that it was."""

    unpickled = False

    def __reduce__(self) -> tuple[Callable[[str, str], None], tuple[str, str]]:
        return _spring, ("", "")


def _spring(*args: str) -> None:
    Planted.unpickled = True


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in XOR.items() if key != name}


BAD = {
    "empty": (b"", "not a complete .npz"),
    "text": (b"0.1 0.2", "not a complete .npz"),
    "truncated": (_npz(**XOR)[:-30], "not a complete .npz"),
    "pickle": (pickle.dumps(XOR), "not a complete .npz"),
    "array alone": (np.lib.format.magic(1, 0) + b"...", "not a complete .npz"),
    "flipped bytes": (_npz(**XOR).replace(XOR["0.weight"].tobytes(), b"\xff" * 32), "damaged"),
    "pickled": (_npz(**(XOR | {"0.bias": np.array([Planted(), 1], object)})), "pickled objects"),
    "no array": (_zip(**dict.fromkeys(XOR, b"1 2 3")), "not an array"),
    "torch.save": (_torch_file(), "0.bias, 0.weight, 2.bias, 2.weight"),
    "empty archive": (_npz(), "it holds nothing"),
    "key missing": (_npz(**_without("2.bias")), "it holds 0.bias, 0.weight, 2.weight, but"),
    "key too many": (_npz(**XOR, extra=ROWS), "2.weight, extra, but should hold"),
    "other shape": (_npz(**(XOR | {"2.weight": np.ones((1, 3))})), "2.weight has shape (1, 3)"),
    "transposed": (_npz(**(XOR | {"2.weight": np.ones((2, 1))})), "should have (1, 2)"),
    "no axis": (_npz(**(XOR | {"2.bias": np.array(1.0)})), "2.bias has shape ()"),
    "nan": (_npz(**(XOR | {"2.bias": np.array([np.nan])})), "2.bias must hold finite"),
    "complex": (_npz(**(XOR | {"2.bias": np.array([1j])})), "2.bias holds complex128"),
    "bool": (_npz(**(XOR | {"2.bias": np.array([True])})), "2.bias holds bool"),
    "text array": (_npz(**(XOR | {"2.bias": np.array(["1"])})), "2.bias holds <U1"),
}


@pytest.mark.parametrize(
    ("claim", "size", "compression", "words"),
    [
        (LARGE // 8, LARGE, zipfile.ZIP_DEFLATED, "2.bias has shape (8388608,)"),
        (1, LARGE, zipfile.ZIP_DEFLATED, "2.bias has 67,108,992 bytes, but should have 136"),
        (1, 8, zipfile.ZIP_BZIP2, "0.weight is compressed in a way that NumPy does not use"),
        (1, 8, zipfile.ZIP_LZMA, "0.weight is compressed in a way that NumPy does not use"),
    ],
)
def test_file_that_unpacks_to_far_more_is_refused_before(
    claim: int, size: int, compression: int, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(_bomb(claim, size, compression))
    assert path.stat().st_size < LARGE / 500
    tracemalloc.start()
    try:
        result = run("predict", "0", "1", "--weights", str(path))
        highest = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert_refused(result, 3, str(path), words)
    assert highest < LARGE / 4


def test_archive_of_many_names_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(_zip(**{f"{i:05}\n": b"" for i in range(5_000)}))
    result = run("predict", "0", "1", "--weights", str(path))
    assert_refused(result, 3, "'00000\\n'", "and 4,980 more")
    assert len(result.stderr) < 2_000


def test_numbers_are_never_read_of_a_file_that_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(*arguments: object, **options: object) -> None:
        raise AssertionError("numbers were read")

    path = tmp_path / "weights.npz"
    path.write_bytes(BAD["other shape"][0])
    monkeypatch.setattr(np.lib.format, "read_array", unread)
    assert_refused(run("predict", "0", "1", "--weights", str(path)), 3, "2.weight has shape (1, 3)")


@pytest.mark.parametrize("impl", IMPLEMENTATIONS)
@pytest.mark.parametrize("kind", BAD)
def test_bad_files(kind: str, impl: str, tmp_path: Path) -> None:
    data, words = BAD[kind]
    path = tmp_path / "weights.npz"
    path.write_bytes(data)
    result = run("predict", "0", "1", "--impl", impl, "--weights", str(path))
    assert_refused(result, 3, str(path), words)
    assert not Planted.unpickled


def test_the_planted_pickle_would_show() -> None:
    file = io.BytesIO(BAD["pickled"][0])
    with np.load(file, allow_pickle=True) as archive:
        assert archive["0.bias"].dtype == object
    assert Planted.unpickled
    Planted.unpickled = False


@pytest.mark.parametrize("where", ["missing.npz", "", "file/x.npz", "x" * 300])
def test_files_that_cannot_be_read(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / where
    assert_refused(run("predict", "0", "1", "--weights", str(path)), 3, f"cannot read {path}: ")


def test_files_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    path = tmp_path / "weights.npz"
    path.write_bytes(_npz(**XOR))
    monkeypatch.setattr("os.access", lambda *args: False)
    monkeypatch.setattr("compare.training.weight_files.open", denied, raising=False)
    result = run("predict", "0", "1", "--weights", str(path))
    assert_refused(result, 3, f"cannot read {path}: Permission denied")


def test_numbers_that_the_dtype_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(_npz(**(XOR | {"0.bias": np.array([1e300, 0])})))
    assert run("predict", "0", "1", "--weights", str(path)).exit_code == 0
    result = run("predict", "0", "1", "--weights", str(path), "--dtype", "float32")
    assert_refused(result, 3, "0.bias", "finite", "float32")


def test_damage_anywhere_shows_no_traceback(tmp_path: Path) -> None:
    good = _npz(**XOR)
    path = tmp_path / "weights.npz"
    rng = np.random.default_rng(0)
    codes = []
    for _ in range(300):
        data = bytearray(good)
        for position in rng.integers(len(good), size=3):
            data[position] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        result = run("predict", "0", "1", "--weights", str(path))
        assert isinstance(result.exception, SystemExit | None), result.exception
        codes.append(result.exit_code)
    assert set(codes) == {0, 3}
    assert codes.count(3) > 200


@pytest.mark.parametrize("trained", IMPLEMENTATIONS)
@pytest.mark.parametrize("case", ["xor", "xor-relu", "line"])
def test_both_sides_read_what_either_saves(case: str, trained: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    result = run("train", "--case", case, "--impl", trained, "--epochs", "40", "--save", str(path))
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"weights saved to {path}" in result.stdout
    rows = ROWS if case != "line" else ROWS[:, :1]
    sides = [predict.load(CASES[case], impl, path) for impl in IMPLEMENTATIONS]
    ours, theirs = (side.predict(rows) for side in sides)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)
    assert np.ptp(ours) > 1e-3, "the outputs must differ, or any network would do"
    for side in sides:
        with np.load(path) as archive:
            assert archive.files == list(side.weights())
            for name, value in side.weights().items():
                np.testing.assert_array_equal(value, archive[name])


def test_a_network_of_another_size(tmp_path: Path) -> None:
    path = str(tmp_path / "weights.npz")
    run("train", "--hidden", "3,4", "--activation", "tanh", "--epochs", "1", "--save", path)
    assert_refused(run("predict", "0", "1", "--weights", path), 3, "4.weight", "--case")
    result = run("predict", "0", "1", "--weights", path, "--hidden", "3,3")
    assert_refused(result, 3, "2.weight has shape (4, 3)", "--hidden")
    good = run("predict", "0", "1", "--weights", path, "--hidden", "3,4", "--activation", "tanh")
    assert good.exit_code == 0


def test_float32_weights_stay_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    run("train", "--dtype", "float32", "--epochs", "3", "--save", str(path))
    case = adapt(CASES["xor"], dtype="float32")
    for impl in IMPLEMENTATIONS:
        with np.load(path) as archive:
            for name, value in predict.load(case, impl, path).weights().items():
                assert value.dtype == archive[name].dtype == np.float32
                np.testing.assert_array_equal(value, archive[name])
