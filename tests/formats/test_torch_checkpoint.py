"""Checkpoints are read as PyTorch reads them, and nothing in them is run."""

from __future__ import annotations

import collections
import io
import os
import pickle
import random
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tronie.errors import WeightsError
from tronie.formats.torch_checkpoint import MAGIC, VERSION, read_checkpoint

BOTH = pytest.mark.parametrize("modern", [True, False], ids=["zip", "legacy"])


# --- Against PyTorch ---


def _content(torch: Any) -> Any:
    """Every kind of tensor and container that a checkpoint may hold."""
    torch.manual_seed(0)
    base = torch.randn(6, 8)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    return {
        "state": net.state_dict(),
        "base": base,
        "transposed": base.T,
        "part": base[1:4, ::3],
        "same again": base,
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 5),
        "half": torch.randn(5).half(),
        "bfloat16": torch.randn(3, 3).bfloat16(),
        "bfloat16 part": torch.randn(9, 3).bfloat16()[2:7, 1],
        "double": torch.randn(4, dtype=torch.float64),
        "int64": torch.arange(-3, 9).reshape(3, 4),
        "int32": torch.arange(4, dtype=torch.int32),
        "int16": torch.tensor([-300, 300], dtype=torch.int16),
        "int8": torch.tensor([-128, 127], dtype=torch.int8),
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
        "complex": torch.tensor([1 + 2j]),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "size": base.shape,
        "nested": [1, -70000, 2**40, -(2**90), 1.5, None, True, "ünï", (1, (2, 3)), {"a": {"b": [base[0]]}}, ()],
        "ordered": collections.OrderedDict([("x", 1), (2, "y")]),
        "opt_00": torch.optim.Adam(net.parameters()).state_dict(),
        7: "seven",
    }


def _same(mine: Any, theirs: Any, torch: Any) -> None:
    if isinstance(theirs, torch.Tensor):
        numbers = theirs.detach()
        expected = (numbers.float() if numbers.dtype == torch.bfloat16 else numbers).numpy()
        assert isinstance(mine, np.ndarray)
        assert mine.dtype == expected.dtype
        assert mine.shape == expected.shape
        assert not mine.flags.writeable or mine.size == 0
        np.testing.assert_array_equal(mine, expected)
    elif isinstance(theirs, dict):
        assert type(mine) is dict
        assert list(mine) == list(theirs)
        for key in theirs:
            _same(mine[key], theirs[key], torch)
    elif isinstance(theirs, list | tuple):
        assert type(mine) is (list if isinstance(theirs, list) else tuple)
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs, strict=True):
            _same(a, b, torch)
    else:
        assert type(mine) is type(theirs)
        assert mine == theirs


@BOTH
def test_the_same_as_pytorch_reads(tmp_path: Path, modern: bool) -> None:
    torch = pytest.importorskip("torch")
    file = tmp_path / "net.pth"
    torch.save(_content(torch), file, _use_new_zipfile_serialization=modern)
    mine = read_checkpoint(file)
    _same(mine, torch.load(file, weights_only=True), torch)
    assert np.shares_memory(mine["base"], mine["transposed"])
    assert mine["same again"] is mine["base"] or np.shares_memory(mine["same again"], mine["base"])


@BOTH
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol(tmp_path: Path, modern: bool, protocol: int) -> None:
    torch = pytest.importorskip("torch")
    file = tmp_path / "net.pth"
    state = torch.nn.Linear(2, 3).state_dict()
    content = {"w": torch.arange(6.0).reshape(2, 3).T, "long" * 100: list(range(300)), "state": state, "none": None}
    torch.save(content, file, pickle_protocol=protocol, _use_new_zipfile_serialization=modern)
    _same(read_checkpoint(file), content, torch)


@BOTH
def test_a_whole_network_is_refused(tmp_path: Path, modern: bool) -> None:
    torch = pytest.importorskip("torch")
    file = tmp_path / "net.pth"
    torch.save(torch.nn.Linear(2, 2), file, _use_new_zipfile_serialization=modern)
    with pytest.raises(WeightsError, match="state_dict"):
        read_checkpoint(file)


