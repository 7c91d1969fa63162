"""Datasets of HDF5 files (.h5) that a user brings along. Needs h5py (extra `models`).

The library behind h5py finds the datasets; packed chunks are unpacked here, because it would unpack each to its end,
however far that is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.errors import WeightsError
from tronie.formats.safety import Budget, Refused, inflate, reading

DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3
"""Numbers of the library's own filters. Those of others are refused."""


def read_h5(file: Path, names: Collection[str], budget: Budget | None = None) -> dict[str, NDArray[Any]]:
    """Those of the datasets `names` (paths) that are in an HDF5 file. Raises WeightsError.

    Links out of the file and datasets whose numbers lie in other files are not followed.
    """
    try:
        import h5py
    except ImportError:
        raise WeightsError('Reading .h5 files needs h5py: run `pip install "tronie[models]"`.') from None
    # h5py reads from the open file what it needs: no name of another file means anything to it.
    with reading(file, "an HDF5 file", budget) as budget, file.open("rb") as stream, h5py.File(stream, "r") as h5:
        return {name: array for name in names if (array := _dataset(h5py, h5, name, budget)) is not None}


def _dataset(h5py: Any, group: Any, name: str, budget: Budget) -> NDArray[Any] | None:
    for part in name.split("/"):
        budget.step()
        if not isinstance(group, h5py.Group) or part not in group:
            return None
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise Refused("it holds a link in the place of numbers")
        group = group[part]
    if not isinstance(group, h5py.Dataset):
        return None
    if group.is_virtual or group.external:
        raise Refused("its numbers lie in another file")
    if group.dtype.kind not in "biuf" or group.dtype.hasobject or group.shape is None:
        raise Refused(f"its {name} is not an array of numbers")
    size = math.prod(group.shape) * group.dtype.itemsize
    budget.take(size)
    if group.chunks is not None:
        return _chunked(group, name, budget)
    # A shape without numbers behind it would be filled up.
    if group.id.get_storage_size() != size:
        raise Refused(f"it is damaged: its {name} is longer or shorter than it says")
    return np.asarray(group[()])


def _chunked(dataset: Any, name: str, budget: Budget) -> NDArray[Any]:
    shape, chunk, dtype = dataset.shape, dataset.chunks, dataset.dtype
    file = dataset.id
    properties = file.get_create_plist()
    filters = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    if set(filters) - {DEFLATE, SHUFFLE, CHECKSUM}:
        raise Refused(f"its {name} is packed in an unusual way")
    count = math.prod(-(-n // step) for n, step in zip(shape, chunk, strict=True))
    budget.step(count)
    # Chunks that are not there would be filled up.
    if file.get_num_chunks() != count:
        raise Refused(f"it is damaged: its {name} is longer or shorter than it says")
    size = math.prod(chunk) * dtype.itemsize
    budget.take(size)
    # Asking for each chunk would have the library look through all of them each time.
    stored: dict[tuple[int, ...], int] = {}
    file.chunk_iter(lambda info: stored.update({info.chunk_offset: info.size}))
    out = np.empty(shape, dtype)
    for place in itertools.product(*(range(0, n, step) for n, step in zip(shape, chunk, strict=True))):
        budget.take(stored[place])
        mask, data = file.read_direct_chunk(place)
        kept = [kind for k, kind in enumerate(filters) if not mask >> k & 1]
        data = _unpacked(data, kept, size, dtype.itemsize, budget)
        if len(data) != size:
            raise Refused(f"it is damaged: its {name} is longer or shorter than it says")
        room = out[tuple(slice(at, at + step) for at, step in zip(place, chunk, strict=True))]
        room[...] = np.frombuffer(data, dtype).reshape(chunk)[tuple(map(slice, room.shape))]
    return out


def _unpacked(data: bytes, filters: list[int], size: int, item: int, budget: Budget) -> bytes:
    """A chunk of `size` bytes as it was before the filters, in their order, had it; no more is unpacked than that."""
    for kind in reversed(filters):
        if kind == DEFLATE:
            data = inflate(memoryview(data), size + 4 * filters.count(CHECKSUM), budget)
        elif kind == CHECKSUM:
            data = data[:-4]
        else:  # the first bytes of all numbers, then the second ones, and so on
            data = np.frombuffer(data, np.uint8).reshape(item, -1).T.tobytes()
    return data
