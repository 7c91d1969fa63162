"""Small readers of what public benchmarks are made of: .obj meshes, picked points, pickled boxes, pictures."""

from __future__ import annotations

import pickle
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tronie.io.images import read_photo
from tronie.types import Photo

Array = NDArray[np.floating]

PICTURES = (".jpg", ".jpeg", ".png", ".JPG", ".PNG")


def read_obj(path: Path) -> tuple[Array, NDArray[np.int32]]:
    """Vertices (n, 3), as written and in their order, and triangles (T, 3); polygons are cut into fans."""
    vertices, triangles = [], []
    for line in path.read_text(errors="replace").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(w) for w in words[1:4]])
        elif words[0] == "f":
            corner = [int(w.split("/")[0]) for w in words[1:]]
            corner = [c - 1 if c > 0 else len(vertices) + c for c in corner]
            triangles += [(corner[0], b, c) for b, c in pairwise(corner[1:])]
    return np.array(vertices, np.float64).reshape(-1, 3), np.array(triangles, np.int32).reshape(-1, 3)


def read_points(path: Path) -> Array:
    """(n, 3) from MeshLab's picked points (.pp), a .npy or a text of three columns."""
    if path.suffix == ".pp":
        root = ElementTree.parse(path).getroot()
        return np.array([[float(p.attrib[k]) for k in "xyz"] for p in root.iter("point")])
    if path.suffix == ".npy":
        return np.asarray(np.load(path, allow_pickle=False), np.float64).reshape(-1, 3)
    return np.loadtxt(path, dtype=np.float64).reshape(-1, 3)


class _Numbers(pickle.Unpickler):
    """Refuses everything but numpy's own numbers, so that a foreign file cannot run code."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in {"scalar", "dtype", "ndarray", "_reconstruct"}:
            return super().find_class(module, name)
        if (module, name) == ("_codecs", "encode"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a box file")


def read_box(path: Path) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 from a .npy that holds a dictionary with left, top, right, bottom, or four numbers."""
    with path.open("rb") as file:
        npy.read_magic(file)
        shape, _, dtype = npy.read_array_header_1_0(file)
        if dtype.hasobject:
            # scan annotations were pickled by Python 2
            held = _Numbers(file, encoding="latin1").load()
            found = held.item() if isinstance(held, np.ndarray) else held
            return tuple(float(found[k]) for k in ("left", "top", "right", "bottom"))  # type: ignore[return-value]
        numbers = np.frombuffer(file.read(), dtype).reshape(shape).ravel()
    return tuple(float(n) for n in numbers[:4])  # type: ignore[return-value]


def picture(stem: Path) -> Path | None:
    """The picture file of a path without ending."""
    return next((p for p in (stem.with_name(stem.name + e) for e in PICTURES) if p.exists()), None)


def photo(path: Path) -> Photo:
    return read_photo(path)


def lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]