@BOTH
def test_damage_never_gets_through_as_another_error(tmp_path: Path, modern: bool) -> None:
    """Cut anywhere, or with some bytes changed: the same content, or a WeightsError."""
    torch = pytest.importorskip("torch")
    file, hurt = tmp_path / "net.pth", tmp_path / "hurt.pth"
    content = {"net": torch.nn.Conv2d(2, 3, 3).state_dict(), "epoch": 3, "x": [torch.ones(4).half(), "text"]}
    torch.save(content, file, _use_new_zipfile_serialization=modern)
    whole, luck = file.read_bytes(), random.Random(1)
    for cut in range(0, len(whole), max(1, len(whole) // 60)):
        hurt.write_bytes(whole[:cut])
        with pytest.raises(WeightsError):
            read_checkpoint(hurt)
    for _ in range(400):
        bytes_ = bytearray(whole)
        for _ in range(luck.randint(1, 4)):
            bytes_[luck.randrange(len(bytes_))] = luck.randrange(256)
        hurt.write_bytes(bytes_)
        with suppress(WeightsError):
            read_checkpoint(hurt)


# --- Without PyTorch: files made by hand ---


class _Name:
    """Pickles as a reference to a global that need not exist here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Call:
    def __init__(self, function: _Name, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class _Persistent:
    def __init__(self, *pid: Any) -> None:
        self.pid = pid


class _Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Python's pickler in Python, which can be taught to write anything."""

    def save(self, value: Any, save_persistent_id: bool = True) -> None:
        if isinstance(value, _Name):
            self.write(b"c" + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, _Call):
            self.save(value.function)
            self.save(value.arguments)
            self.write(pickle.REDUCE)
        elif isinstance(value, _Persistent):
            self.save(value.pid)
            self.write(pickle.BINPERSID)
        else:
            super().save(value, save_persistent_id)


def _pickled(value: Any) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, 2).dump(value)
    return stream.getvalue()


def _tensor(
    key: str = "0", count: Any = 4, shape: Any = (4,), strides: Any = (1,), offset: Any = 0, kind: str = "FloatStorage"
) -> _Call:
    storage = _Persistent("storage", _Name("torch", kind), key, "cpu", count)
    return _Call(_Name("torch._utils", "_rebuild_tensor_v2"), storage, offset, shape, strides, False, {})


FOUR = np.arange(4, dtype="<f4").tobytes()


def _zip(file: Path, content: Any, data: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("archive/data.pkl", content if isinstance(content, bytes) else _pickled(content))
        for key, bytes_ in (data if data is not None else {"0": FOUR}).items():
            archive.writestr(f"archive/data/{key}", bytes_)
    return file


def _legacy(file: Path, content: Any, data: dict[str, tuple[int, bytes]] | None = None, little: bool = True) -> Path:
    data = data if data is not None else {"0": (4, FOUR)}
    parts = [MAGIC, VERSION, {"protocol_version": VERSION, "little_endian": little}]
    head = b"".join(_pickled(p) for p in parts) + (content if isinstance(content, bytes) else _pickled(content))
    body = b"".join(struct.pack("<q", count) + bytes_ for count, bytes_ in data.values())
    file.write_bytes(head + _pickled(list(data)) + body)
    return file


WRITERS = pytest.mark.parametrize("write", [_zip, _legacy], ids=["zip", "legacy"])


@WRITERS
def test_hand_made_files_are_read(tmp_path: Path, write: Any) -> None:
    content = {"w": _tensor(), "part": _tensor(shape=(2, 1), strides=(2, 1), offset=1)}
    read = read_checkpoint(write(tmp_path / "a.pth", content))
    np.testing.assert_array_equal(read["w"], [0, 1, 2, 3])
    np.testing.assert_array_equal(read["part"], [[1], [3]])


@WRITERS
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("posix", "system"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("numpy.core.multiarray", "scalar"),
        ("collections", "OrderedDict.pop"),
        ("torch", "FloatStorage.__init__"),
        ("subprocess", "Popen"),
        ("torch._utils", "__builtins__"),
    ],
)
def test_calls_are_refused_and_not_made(tmp_path: Path, write: Any, module: str, name: str) -> None:
    told = tmp_path / "told"
    file = write(tmp_path / "a.pth", {"w": _Call(_Name(module, name), f"touch {told}")})
    with pytest.raises(WeightsError, match="wants to use"):
        read_checkpoint(file)
    assert not told.exists()


class _Evil:
    def __init__(self, told: Path) -> None:
        self.told = told

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.told}",)


