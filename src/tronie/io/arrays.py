"""Arrays from files that a user brings along (.npz, .h5, zip of files): sizes are checked before anything is made."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.errors import WeightsError
from tronie.io.untrusted import Refused, refusals

LIMIT = 1_000_000_000
"""Bytes of all arrays or texts that are read from a file. The largest array known here has 128 MB."""
TEXT_LIMIT = 16_000_000
"""Bytes of one text in an archive. ICT-FaceKit's have 2.6 MB."""
PICKLED = "it holds Python objects, not only numbers, and they will not be read"


def read_npz(file: Path, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an npz, or those of `names` that are in it. Never unpickles. Raises WeightsError."""
    with refusals(file, "an npz of numpy"), zipfile.ZipFile(file) as archive:
        stems = {info.filename.removesuffix(".npy"): info for info in _members(archive)}
        wanted = {n: i for n, i in stems.items() if n != i.filename and (names is None or n in names)}
        if sum(info.file_size for info in wanted.values()) > LIMIT:
            raise Refused("its arrays are larger than they may be")
        return {name: _npy(archive, info) for name, info in wanted.items()}


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The archive's files. One whose path leads out of its folder condemns the whole: nobody means well by it."""
    for info in archive.infolist():
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
            raise Refused("it holds a path that leads out of its own folder")
        if info.flag_bits & 1:
            raise Refused("it is encrypted")
    return [info for info in archive.infolist() if not info.is_dir()]


def _npy(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        if dtype.hasobject:
            raise Refused(PICKLED)
        data = stream.read(LIMIT)
    if dtype.itemsize * math.prod(shape) != len(data):
        raise Refused(f"it is damaged: its {info.filename} is longer or shorter than it says")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def read_texts(place: Path, suffixes: Collection[str]) -> dict[str, bytes]:
    """The files with one of `suffixes` in a folder or zip archive (and folders in it), by their names without
    folders. Raises WeightsError."""
    with refusals(place, "a folder or zip archive"):
        if place.is_dir():
            files = [f for f in sorted(place.rglob("*")) if f.suffix in suffixes and f.is_file()]
            sizes, names = [f.stat().st_size for f in files], [f.name for f in files]
            _check_sizes(sizes)
            return dict(zip(names, (f.read_bytes() for f in files), strict=True))
        with zipfile.ZipFile(place) as archive:
            chosen = [i for i in _members(archive) if PurePosixPath(i.filename).suffix in suffixes]
            _check_sizes([i.file_size for i in chosen])
            return {PurePosixPath(i.filename).name: archive.read(i) for i in chosen}


def _check_sizes(sizes: list[int]) -> None:
    if max(sizes, default=0) > TEXT_LIMIT or sum(sizes) > LIMIT:
        raise Refused("its files are larger than they may be")


def read_h5(file: Path, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Those of the datasets `names` (paths) that are in an HDF5 file. Needs h5py (extra `models`). Raises WeightsError.

    Links out of the file and datasets whose numbers lie in other files are not followed.
    """
    try:
        import h5py
    except ImportError:
        raise WeightsError('Reading .h5 files needs h5py: run `pip install "tronie[models]"`.') from None
    with refusals(file, "an HDF5 file"), io.BytesIO(file.read_bytes()) as content, h5py.File(content, "r") as h5:
        return {name: array for name in names if (array := _dataset(h5py, h5, name)) is not None}


def _dataset(h5py: Any, group: Any, name: str) -> NDArray[Any] | None:
    for part in name.split("/"):
        if not isinstance(group, h5py.Group) or part not in group:
            return None
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise Refused("it holds a link in the place of numbers")
        group = group[part]
    if not isinstance(group, h5py.Dataset):
        return None
    if group.is_virtual or group.external:
        raise Refused("its numbers lie in another file")
    if group.dtype.kind not in "biuf" or group.dtype.hasobject:
        raise Refused(f"its {name} is not an array of numbers")
    size = math.prod(group.shape or ()) * group.dtype.itemsize
    # A shape without numbers behind it, or nearly none, is a trap or damage: models do not shrink a hundredfold.
    if size > LIMIT or size > 100 * group.id.get_storage_size() + 65536:
        raise Refused(f"its {name} is larger than its numbers or than it may be")
    return np.asarray(group[()])
