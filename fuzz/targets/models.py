"""Model files that users bring along, by format and by what is imported."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from head import made_models
from stages.deep3d.frozen import Frozen

from fuzz.structure import json_tree, npy, zip_of
from fuzz.target import MEGA, Target

RNG = np.random.default_rng(0)
ARRAYS: dict[str, Any] = {
    "a": RNG.normal(size=(5, 3)),
    "b": np.arange(12, dtype=np.int32).reshape(3, 4),
    "c": np.array(["one", "two"]),
    "d": np.float16(RNG.normal(size=7)),
    "e": np.zeros((2, 0, 3), np.uint8),
    "f": np.asfortranarray(RNG.normal(size=(4, 2)).astype(np.float32)),
}


def _npz() -> Iterator[bytes]:
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, **ARRAYS)
        yield stream.getvalue()


def _read_npz(path: Path) -> None:
    from tronie.formats.npz import read_npz

    for array in read_npz(path).values():
        assert not array.dtype.hasobject


def _hdf5() -> Iterator[bytes]:
    import h5py

    numbers = {"a": ARRAYS["a"], "g/b": ARRAYS["b"], "g/h/c": RNG.normal(size=(40, 6)), "s": np.float64(3)}
    for options in ({}, {"compression": "gzip", "shuffle": True, "fletcher32": True}, {"chunks": True}):
        stream = io.BytesIO()
        with h5py.File(stream, "w") as h5:
            for name, array in numbers.items():
                h5.create_dataset(name, data=array, **(options if array.ndim else {}))
        yield stream.getvalue()


def _read_hdf5(path: Path) -> None:
    from tronie.formats.hdf5 import read_h5

    read_h5(path, ("a", "g/b", "g/h/c", "s", "none"))


def _mat() -> Iterator[bytes]:
    from tronie.formats.matlab import mat_bytes

    for names in (("a", "b"), ("b", "d", "f")):
        yield mat_bytes({name: ARRAYS[name].astype(np.float64) for name in names})


def _read_mat(path: Path) -> None:
    from tronie.formats.matlab import read_mat

    read_mat(path)
    read_mat(path, ("a",))


def _pickles() -> Iterator[bytes]:
    plain = {"a": ARRAYS["a"], "b": ARRAYS["b"], "c": [1, 2.5, "text", None, True], "d": {"e": b"bytes"}}
    for protocol in (2, 3, 4, 5):
        yield pickle.dumps(plain, protocol)
    yield made_models.dump_chumpy(plain | {"f": made_models.chumpy_like(ARRAYS["f"])})
    state = {"_shape": (3, 2), "data": np.ones(2), "indices": np.array([0, 2]), "indptr": np.array([0, 1, 2])}
    # As scipy pickles a sparse matrix: its class, then its state.
    head, tail = b"\x80\x02cscipy.sparse.csc\ncsc_matrix\n)\x81", pickle.dumps(state, 2)
    yield head + tail[2:-1] + b"b."


def _read_pickle(path: Path) -> None:
    from tronie.formats.numpy_pickle import read_array_pickle

    read_array_pickle(path)


def _tensor(key: str, count: int, shape: tuple[int, ...], kind: bytes = b"FloatStorage") -> bytes:
    strides = tuple(int(np.prod(shape[k + 1 :])) for k in range(len(shape)))
    number = pickle.dumps(count, 2)[2:-1]
    sizes = b"".join(b"(" + b"".join(pickle.dumps(n, 2)[2:-1] for n in one) + b"t" for one in (shape, strides))
    name = b"X" + struct.pack("<I", len(key)) + key.encode()
    storage = b"(X\7\0\0\0storagectorch\n" + kind + b"\n" + name + b"X\3\0\0\0cpu" + number + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + sizes + b"\x89ccollections\nOrderedDict\n)RtR"


def checkpoints() -> Iterator[bytes]:
    """Of both formats."""
    content = (
        b"}(X\1\0\0\0a" + _tensor("0", 6, (2, 3)) + b"X\1\0\0\0b" + _tensor("1", 3, (3,), b"BFloat16Storage") + b"u"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\2" + content + b".")
        archive.writestr("net/data/0", np.arange(6, dtype="<f4").tobytes())
        archive.writestr("net/data/1", bytes(6))
        archive.writestr("net/byteorder", b"little")
    yield stream.getvalue()
    heads = b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    numbers = struct.pack("<q", 6) + bytes(24) + struct.pack("<q", 3) + bytes(6)
    yield heads + b"\x80\2" + content + b"." + pickle.dumps(["0", "1"], 2) + numbers


def _read_checkpoint(path: Path) -> None:
    from tronie.formats.torch_checkpoint import find_numbers, read_checkpoint

    find_numbers(read_checkpoint(path), "a")


def _graphs() -> Iterator[bytes]:
    g = Frozen()
    x = g.add("Placeholder", name="p")
    x = g.convolution(x, np.ones((3, 3, 3, 2), np.float32), 2, "SAME")
    x = g.add("Relu", g.add("Add", x, g.constant(np.ones(2))))
    x = g.add("MaxPool", x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", data_format="NHWC")
    x = g.add("Mean", x, g.constant([1, 2], "<i4"), keep_dims=True)
    g.add("Squeeze", x, name="coeff", squeeze_dims=[1, 2])
    yield g.bytes()


def _read_graph(path: Path) -> None:
    from tronie.formats.safety import Budget
    from tronie.formats.tensorflow_graph import read_graph

    read_graph(path, Budget.of(path.stat().st_size))


def _imported(kind: str, path: Path) -> None:
    """As `tronie models import` reads it."""
    from tronie.importers import import_file

    import_file(kind, path, overwrite=True)


def _family(name: str) -> Callable[[], Iterator[bytes]]:
    """The main file of a made-up model."""

    def make() -> Iterator[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            file = made_models.WRITERS[name][1](Path(folder), made_models.face()).file
            yield _zipped(file) if file.is_dir() else file.read_bytes()

    return make


def _zipped(folder: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.writestr(f"FaceXModel/{path.name}", path.read_bytes())
    return stream.getvalue()


def _beside(name: str, folder: Path) -> None:
    made_models.WRITERS[name][1](folder, made_models.face())


def _morphable() -> Iterator[bytes]:
    from tronie.importers.heads import FAMILIES

    with tempfile.TemporaryDirectory() as folder:
        file = made_models.write_ict_npz(Path(folder), made_models.face()).file
        yield FAMILIES["ict-facekit"].load(file).to_bytes()


def _read_morphable(path: Path) -> None:
    from tronie.head.morphable import Morphable

    Morphable.load(path)


def _store(folder: Path) -> None:
    """A store with one imported net."""
    (folder / "home" / "models").mkdir(parents=True)
    (folder / "home" / "models" / "net.onnx").write_bytes(b"net")


def _records() -> Iterator[bytes]:
    values: dict[str, object] = {"name": "net", "kind": "sparnet", "purpose": "faces", "licence": "MIT"}
    values |= {"commercial_use": False, "origin": "somewhere", "source": "net.pth", "source_sha256": "0" * 64}
    yield json.dumps(
        values | {"side": 128, "date": "2026-01-01T00:00:00+00:00", "bytes": 3, "suffix": ".onnx"}
    ).encode()


def _read_record(path: Path) -> None:
    from tronie.importers.heads.calibrated import calibrated
    from tronie.runtime.model_store import imported
    from tronie.runtime.weights import store

    (store() / "net.json").write_bytes(path.read_bytes())
    assert set(imported()) <= {"net"}
    calibrated()


def _onnx() -> Iterator[bytes]:
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(np.ones((2, 3, 3, 3), np.float32), "w")
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, 8, 8]) for n, c in (("x", 3), ("y", 2))]
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    graph = helper.make_graph([node], "net", ports[:1], ports[1:], [weight])
    yield helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def _read_onnx(path: Path) -> None:
    from tronie.runtime.inference import Session

    Session(path).load()


ZIP, TDDFA = zip_of(npy), "bfm_noneck_v3.pkl"
TARGETS = (
    Target("npz", _npz, _read_npz, structure=ZIP, memory=150 * MEGA),
    Target("hdf5", _hdf5, _read_hdf5, needs=("h5py",)),
    Target("mat", _mat, _read_mat),
    Target("pickle", _pickles, _read_pickle),
    Target("checkpoint", checkpoints, _read_checkpoint, structure=zip_of()),
    Target("graph", _graphs, _read_graph),
    Target("deep3d", _graphs, partial(_imported, "deep3d"), refused=True, needs=("onnx",)),
    Target("sparnet", checkpoints, partial(_imported, "sparnet"), structure=zip_of(), refused=True, needs=("onnx",)),
    Target("bfm", _mat, partial(_imported, "bfm"), refused=True),
    Target("sfm", _family("sfm version 4"), partial(_imported, "sfm")),
    Target("ict", _family("ict folder"), partial(_imported, "ict-facekit"), "input.zip", structure=zip_of(json_tree)),
    Target("ictnpz", _family("ict npz"), partial(_imported, "ict-facekit"), "input.npz", structure=ZIP),
    Target("gnm", _family("gnm"), partial(_imported, "gnm"), "input.npz", structure=ZIP),
    Target("tddfa", _family("3ddfa"), partial(_imported, "3ddfa"), TDDFA, beside=partial(_beside, "3ddfa")),
    Target("bfm2017", _family("bfm-2017"), partial(_imported, "bfm-2017"), "input.h5", needs=("h5py",)),
    Target("morphable", _morphable, _read_morphable, structure=ZIP),
    Target("store", _records, _read_record, structure=json_tree, beside=_store),
    Target("onnx", _onnx, _read_onnx, needs=("onnx",)),
)  # fmt: skip