@WRITERS
@pytest.mark.parametrize("protocol", range(6))
def test_pickled_commands_are_not_run(tmp_path: Path, write: Any, protocol: int) -> None:
    told = tmp_path / "told"
    with pytest.raises(WeightsError):
        read_checkpoint(write(tmp_path / "a.pth", pickle.dumps({"w": _Evil(told)}, protocol)))
    assert not told.exists()


def _twice_nested(levels: int) -> list[Any]:
    tree: list[Any] = []
    for _ in range(levels):
        tree = [tree, tree]
    return tree


def _endless() -> list[Any]:
    around: list[Any] = []
    around.append(around)
    return around


STORAGE = _Persistent("storage", _Name("torch", "FloatStorage"), "0", "cpu", 4)


@WRITERS
@pytest.mark.parametrize(
    "content",
    [
        _tensor(count=10**15, shape=(10**15,)),
        _tensor(shape=(5,)),
        _tensor(shape=(2, 2), strides=(3, 1)),
        _tensor(offset=1),
        _tensor(offset=-1),
        _tensor(shape=(-1,)),
        _tensor(shape=(2,), strides=(-1,), offset=3),
        _tensor(shape=(10**12,), strides=(0,)),
        _tensor(shape=(10**5, 10**5, 10**5, 10**5), strides=(0, 0, 0, 0)),
        _tensor(shape=(0, 2**62), strides=(1, 1)),
        _tensor(shape=(1,) * 40, strides=(1,) * 40),
        _tensor(shape=(4, 1)),
        _tensor(shape=[4]),
        _tensor(shape=(4.0,)),
        _tensor(shape=(True,)),
        _tensor(count=-4),
        _tensor(count=4, kind="HalfStorage"),
        _tensor(count=4, kind="DoubleStorage"),
        _tensor(key="../../1"),
        {"a": _tensor(), "b": _tensor(kind="IntStorage")},
        {(1, 2): 3},
        {"a": STORAGE},
        {"a": _Name("torch", "FloatStorage")},
        {"a": _Name("collections", "OrderedDict")},
        {"a": _Call(_Name("torch", "FloatStorage"), 4)},
        {"a": _Call(_Name("collections", "OrderedDict"), [1, 2])},
        {"a": _Call(_Name("torch._utils", "_rebuild_tensor_v2"), STORAGE)},
        {"a": _Call(_Name("torch._utils", "_rebuild_tensor_v2"), STORAGE, 0, (4,), (1,), False, {}, {"neg": True})},
        {"a": _Call(_Name("torch._utils", "_rebuild_parameter"), 4)},
        {"a": _Persistent("module", "x", "y", "z")},
        {"a": _Persistent("storage", "FloatStorage", "0", "cpu", 4)},
        {"a": _Persistent("storage", _Name("torch", "FloatStorage"), "0", "cpu", 4, ("1", 0, 2))},
        _endless(),
        _twice_nested(80),
        b"\x80\x02]r\xff\xff\xff\x7f.",
        b"\x80\x02(((.",
        b"\x80\x02h\x07.",
        b"\x80\x02]}b.",
        b"\x80\x02ccollections\nOrderedDict\n}b.",
        b"\x80\x02ccollections\nOrderedDict\n)\x81.",
        b"\x80\x02(ios\nsystem\n.",
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x0fabc.",
        b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00abc.",
        b"\x80\x02K\x01K\x02s.",
        b"\x80\x02}K\x01s.",
    ],
)
def test_lies_are_refused(tmp_path: Path, write: Any, content: Any) -> None:
    if isinstance(content, bytes) and content[:4] == b"\x80\x02]r":  # a far memo place is harmless here
        assert read_checkpoint(write(tmp_path / "a.pth", content, {})) == []
        return
    with pytest.raises(WeightsError, match=r"^Cannot read .*\.$"):
        read_checkpoint(write(tmp_path / "a.pth", content))


