"""Model files that want memory, time, other files or a crash: names, kinds of import, and what writes them.

Each writer is given an empty folder and gives back what is to be imported.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from head.made_models import face, flame_arrays
from stages.deep3d.frozen import Frozen, node, part, tensor, varint

Writer = Callable[[Path], Path]
HOSTILE: dict[str, tuple[str, Writer]] = {}
"""What it is -> the kind it is imported as, and its writer."""


def _file(kind: str, name: str, what: str, content: Callable[[], bytes]) -> None:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content())
        return folder / name

    assert what not in HOSTILE
    HOSTILE[what] = (kind, write)


def _sparse(kind: str, name: str, head: bytes, size: int) -> None:
    """A file of gigabytes that takes no room."""

    def write(folder: Path) -> Path:
        with (folder / name).open("wb") as stream:
            stream.write(head)
            stream.truncate(size)
        return folder / name

    HOSTILE[f"{name} of {size / 1e9:.0f} GB"] = (kind, write)


def _zip(*members: tuple[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packed) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


# --- Graphs of TensorFlow ---


def _graph(build: Callable[[Frozen, str], None]) -> Callable[[], bytes]:
    def content() -> bytes:
        g = Frozen()
        build(g, g.add("Placeholder", name="p"))
        return g.bytes()

    return content


def _repeated(g: Frozen, shape: tuple[int, ...]) -> str:
    return g.add("Const", value=part(8, tensor(np.float32([1.0]), shape)))


def _folded(g: Frozen, x: str) -> None:
    a, b = g.constant(np.ones((6000, 1))), g.constant(np.ones((1, 6000)))
    total = g.add("Add", a, b)
    for _ in range(100):
        total = g.add("Add", total, b)
    g.add("Add", x, total, name="coeff")


def _repeats(g: Frozen, x: str) -> None:
    for _ in range(1000):
        x = g.add("Add", x, _repeated(g, (1_000_000,)))
    g.add("Relu", x, name="coeff")


def _stored_often(g: Frozen, x: str) -> None:
    one = g.constant(np.ones(1_000_000))
    for _ in range(1000):
        x = g.add("Mul", x, one)
    g.add("Relu", x, name="coeff")


def _chain(g: Frozen, x: str) -> None:
    for _ in range(20_000):
        x = g.add("Relu", x)
    g.add("Relu", x, name="coeff")


def _padded(border: int) -> Callable[[Frozen, str], None]:
    return lambda g, x: g.add("Relu", g.bordered(x, border), name="coeff") and None


def _outer(g: Frozen, x: str) -> None:
    product = g.add("MatMul", g.constant(np.ones((50_000, 1))), g.constant(np.ones((1, 50_000))))
    g.add("Add", x, product, name="coeff")


def _heavy(g: Frozen, x: str) -> None:
    for _ in range(20):
        x = g.convolution(x, np.ones((3, 3, 223, 223), np.float32), 1, "SAME")
    g.add("Relu", x, name="coeff")


def _pooled(g: Frozen, x: str) -> None:
    for _ in range(30):
        x = g.add("AvgPool", x, ksize=[1, 999, 999, 1], strides=[1, 1, 1, 1], padding="SAME", data_format="NHWC")
    g.add("Relu", x, name="coeff")


def _concatenated(g: Frozen, x: str) -> None:
    for _ in range(12):
        x = g.add("ConcatV2", *[x] * 8, g.constant(3, "<i4"))
    g.add("Relu", x, name="coeff")


def _reshaped(g: Frozen, x: str) -> None:
    g.add("Reshape", x, g.constant([1 << 40, 1 << 40], "<i8"), name="coeff")


def _value(data: bytes) -> Callable[[], bytes]:
    return _graph(lambda g, x: g.add("Add", x, g.add("Const", value=part(8, data)), name="coeff") and None)


for _name, _build in {
    "constants folded without end": _folded,
    "a thousand repeated constants": _repeats,
    "one constant stored a thousand times": _stored_often,
    "a chain of twenty thousand": _chain,
    "a border of a million": _padded(1_000_000),
    "a border below nothing": _padded(-200),
    "an outer product": _outer,
    "kernels as large as the picture": _heavy,
    "pooling over everything": _pooled,
    "doubled and doubled": _concatenated,
    "an endless shape": _reshaped,
    "a product with nothing": lambda g, x: g.add("MatMul", x, name="coeff") and None,
    "a circle": lambda g, x: g.add("Relu", g.add("Relu", "coeff"), name="coeff") and None,
    "an axis that is not there": lambda g, x: g.add("Mean", x, g.constant([9, -9], "<i4"), name="coeff") and None,
    "no pictures": lambda g, x: g.add("Relu", g.constant(1.0), name="coeff") and None,
    "kernels of nothing": lambda g, x: (
        g.add("Relu", g.convolution(x, np.ones((0, 0, 0, 0)), 1, "SAME"), name="coeff") and None
    ),
    "a constant of two gigabytes": lambda g, x: g.add("Add", x, _repeated(g, (500_000_000,)), name="coeff") and None,
}.items():
    _file("deep3d", "FaceReconModel.pb", f"graph: {_name}", _graph(_build))
_file(
    "deep3d",
    "FaceReconModel.pb",
    "graph: numbers of a byte each",
    _value(part(1, 3) + part(2, b"") + part(7, b"\1" * 3_000_000)),
)
_file(
    "deep3d",
    "FaceReconModel.pb",
    "graph: a shape of endless axes",
    _value(part(1, 1) + part(2, part(2, part(1, 9)) * 300_000)),
)
_file("deep3d", "FaceReconModel.pb", "graph: a lying shape", _value(part(1, 1) + part(2, part(2, part(1, 1 << 62)))))
_file("deep3d", "FaceReconModel.pb", "graph: many small fields", lambda: part(9, 1) * 4_000_000)
_file(
    "deep3d", "FaceReconModel.pb", "graph: many nodes", lambda: b"".join(node(f"n{k}", "Relu") for k in range(100_000))
)
_file(
    "deep3d",
    "FaceReconModel.pb",
    "graph: a list of a million",
    lambda: node("n", "Relu", x=part(1, part(3, b"\1" * 1_000_000))),
)
_file("deep3d", "FaceReconModel.pb", "graph: a field longer than the file", lambda: varint(10) + varint(1 << 62) + b"x")
_file("deep3d", "FaceReconModel.pb", "graph: a number without end", lambda: b"\xff" * 1000)
_sparse("deep3d", "FaceReconModel.pb", node("p", "Placeholder"), 3_000_000_000)


# --- Checkpoints of PyTorch ---


def _checkpoint(pickled: bytes, *more: tuple[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    return _zip(("a/data.pkl", pickled), *more, packed=packed)


def _storage(key: str, count: int, kind: str = "FloatStorage") -> bytes:
    name = key.encode()
    return (
        b"(X\7\0\0\0storagectorch\n"
        + kind.encode()
        + b"\nX"
        + struct.pack("<I", len(name))
        + name
        + b"X\3\0\0\0cpu"
        + pickle.dumps(count, 2)[2:-1]
        + b"tQ"
    )


def _tensor(
    key: str, count: int, shape: tuple[int, ...], strides: tuple[int, ...], kind: str = "FloatStorage"
) -> bytes:
    sizes = b"".join(pickle.dumps(s, 2)[2:-1].replace(b"q\0", b"").replace(b"q\1", b"") for s in (shape, strides))
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + _storage(key, count, kind)
        + b"K\0"
        + sizes
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )


def _overlapping() -> bytes:
    """Many entries for the same bytes."""
    one = _zip(("x", bytes(1_000_000)), packed=zipfile.ZIP_DEFLATED)
    start = one.index(b"PK\1\2")
    entry = one[start : one.index(b"PK\5\6")]
    entries = b"".join(entry[:-1] + bytes([65 + k]) for k in range(26))
    return one[:start] + entries + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 26, 26, len(entries), start, 0)


def _crowded(count: int) -> bytes:
    entry = b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 33, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0)
    entries = b"".join(entry + b"%08d" % k for k in range(count))
    return b"PK\3\4" + bytes(100) + entries + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entries), 104, 0)


def _edited(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def _encrypted() -> bytes:
    data = _checkpoint(b"\x80\2}.")
    return _edited(data, data.index(b"PK\1\2") + 8, b"\1\0")


_CALL = b"ccollections\nOrderedDict\n"
_PAIRS = b"](" + b"K\1N\x86" * 3000 + b"e"
_TEXT = b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20)
_PICKLES = {
    "empty dicts": b"(" + b"}" * 3_000_000 + b"t.",
    "remembered again and again": b"(N" + b"\x94" * 3_000_000 + b"t.",
    "lists of lists": b"]" * 500_000 + b"a" * 499_999 + b".",
    "tuples of tuples": b")" + b"\x85" * 2_000_000 + b".",
    "a list that holds itself": b"]q\0h\0a.",
    "a dict that holds itself": b"}q\0X\1\0\0\0ah\0s.",
    "a tree of twos": b")" + b"2\x86" * 60 + b".",
    "a tree of remembered twos": b")q\0" + b"".join(b"h%ch%c\x86q%c" % (k, k, k + 1) for k in range(60)) + b".",
    "a list called for again": b"(" + _PAIRS + b"q\1" + _CALL + b"q\2" + b"h\2h\1\x85R" * 50_000 + b"t.",
    "a text longer than the file": b"X\xff\xff\xff\x7fabc.",
    "a text of 4 exabytes": b"\x8d" + struct.pack("<Q", 1 << 62) + b"abc.",
    "bytes of 4 exabytes": b"\x8e" + struct.pack("<Q", 1 << 62) + b"abc.",
    "a number of 2 GB": b"\x8b" + struct.pack("<i", 2_000_000_000) + b"\1.",
    "a number of a megabyte": b"}\x8b" + struct.pack("<i", 1_000_000) + b"\x7f" * 1_000_000 + b"Ns.",
    "a number of negative length": b"\x8b" + struct.pack("<i", -5) + b".",
    "equal hashes": b"}("
    + b"".join(
        b"\x8a" + bytes([len(k)]) + k + b"N" for k in (pickle.encode_long(i * (2**61 - 1)) for i in range(1, 20_000))
    )
    + b"u.",
    "a command": b"cos\nsystem\nX\4\0\0\0true\x85R.",
    "a command on the stack": b"\x8c\5posix\x8c\6system\x93\x8c\4true\x85R.",
    "an import": b"cbuiltins\n__import__\nX\2\0\0\0os\x85R.",
    "an old instance": b"(S'true'\nios\nsystem\n.",
    "an extension": b"\x82\1.",
    "a buffer from outside": b"\x97.",
    "a frame of 4 exabytes": b"\x95" + struct.pack("<Q", 1 << 62) + b"}.",
    "nothing on the stack": b"a.",
    "a mark without an end": b"(K\1.",
    "a line without an end": b"c" + b"a" * 5_000_000,
    "a decimal number without an end": b"I" + b"9" * 5_000_000 + b"\n.",
    "a tensor larger than its bytes": b"}X\1\0\0\0a" + _tensor("0", 4, (1 << 20, 1 << 20), (1 << 20, 1)) + b"s.",
    "a tensor that repeats one number": b"}X\1\0\0\0a" + _tensor("0", 4, (1 << 20, 1 << 20), (0, 0)) + b"s.",
    "a tensor of minus strides": b"}X\1\0\0\0a" + _tensor("0", 4, (2, 2), (-1, 1)) + b"s.",
    "a storage that is not there": b"}X\1\0\0\0a" + _tensor("7", 4, (4,), (1,)) + b"s.",
    "a storage of 4 exabytes": b"}X\1\0\0\0a" + _tensor("0", 1 << 60, (4,), (1,)) + b"s.",
    "a storage of objects": b"}X\1\0\0\0a" + _tensor("0", 4, (4,), (1,), "ObjectStorage") + b"s.",
    "a storage whose key is a path": b"}X\1\0\0\0a" + _tensor("../../../../etc/passwd", 4, (4,), (1,)) + b"s.",
    "a hundred thousand tensors": b"(" + _tensor("0", 4, (4,), (1,)) * 100_000 + b"t.",
    "the same number twice two ways": b"("
    + _tensor("0", 4, (4,), (1,))
    + _tensor("0", 2, (2,), (1,), "DoubleStorage")
    + b"t.",
}
for _name, _pickled in _PICKLES.items():
    _file(
        "sparnet",
        "net.pth",
        f"checkpoint: {_name}",
        lambda p=_pickled: _checkpoint(b"\x80\2" + p, ("a/data/0", bytes(16))),
    )  # type: ignore[misc]
    _file(
        "deep3d",
        "epoch_20.pth",
        f"old checkpoint: {_name}",
        lambda p=_pickled: (
            b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
            + b"\x80\2"
            + p
            + pickle.dumps(["0"], 2)
            + struct.pack("<q", 4)
            + bytes(16)
        ),
    )  # type: ignore[misc]
_BOMB = bytes(100_000_000)
for _name, _content in {
    "compressed": lambda: _checkpoint(b"\x80\2}.", ("a/data/0", bytes(100_000_000)), packed=zipfile.ZIP_DEFLATED),
    "compressed pickle": lambda: _checkpoint(b"\x80\2}." + bytes(50_000_000), packed=zipfile.ZIP_LZMA),
    "files over each other": _overlapping,
    "more files than anybody has": lambda: _crowded(400_000),
    "files that are not there": lambda: _crowded(1000),
    "a password": _encrypted,
    "a path that leads out": lambda: _zip(("../data.pkl", b"\x80\2}.")),
    "a program": lambda: _checkpoint(b"\x80\2}.", ("a/constants.pkl", b"")),
    "no end": lambda: _checkpoint(b"\x80\2}.")[:-30],
    "nothing": lambda: b"PK\3\4",
    "another byte order": lambda: _checkpoint(b"\x80\2}.", ("a/byteorder", b"big")),
    "a list of files of four gigabytes": lambda: _edited(_checkpoint(b"\x80\2}."), -10, b"\xfe\xff\xff\xff"),
}.items():
    _file("sparnet", "net.pth", f"checkpoint: {_name}", _content)
_sparse("sparnet", "net.pth", _checkpoint(b"\x80\2}."), 5_000_000_000)
_sparse("deep3d", "epoch_20.pth", b"\x80\2\x8d" + struct.pack("<Q", 2_900_000_000), 3_000_000_000)


# --- Archives of arrays ---

COUNT = len(face().mean)
_FLAME = ("v_template", "f", "shapedirs", "J_regressor", "kintree_table", "weights")


def _npz(**changes: bytes) -> bytes:
    """A FLAME whose arrays are tiny, some of them replaced by bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _FLAME:
            archive.writestr(f"{name}.npy", changes.get(name, _npy("<f8", (1,), bytes(8))))
    return stream.getvalue()


