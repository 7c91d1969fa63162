"""Real heads: scans of people, rendered with their photographic texture by cameras that are known.

    <folder>/truth.npz    points (n, 3), normals (n, 3), oval (n,), lm7 (7, 3), R (v, 3, 3), t (v, 3), f (v,), width
    <folder>/NAME_0.webp ... NAME_<v - 1>.webp    one square picture for each camera

A folder is a person, in millimetres of a head with 63 mm between the eyes' centres (scans seldom tell their size).
`oval` says which points are inside the face oval, where the error is measured; `lm7`: the right eye's outer and inner
corner, the left eye's inner and outer, below the nose, the mouth's right and left corner. X_camera = R X + t, x right,
y down; f in pixels, the axis through the middle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.cache import CACHE, arrays_of, nets, read, seen_in, stacked
from benchmarks.accuracy.observe import face_at
from benchmarks.accuracy.synthetic import Render, Renders
from benchmarks.accuracy.truth import Truth
from tronie.geometry import Camera, euler_degrees, rigid
from tronie.head.arkit import ARKIT_UNITS
from tronie.io.images import read_photo

Array = NDArray[np.floating]

LM7 = (36, 39, 42, 45, 33, 48, 54)
"""Of iBUG's points."""
PICTURES = (".webp", ".png", ".jpg", ".jpeg")
FACE_MM = 165.0
"""What the height of a face in the picture means in the flesh, as in `scene`."""


def pictures(folder: Path) -> list[Path]:
    """In the order of their numbers."""
    found = [p for p in folder.iterdir() if p.suffix.lower() in PICTURES]
    return sorted(found, key=lambda p: [int(n) for n in re.findall(r"\d+", p.stem)[-1:]])


def load_scans(folders: Sequence[str | Path], cache: Path = CACHE) -> Renders:
    """Each folder is a person; what the nets saw is kept in `cache`. Raises ValueError for a folder that is none."""
    items: list[Render] = []
    missed, truths = [], []
    for person, name in enumerate(folders):
        folder = Path(name)
        if not (folder / "truth.npz").is_file():
            raise ValueError(f"{folder} has no truth.npz")
        z, files = read(folder / "truth.npz"), pictures(folder)
        if len(files) != len(z["R"]):
            raise ValueError(f"{folder} has {len(files)} pictures and {len(z['R'])} cameras")
        seen = _seen(folder, z, files, cache)
        truths.append(_truth(z))
        for take, file in enumerate(files):
            if seen["found"][take]:
                items.append(_render(z, seen, person, take, file))
            else:
                missed.append((person, take))
    names = tuple(Path(f).resolve().name for f in folders)
    return Renders("scan", None, 0, 90.0, tuple(items), tuple(missed), tuple(truths), None, (), names=names)


def _seen(folder: Path, z: Mapping[str, Any], files: Sequence[Path], cache: Path) -> dict[str, Any]:
    of = sha256((folder / "truth.npz").read_bytes() + b"".join(f.read_bytes() for f in files)).hexdigest()[:8]
    path = cache / f"scan-{of}-{nets()}.npz"
    if not path.exists():
        middle, rows = z["lm7"].mean(axis=0), []
        for take, file in enumerate(files):
            spot = _camera(z, take).project(z["R"][take] @ middle + z["t"][take])
            rows.append(arrays_of(face_at(read_photo(file).image, spot)))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **stacked(rows))
    return read(path)


def _camera(z: Mapping[str, Any], take: int) -> Camera:
    width = int(z["width"])
    return Camera(float(z["f"][take]), (width / 2, width / 2), (width, width))


def _truth(z: Mapping[str, Any]) -> Truth:
    return Truth(
        np.asarray(z["points"], np.float64),
        np.asarray(z["oval"], bool),
        np.asarray(z["lm7"], np.float64),
        LM7,
        normals=np.asarray(z["normals"], np.float64),
    )


def _render(z: Mapping[str, Any], seen: Mapping[str, Any], person: int, take: int, file: Path) -> Render:
    camera, turn, shift = _camera(z, take), z["R"][take], z["t"][take]
    yaw, pitch, roll = euler_degrees(turn)
    distance = float((turn @ z["lm7"].mean(axis=0) + shift)[2])
    return Render(
        *seen_in(seen, take),
        camera.size,
        camera.focal,
        person,
        take,
        camera,
        rigid(turn, shift),
        np.zeros(len(ARKIT_UNITS)),
        (round(yaw), round(pitch), round(roll)),  # for the tables
        "",
        camera.focal / camera.size[0] * 36,
        camera.focal * FACE_MM / distance,
        file,
    )