def test_tuples_of_tuples_as_keys_do_not_hang(tmp_path: Path) -> None:
    key: tuple[Any, ...] = ()
    for _ in range(60):
        key = (key, key)
    # Written by hand, as making such a dict would hang here.
    nested = _pickled(key)[2:-1]
    with pytest.raises(WeightsError, match="unusual keys"):
        read_checkpoint(_zip(tmp_path / "a.pth", b"\x80\x02}" + nested + b"K\x01s."))


def test_bombs_are_refused(tmp_path: Path) -> None:
    zeros = bytes(4_000_000)
    million = {"w": _tensor(count=1_000_000, shape=(1_000_000,))}
    with pytest.raises(WeightsError, match="compressed"):
        read_checkpoint(_zip(tmp_path / "a.pth", million, {"0": zeros}, zipfile.ZIP_DEFLATED))
    assert read_checkpoint(_zip(tmp_path / "b.pth", million, {"0": zeros}))["w"].shape == (1_000_000,)
    many = {str(i): _tensor(shape=(4, 1000), strides=(1, 0)) for i in range(100)}
    with pytest.raises(WeightsError, match="claim"):
        read_checkpoint(_zip(tmp_path / "c.pth", many))


def test_parts_that_lie_over_each_other_are_refused(tmp_path: Path) -> None:
    """A zip archive whose directory names the same bytes many times holds less than it says."""
    content = {str(i): _tensor(str(i), 10**4, (10**4,)) for i in range(50)}
    file = _zip(tmp_path / "a.pth", content, {"0": bytes(4 * 10**4)})
    with zipfile.ZipFile(file, "a") as archive:
        first = archive.getinfo("archive/data/0")
        for i in range(1, 50):
            again = zipfile.ZipInfo(f"archive/data/{i}")
            for name in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(again, name, getattr(first, name))
            archive.filelist.append(again)
            archive.NameToInfo[again.filename] = again
        archive._didModify = True
    with pytest.raises(WeightsError):
        read_checkpoint(file)


def test_other_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    for name, content in {
        "empty": b"",
        "text": b"hello, world\n" * 99,
        "pickle": pickle.dumps({"a": 1}),
        "onnx": b"\x08\x08\x12\x06a",
        "noise": random.Random(3).randbytes(5000),
        "zip": b"PK\x03\x04" + bytes(100),
        "dots": b"\x80\x02" + b"]" * 5000,
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError, match=r"^Cannot read .*\.$"):
            read_checkpoint(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(WeightsError, match="not a checkpoint"):
        read_checkpoint(tmp_path / "other.zip")
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/constants.pkl", b"\x80\x02).")
    with pytest.raises(WeightsError, match="TorchScript"):
        read_checkpoint(tmp_path / "script.pt")
    for missing in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(WeightsError, match="Cannot read"):
            read_checkpoint(missing)


def test_other_byte_orders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="byte order"):
        read_checkpoint(_legacy(tmp_path / "a.pth", {"w": _tensor()}, little=False))
    file = _zip(tmp_path / "b.pth", {"w": _tensor()})
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("archive/byteorder", "big")
    with pytest.raises(WeightsError, match="byte order"):
        read_checkpoint(file)


@pytest.mark.parametrize(
    "data",
    [
        {"0": (5, FOUR)},
        {"0": (-4, FOUR)},
        {"0": (4, FOUR[:-1])},
        {},
        {"1": (4, FOUR)},
        {"0": (4, FOUR), "1": (4, FOUR)},
    ],
)
def test_storages_of_the_older_format_are_as_long_as_they_say(tmp_path: Path, data: Any) -> None:
    with pytest.raises(WeightsError):
        read_checkpoint(_legacy(tmp_path / "a.pth", {"w": _tensor()}, data))