def _npy(code: str, shape: tuple[int, ...], data: bytes, text: str | None = None) -> bytes:
    head = (text or f"{{'descr': {code!r}, 'fortran_order': False, 'shape': {shape!r}}}").encode() + b"\n"
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(head)) + head + data


def _array(value: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(value), allow_pickle=True)
    return stream.getvalue()


def _flame(**changes: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{k: v for k, v in (flame_arrays(face()) | changes).items() if k in _FLAME})
    return stream.getvalue()


_GOOD = {
    "numbers that are none": lambda: _flame(v_template=np.full((COUNT, 3), np.nan)),
    "numbers beyond all bounds": lambda: _flame(v_template=np.full((COUNT, 3), 1e300)),
    "faces that name what is not there": lambda: _flame(f=np.full((9, 3), 10**6, np.uint32)),
    "faces below zero": lambda: _flame(f=np.full((9, 3), -5)),
    "no faces": lambda: _flame(f=np.zeros((0, 3), np.int64)),
    "no vertices": lambda: _flame(v_template=np.zeros((0, 3))),
    "texts for numbers": lambda: _flame(v_template=np.array([["a", "b", "c"]] * COUNT)),
    "dates for numbers": lambda: _flame(v_template=np.zeros((COUNT, 3), "M8[s]")),
    "complex numbers": lambda: _flame(shapedirs=np.ones((COUNT, 3, 400)) * 1j),
    "joints of another model": lambda: _flame(J_regressor=np.ones((24, COUNT))),
    "a tree in a circle": lambda: _flame(kintree_table=np.array([[0, 4, 1, 1, 1], [0, 1, 2, 3, 4]])),
    "one point": lambda: _flame(v_template=np.zeros((COUNT, 3))),
    "weights that are none": lambda: _flame(weights=np.full((COUNT, 5), np.inf)),
}
for _name, _content in {
    "zeros": lambda: _npz(shapedirs=_npy("|u1", (len(_BOMB),), _BOMB)),
    "many arrays of zeros": lambda: _npz(**{k: _npy("|u1", (9_000_000,), bytes(9_000_000)) for k in _FLAME}),
    "a shape of exabytes": lambda: _npz(shapedirs=_npy("<f8", (1 << 30, 1 << 30), bytes(8))),
    "a shape below nothing": lambda: _npz(shapedirs=_npy("<f8", (-1, -8), bytes(64))),
    "a shape of texts": lambda: _npz(
        shapedirs=_npy("", (), b"", "{'descr': '<f8', 'fortran_order': False, 'shape': ('a',)}")
    ),
    "texts of a gigabyte each": lambda: _npz(shapedirs=_npy("|S1000000000", (1,), b"x")),
    "texts of nothing": lambda: _npz(shapedirs=_npy("|S0", (1 << 40,), b"")),
    "objects": lambda: _npz(shapedirs=_array(np.array([print], dtype=object))),
    "records": lambda: _npz(shapedirs=_array(np.zeros(3, [("a", "f4"), ("b", "O")]))),
    "a nested header": lambda: _npz(shapedirs=_npy("", (), b"", "(" * 5000)),
    "a long header": lambda: _npz(shapedirs=_npy("", (), b"", "[" + "0," * 5_000_000 + "]")),
    "a header of an unknown version": lambda: _npz(shapedirs=b"\x93NUMPY\x09\x00" + bytes(100)),
    "no header": lambda: _npz(shapedirs=b""),
    "the same array twice": lambda: _zip(*[(f"{k}.npy", b"") for k in (*_FLAME, *_FLAME)]),
    "another packing": lambda: _zip(
        *[(f"{k}.npy", _npy("<f8", (1,), bytes(8))) for k in _FLAME], packed=zipfile.ZIP_BZIP2
    ),
    **_GOOD,
}.items():
    _file("flame-2023", "flame2023.npz", f"npz: {_name}", _content)
