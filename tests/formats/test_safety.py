"""Files that want to fill the memory, to take for ever, or to end in another error than one sentence."""

from __future__ import annotations

import io
import pickle
import struct
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tronie.errors import WeightsError
from tronie.formats.matlab import read_mat
from tronie.formats.npz import read_npz
from tronie.formats.numpy_pickle import read_array_pickle
from tronie.formats.safety import Budget, Refused, refusals
from tronie.formats.tensorflow_graph import parse_graph, read_graph
from tronie.formats.torch_checkpoint import find_numbers, read_checkpoint

READERS = {
    "checkpoint": read_checkpoint, "array pickle": read_array_pickle, "npz": read_npz, "mat": read_mat,
    "graph": read_graph,
}  # fmt: skip


def _why(read: Any, file: Path, data: bytes) -> str:
    """The sentence with which a file is refused."""
    file.write_bytes(data)
    with pytest.raises(WeightsError) as info:
        read(file)
    said = str(info.value)
    assert said.startswith(f"Cannot read {file}: ")
    assert said.endswith(".")
    assert "\n" not in said
    return said


def _checkpoint(pickled: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/data.pkl", pickled)
    return stream.getvalue()


@pytest.mark.parametrize("name", READERS)
def test_what_cannot_be_opened_is_said_as_the_system_says_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        READERS[name](tmp_path / "ünï.file")
    with pytest.raises(WeightsError, match=r"directory|permission"):
        READERS[name](tmp_path)
    assert "damaged" in _why(READERS[name], tmp_path / "empty", b"")


@pytest.mark.parametrize(
    "error", [IndexError("x"), TypeError("x"), OSError("h5py's"), AttributeError("x"), Refused("so")]
)
def test_every_error_becomes_one_sentence(error: Exception, tmp_path: Path) -> None:
    said = r"(damaged or not a file of that kind|: so)\.$"
    with pytest.raises(WeightsError, match=said), refusals(tmp_path, "a file of that kind"):
        raise error
    with pytest.raises(KeyboardInterrupt), refusals(tmp_path, "a file"):
        raise KeyboardInterrupt
    with pytest.raises(WeightsError, match="memory"), refusals(tmp_path, "a file"):
        raise MemoryError


# --- Pickles ---


def test_a_long_list_called_for_again_and_again_is_refused(tmp_path: Path) -> None:
    pairs = b"\x80\x02(](" + b"K\x01N\x86" * 3000 + b"eq\x01"
    calls = b"ccollections\nOrderedDict\nq\x02" + b"h\x02h\x01\x85R" * 20000
    began = time.monotonic()
    assert "far larger than it is" in _why(read_checkpoint, tmp_path / "a.pth", _checkpoint(pairs + calls + b"t."))
    assert time.monotonic() - began < 10


def test_a_long_text_encoded_again_and_again_is_refused(tmp_path: Path) -> None:
    text = b"\x80\x02(X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x000"
    calls = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R" * 100
    assert "far larger than it is" in _why(read_array_pickle, tmp_path / "a.pkl", text + calls + b"t.")


def test_more_operations_than_any_file_needs_are_refused(tmp_path: Path) -> None:
    assert "far larger than it is" in _why(
        read_checkpoint, tmp_path / "a.pth", _checkpoint(b"\x80\x02(" + b"}" * 10**6)
    )


def test_whole_numbers_with_equal_hashes_are_no_keys(tmp_path: Path) -> None:
    keys = b"".join(
        b"\x8a" + bytes([len(k)]) + k + b"N" for k in (pickle.encode_long(i * (2**61 - 1)) for i in range(1, 9))
    )
    assert "unusual keys" in _why(read_checkpoint, tmp_path / "a.pth", _checkpoint(b"\x80\x02}(" + keys + b"u."))


def test_a_net_is_looked_for_once_in_each_dict() -> None:
    content: dict[str, Any] = {"w": np.ones(2)}
    for _ in range(3):
        content = {f"k{i}": content for i in range(3000)}
    began = time.monotonic()
    assert find_numbers(content, "anchor") == {}
    assert list(find_numbers(content, "w")) == ["w"]
    assert time.monotonic() - began < 5


def test_one_sparse_matrix_under_many_names_is_made_once_and_many_are_refused(tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    file = tmp_path / "a.pkl"
    one = sparse.csc_matrix((300, 300))
    file.write_bytes(pickle.dumps({f"k{i}": one for i in range(500)}, 2))
    made = read_array_pickle(file)
    assert len(made) == 500
    assert made["k0"] is made["k499"]
    many = {f"k{i}": sparse.csc_matrix((300, 300)) for i in range(40)}
    assert "far larger than it is" in _why(read_array_pickle, file, pickle.dumps(many, 2))


@pytest.mark.parametrize("part", ["data", "indices", "indptr"])
@pytest.mark.parametrize("wrong", [np.array(3), np.array(["a"] * 4), np.full((4, 2), 1), np.full(4, 0.5)])
def test_sparse_matrices_of_anything_else_are_refused(part: str, wrong: np.ndarray, tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.csc_matrix(np.eye(4))
    matrix.__dict__[part] = wrong
    if part == "data" and wrong.dtype.kind == "f":
        return
    assert "sparse matrix" in _why(read_array_pickle, tmp_path / "a.pkl", pickle.dumps({"m": matrix}, 2))


def test_kinds_of_numbers_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    good = pickle.dumps({"x": np.ones(1, np.float32)}, 2)
    assert good.count(b"f4") == 1
    assert "unknown kind" in _why(read_array_pickle, tmp_path / "a.pkl", good.replace(b"f4", b"f1"))


# --- Arrays ---


def _npy(header: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(8))
    return stream.getvalue()


@pytest.mark.parametrize("header", [b"{'descr': (", b"'''", b"((((", b"1 if", b"{'descr': [('a',)], 'shape': (1,)}"])
def test_headers_that_are_no_python_are_refused(header: bytes, tmp_path: Path) -> None:
    assert "damaged" in _why(read_npz, tmp_path / "a.npz", _npy(header))


def test_many_arrays_that_shrink_to_nothing_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, **{f"k{i}": np.zeros(6_000_000, np.uint8) for i in range(4)})
    assert "far larger than it is" in _why(read_npz, tmp_path / "a.npz", stream.getvalue())
    assert set(read_npz(tmp_path / "a.npz", ["k1", "k2"])) == {"k1", "k2"}


# --- MATLAB and TensorFlow ---


def _element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def test_a_packed_variable_is_not_unpacked_beyond_its_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = _element(6, struct.pack("<II", 6, 0)) + _element(5, struct.pack("<ii", 1, 1)) + _element(1, b"tl")
    body = head + struct.pack("<II", 9, 50_000_000) + bytes(50_000_000)
    packed = zlib.compress(struct.pack("<II", 14, len(body)) + body)
    start = b"MATLAB".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    monkeypatch.setattr("tronie.formats.matlab._numbers", None)  # it would be called with what was unpacked
    said = _why(lambda f: read_mat(f, ["tl"]), tmp_path / "a.mat", start + struct.pack("<II", 15, len(packed)) + packed)
    assert "longer or shorter than it says" in said


def test_variables_that_are_too_large_together_are_refused(tmp_path: Path) -> None:
    head = _element(6, struct.pack("<II", 6, 0)) + _element(5, struct.pack("<ii", 1, 1_000_000)) + _element(1, b"a")
    body = head + _element(2, bytes(1_000_000))  # a byte each, which become eight
    packed = zlib.compress(struct.pack("<II", 14, len(body)) + body)
    start, one = b"MATLAB".ljust(124) + struct.pack("<H2s", 0x0100, b"IM"), struct.pack("<II", 15, len(packed)) + packed
    (tmp_path / "a.mat").write_bytes(start + one)
    assert set(read_mat(tmp_path / "a.mat")) == {"a"}
    assert "far larger than it is" in _why(read_mat, tmp_path / "a.mat", start + 2 * one)


def _field(number: int, data: bytes) -> bytes:
    length, size = b"", len(data)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def test_numbers_of_a_byte_each_are_limited(tmp_path: Path) -> None:
    for tensor in (_field(8, b"\x08\x03" + _field(7, b"\x01" * 400_000)), _field(1, _field(3, b"\x01" * 400_000))):
        node = _field(1, b"n") + _field(2, b"Const") + _field(5, _field(1, b"value") + _field(2, tensor))
        with pytest.raises(Refused, match="far larger than it is"):
            parse_graph(memoryview(_field(1, node)), Budget(10_000_000))
        assert "far larger than it is" in _why(read_graph, tmp_path / "a.pb", _field(1, node))
