"""MATLAB's files: what scipy writes is read, what is written scipy reads, and what lies is refused."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from tronie.errors import WeightsError
from tronie.formats.matlab import mat_bytes, read_mat

scipy_io = pytest.importorskip("scipy.io")

NUMBERS = {
    "a": np.arange(12, dtype=np.float32).reshape(3, 4),
    "tri": np.array([[1.0, 2, 300]]),
    "byte": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "whole": np.array([[-5], [70000]], dtype=np.int32),
    "one": np.array([[7.5]]),
    "none": np.zeros((0, 3)),
}


@pytest.mark.parametrize("packed", [False, True])
def test_what_scipy_writes_is_read(packed: bool, tmp_path: Path) -> None:
    others = {"text": "hello", "cell": np.array([1, "x"], dtype=object), "structure": {"b": 1}, "complex": 1 + 2j}
    scipy_io.savemat(tmp_path / "m.mat", NUMBERS | others, do_compression=packed)
    found = read_mat(tmp_path / "m.mat")
    assert set(found) == set(NUMBERS)
    for name, value in NUMBERS.items():
        assert found[name].dtype == value.dtype
        assert_array_equal(found[name], value)
    assert set(read_mat(tmp_path / "m.mat", ["tri", "nothing"])) == {"tri"}
    for name in others:
        with pytest.raises(WeightsError, match=f"its {name} is not an array of numbers"):
            read_mat(tmp_path / "m.mat", [name])


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["f4", "f8", "u1", "i2", "u2", "i4", "i8"]).flatmap(
        lambda d: arrays(d, array_shapes(min_dims=2, max_dims=3, max_side=5))
    ),
    st.sampled_from(["a", "abc", "abcd", "abcde", "a_name_of_thirty_one_characters"]),
)
def test_what_is_written_scipy_reads(value: np.ndarray, name: str) -> None:
    found = scipy_io.loadmat(io.BytesIO(mat_bytes({name: value, "then": np.eye(2)})))
    assert_array_equal(found[name], value)
    assert_array_equal(found["then"], np.eye(2))


def test_round_trip(tmp_path: Path) -> None:
    (tmp_path / "m.mat").write_bytes(mat_bytes(NUMBERS))
    found = read_mat(tmp_path / "m.mat")
    for name, value in NUMBERS.items():
        assert_array_equal(found[name], value)
    for bad in ({"a": np.array(["x"])}, {"a b": np.zeros(1)}, {"a": np.zeros(1, complex)}):
        with pytest.raises(ValueError, match="cannot be written"):
            mat_bytes(bad)


def _refused(file: Path, data: bytes) -> str:
    file.write_bytes(data)
    with pytest.raises(WeightsError, match=r"^Cannot read .*\.$") as caught:
        read_mat(file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
def test_damaged_files_are_refused(packed: bool, tmp_path: Path) -> None:
    stream = io.BytesIO()
    scipy_io.savemat(stream, NUMBERS, do_compression=packed)
    whole = stream.getvalue()
    file = tmp_path / "m.mat"
    _refused(file, b"")
    _refused(file, whole[:100])
    _refused(file, whole[:-5])
    _refused(file, whole[:170])
    assert "not a file of MATLAB" in _refused(file, b"hello " * 100)
    assert "7.3" in _refused(file, whole[:512].ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(WeightsError, match="no such file"):
        read_mat(tmp_path / "nothing.mat")
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(whole)
        for place in rng.integers(128, len(whole), 3):
            broken[place] = rng.integers(256)
        file.write_bytes(broken)
        with suppress(WeightsError):
            read_mat(file)


def test_bombs_are_refused(tmp_path: Path) -> None:
    header = mat_bytes({})
    flags = struct.pack("<IIII", 6, 8, 6, 0)
    name = struct.pack("<II8s", 1, 1, b"a")
    huge = flags + struct.pack("<IIii", 5, 8, 50000, 50000) + name
    body = huge + struct.pack("<II", 9, 20_000_000_000 & 0xFFFFFFFF)
    assert "longer" in _refused(tmp_path / "m.mat", header + struct.pack("<II", 14, len(body)) + body)
    bomb = zlib.compress(struct.pack("<II", 14, 1 << 30) + body + bytes(10_000_000))
    assert "longer" in _refused(tmp_path / "m.mat", header + struct.pack("<II", 15, len(bomb)) + bomb)
    # A small variable in a long stream: only as much is unpacked as it says.
    small = flags + struct.pack("<IIii", 5, 8, 1, 1) + name + struct.pack("<IId", 9, 8, 2.5)
    bomb = zlib.compress(struct.pack("<II", 14, len(small)) + small + bytes(50_000_000))
    (tmp_path / "m.mat").write_bytes(header + struct.pack("<II", 15, len(bomb)) + bomb)
    assert read_mat(tmp_path / "m.mat")["a"] == 2.5