_file("gnm", "gnm_head.npz", "npz: a GNM of nothing", lambda: _flame())
_sparse("gnm", "gnm_head.npz", b"PK\3\4", 4_000_000_000)


# --- Pickles of arrays ---

_SPARSE = b"cscipy.sparse.csc\ncsc_matrix\n)\x81}(X\6\0\0\0_shapeJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"
for _name, _pickled in {
    "a text encoded again and again": b"("
    + _TEXT
    + b"q\0"
    + b"c_codecs\nencode\nh\0X\6\0\0\0latin1\x86R" * 3000
    + b"t.",
    "wrapped and wrapped": b"cchumpy.ch\nCh\n)\x81q\0" + b"cchumpy.ch\nCh\n)\x81}X\1\0\0\0xh\0sbq\0" * 100 + b".",
    "wrapped in itself": b"}X\1\0\0\0acchumpy.ch\nCh\n)\x81q\0}X\1\0\0\0xh\0sbs.",
    "a command": b"cposix\nsystem\nX\4\0\0\0true\x85R.",
    "a command in numpy": b"cnumpy.testing\nrundocs\n)R.",
    "an array larger than its bytes": b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\1b\x87R(K\1"
    b"J\xff\xff\xff\x7f\x85cnumpy\ndtype\nX\2\0\0\0f8\x89\x88\x87R\x89C\1atb.",
    "a kind of numbers that is none": b"cnumpy\ndtype\nX\x08\0\0\0(9,9)f4,\x89\x88\x87R.",
    "a sparse matrix of exabytes": b"}X\1\0\0\0a" + _SPARSE + b"ubs.",
    "empty dicts": b"(" + b"}" * 3_000_000 + b"t.",
}.items():
    _file("flame-2020", "generic_model.pkl", f"pickle: {_name}", lambda p=_pickled: b"\x80\2" + p)  # type: ignore[misc]
    _file("3ddfa", "tri.pkl", f"3ddfa: {_name}", lambda p=_pickled: b"\x80\2" + p)  # type: ignore[misc]
_sparse("flame-2020", "generic_model.pkl", b"\x80\2X\0\0\0\xf0", 4_200_000_000)


# --- MATLAB ---


def _element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


_MAT = b"MATLAB".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")


def _variable(name: bytes, shape: tuple[int, ...], numbers: bytes, kind: int = 6, stored: int = 9) -> bytes:
    return _element(
        14,
        _element(6, struct.pack("<II", kind, 0))
        + _element(5, np.array(shape, "<i4").tobytes())
        + _element(1, name)
        + _element(stored, numbers),
    )


def _packed(data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    return struct.pack("<II", 15, len(packed)) + packed


for _name, _content in {
    "zeros": lambda: _MAT + _packed(_variable(b"shapePC", (len(_BOMB) // 8, 1), _BOMB)),
    "bytes that become eight": lambda: _MAT + _packed(_variable(b"shapePC", (20_000_000, 1), bytes(20_000_000), 6, 2)),
    "a shape of exabytes": lambda: _MAT + _variable(b"shapePC", (2**31 - 1,) * 4, bytes(8)),
    "a shape below nothing": lambda: _MAT + _variable(b"shapePC", (-1, -1), bytes(8)),
    "a shape of too many axes": lambda: _MAT + _variable(b"shapePC", (1,) * 40, bytes(8)),
    "many variables": lambda: _MAT + _variable(b"x", (1, 1), bytes(8)) * 80_000,
    "many packed variables": lambda: _MAT + _packed(_variable(b"x", (1, 1), bytes(8))) * 60_000,
    "a packed variable without content": lambda: (
        _MAT + struct.pack("<II", 15, 5_000_005) + b"\x78\x01" + b"\0\0\0\xff\xff" * 1_000_000 + b"\0\0\0"
    ),
    "packed twice": lambda: _MAT + _packed(_packed(_variable(b"shapePC", (1, 1), bytes(8)))),
    "noise for a packed variable": lambda: _MAT + struct.pack("<II", 15, 100) + bytes(range(100)),
    "a structure": lambda: _MAT + _variable(b"shapePC", (1, 1), b"", 2),
    "cells": lambda: _MAT + _variable(b"shapePC", (1, 1), b"", 1),
    "version 7.3": lambda: b"\x89HDF\r\n\x1a\n" + bytes(1000),
    "an element longer than the file": lambda: _MAT + struct.pack("<II", 14, 0xFFFFFFF0) + bytes(64),
    "only a header": lambda: _MAT[:100],
    "a small element": lambda: _MAT + struct.pack("<HH", 14, 4) + bytes(4),
}.items():
    _file("bfm-2009", "01_MorphableModel.mat", f"mat: {_name}", _content)
    _file("bfm", "BFM_model_front.mat", f"front: {_name}", _content)
_sparse("bfm-2009", "01_MorphableModel.mat", _MAT, 3_000_000_000)


# --- HDF5 ---


def _hdf5(what: str, build: Callable[[Any, Any, Path], None]) -> None:
    """`build` makes the datasets that a Basel model has."""

    def write(folder: Path) -> Path:
        import h5py

        file = folder / "model2017-1_bfm_nomouth.h5"
        with h5py.File(file, "w") as h5:
            build(h5, h5py, folder)
        return file

    HOSTILE[f"hdf5: {what}"] = ("bfm-2017", write)


CELLS = "shape/representer/cells"


def _bomb(h5: Any, h5py: Any, folder: Path) -> None:
    """A chunk that is far longer than it says."""
    one = h5.create_dataset(CELLS, (1000, 1000), "f4", chunks=(1000, 1000), compression="gzip")
    one.id.write_direct_chunk((0, 0), zlib.compress(_BOMB))


def _external(h5: Any, h5py: Any, folder: Path) -> None:
    h5.create_group("shape/representer")
    h5[CELLS] = h5py.ExternalLink("/etc/hostname", "/")


def _soft(h5: Any, h5py: Any, folder: Path) -> None:
    h5.create_group("shape/representer")
    h5[CELLS] = h5py.SoftLink("/" + CELLS)


def _virtual(h5: Any, h5py: Any, folder: Path) -> None:
    layout = h5py.VirtualLayout((10,), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "a", (10,))
    h5.create_virtual_dataset(CELLS, layout)


def _circle(h5: Any, h5py: Any, folder: Path) -> None:
    h5["shape"] = h5["/"]
    h5["representer"] = h5["/"]
    h5["cells"] = h5["/"]


for _name, _made in {
    "a fill of terabytes": lambda h5, *_: h5.create_dataset(
        CELLS, (1 << 20, 1 << 20), "f4", chunks=(64, 64), fillvalue=7
    ),
    "a dataset without numbers": lambda h5, *_: h5.create_dataset(CELLS, (30_000, 30_000), "f4"),
    "one large chunk": lambda h5, *_: h5.create_dataset(
        CELLS, data=np.zeros((1, 3), "f4"), chunks=(50_000_000, 3), maxshape=(None, 3), compression="gzip"
    ),
    "a chunk that goes on": _bomb,
    "many chunks": lambda h5, *_: h5.create_dataset(CELLS, (10_000_000,), "u1", chunks=(1,)),
    "thousands of chunks": lambda h5, *_: h5.create_dataset(CELLS, data=np.zeros(20_000, "u1"), chunks=(1,)),
    "a link to another file": _external,
    "a link to itself": _soft,
    "numbers of another file": _virtual,
    "numbers outside": lambda h5, h5py, folder: h5.create_dataset(
        CELLS, (10,), "u1", external=[("/etc/hostname", 0, 10)]
    ),
    "a circle of groups": _circle,
    "texts": lambda h5, h5py, folder: h5.create_dataset(CELLS, data=["a"] * 9, dtype=h5py.string_dtype()),
    "records": lambda h5, *_: h5.create_dataset(CELLS, data=np.zeros(3, [("a", "f4")])),
    "references": lambda h5, h5py, folder: h5.create_dataset(CELLS, (3,), dtype=h5py.ref_dtype),
    "nothing": lambda h5, h5py, folder: h5.create_dataset(CELLS, data=h5py.Empty("f4")),
    "one number": lambda h5, *_: h5.create_dataset(CELLS, data=5.0),
    "another packing": lambda h5, *_: h5.create_dataset(CELLS, data=np.zeros((1000, 3), "f4"), compression="lzf"),
    "numbers of few bits": lambda h5, *_: h5.create_dataset(CELLS, data=np.zeros((1000, 3), "i4"), scaleoffset=2),
    "a group for numbers": lambda h5, *_: h5.create_group(CELLS),
}.items():
    _hdf5(_name, _made)  # type: ignore[arg-type]
_file("bfm-2019", "model2019_bfm.h5", "hdf5: noise", lambda: b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 20)
_sparse("bfm-2019", "model2019_bfm.h5", b"\x89HDF\r\n\x1a\n", 3_000_000_000)


# --- Surrey's and ICT-FaceKit's own ---


def _matrix(rows: int, columns: int, data: bytes = b"") -> bytes:
    return struct.pack("<ii", rows, columns) + data


for _name, _content in {
    "a matrix of exabytes": lambda: struct.pack("<I", 1) + _matrix(2**31 - 1, 2**31 - 1),
    "a matrix below nothing": lambda: struct.pack("<I", 1) + _matrix(-5, -5),
    "a list of exabytes": lambda: struct.pack("<I", 1) + _matrix(0, 1) * 3 + struct.pack("<Q", 2**64 - 1),
    "many landmarks": lambda: (
        struct.pack("<I", 3)
        + (_matrix(0, 1) * 3 + struct.pack("<Q", 0)) * 2
        + struct.pack("<BBQ", 1, 0, 4_000_000)
        + bytes(12) * 4_000_000
    ),
    "many expressions": lambda: (
        struct.pack("<I", 2)
        + (_matrix(0, 1) * 3 + struct.pack("<Q", 0)) * 2
        + struct.pack("<BiQ", 0, 1, 2**60)
        + bytes(16) * 2_000_000
    ),
    "no vertices": lambda: struct.pack("<I", 1) + (_matrix(0, 1) * 3 + struct.pack("<Q", 0)) * 2 + struct.pack("<Q", 0),
    "another version": lambda: struct.pack("<I", 77),
    "nothing": lambda: b"",
}.items():
    _file("sfm", "sfm_shape_3448.bin", f"surrey: {_name}", _content)
_sparse("sfm", "sfm_shape_3448.bin", struct.pack("<I", 1), 3_000_000_000)

_OBJ = b"v 1 2 3\nv 1 2 4\nv 1 3 3\nvt 0 0\nf 1/1 2/1 3/1\n"
_INDEX = b'{"expressions": ["jawOpen"], "idx_to_landmark_verts": [0]}'


def _ict(neutral: bytes = _OBJ, index: bytes = _INDEX, person: bytes = _OBJ, people: int = 1) -> bytes:
    return _zip(
        ("F/generic_neutral_mesh.obj", neutral),
        ("F/vertex_indices.json", index),
        ("F/jawOpen.obj", neutral),
        *((f"F/identity{k:03d}.obj", person) for k in range(people)),
        packed=zipfile.ZIP_DEFLATED,
    )


for _name, _content in {
    "millions of vertices": lambda: _ict(b"v 1 2 3\n" * 990_000),
    "millions of numbers in a line": lambda: _ict(b"v " + b"1 " * 3_900_000),
    "millions of faces": lambda: _ict(_OBJ + b"f 1 1 1\n" * 980_000),
    "thousands of people": lambda: _ict(
        b"v 0 0 0\n" * 100_000 + b"f 1/1 2/1 3/1\nvt 0 0\n", person=b"v 0 0 0\n" * 100_000, people=100
    ),
    "texts of 400 MB": lambda: _ict(b"#" * 7_900_000, people=50, person=b"#" * 7_900_000),
    "one text of 100 MB": lambda: _ict(b"v 0 0 0\n" * 12_500_000),
    "millions of lines": lambda: _ict(b"\n" * 7_900_000),
    "an index that is nested": lambda: _ict(index=b"[" * 900_000),
    "an index of dicts": lambda: _ict(index=b"[" + b"{}," * 5_000_000 + b"{}]"),
    "an index of texts": lambda: _ict(index=b'{"expressions": 5, "idx_to_landmark_verts": "x"}'),
    "numbers that are none": lambda: _ict(b"v nan inf 1e999\n" * 20 + b"vt 0 0\nf 1/1 2/1 3/1\n"),
    "faces of nothing": lambda: _ict(b"v 0 0 0\nvt 0 0\nf\nf 1\n"),
    "faces of huge numbers": lambda: _ict(_OBJ + b"f 99999999999999999999/1 1/1 1/1\n"),
    "people of another size": lambda: _ict(person=_OBJ + b"v 1 1 1\n"),
}.items():
    _file("ict-facekit", "FaceXModel.zip", f"ict: {_name}", _content)


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "net.pth")
    return folder / "net.pth"


if hasattr(os, "mkfifo"):
    for _kind in ("sparnet", "deep3d", "bfm-2009", "bfm-2017", "flame-2020", "flame-2023", "sfm", "ict-facekit"):
        HOSTILE[f"a pipe for {_kind}"] = (_kind, _pipe)
    HOSTILE["an endless device"] = ("sfm", lambda folder: Path("/dev/zero"))
