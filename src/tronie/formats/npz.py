"""Arrays from files that a user brings along: numpy's archives (.npz) here, HDF5 files in `tronie.formats.hdf5`."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.formats.archive import content, opened
from tronie.formats.safety import Budget, Refused, reading

PICKLED = "it holds Python objects, not only numbers, and they will not be read"
HEADER_LIMIT = 1 << 16
"""Bytes in which the text before an array's numbers ends; numpy itself reads no more than 10,000."""


def read_npz(file: Path, names: Collection[str] | None = None, budget: Budget | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an npz, or those of `names` that are in it. Never unpickles. Raises WeightsError."""
    with reading(file, "an npz of numpy", budget) as budget, file.open("rb") as stream, opened(stream) as archive:
        stems = {i.filename.removesuffix(".npy"): i for i in archive.infolist() if i.filename.endswith(".npy")}
        return {n: _npy(archive, info, budget) for n, info in stems.items() if names is None or n in names}


def _npy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> NDArray[Any]:
    data = content(archive, info, budget)
    stream = io.BytesIO(memoryview(data)[:HEADER_LIMIT])
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():  # of headers that Python 2, or an old NumPy, wrote
        warnings.simplefilter("ignore")
        shape, fortran, dtype = read(stream)
    if dtype.hasobject:
        raise Refused(PICKLED)
    if dtype.kind not in "biufSU":
        raise Refused(f"its {info.filename[:80]} is not an array of numbers or texts")
    if dtype.itemsize * math.prod(shape) != len(data) - stream.tell():
        raise Refused(f"it is damaged: its {info.filename[:80]} is longer or shorter than it says")
    return np.frombuffer(data, dtype, offset=stream.tell()).reshape(shape, order="F" if fortran else "C")
