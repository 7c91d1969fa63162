"""Synthetic photos with truth, seen by the pipeline's own detector and landmark net, kept in a file.

The file holds everything a fit needs and everything it is judged by, so that fits are compared in seconds:

    python -m benchmarks.accuracy --ict ../shared/ict/ict_facekit.npz --people 60 --renders 5   # makes the file
    renders = load_renders(cache_path("../shared/ict/ict_facekit.npz", 0, 60, 5, 40.0))
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.cache import CACHE, arrays_of, nets, read, seen_in, stacked
from benchmarks.accuracy.heads import heads
from benchmarks.accuracy.observe import Observation, face_at
from benchmarks.accuracy.scene import LIGHTS, SHOWN, Scene, draw_scene
from benchmarks.accuracy.truth import Truth
from tronie.arrays import Image
from tronie.geometry import Camera

Array = NDArray[np.floating]

VERSION = 3
"""Of the renders; a change of pictures or truth wants a new one, so that old files are not taken."""
IBUG = tuple(range(17, 68))
"""The points that start the alignment: all but the jaw, which each model defines its own way."""


@dataclass(frozen=True, eq=False)
class Render(Observation):
    """One synthetic photo in which the face was found: what a fit may see, and the truth."""

    person: int
    take: int
    camera: Camera
    """Truth."""
    head_to_camera: Array
    """Truth, (4, 4)."""
    expression: Array
    """Truth, (52,) in ARKIT_UNITS order."""
    angles: tuple[float, float, float]
    """Truth: yaw, pitch, roll, degrees."""
    light: str
    equivalent: float
    """Truth: focal length as a 35 mm camera's."""
    face_px: float
    file: Path | None = None
    """The picture, where it is one on disk."""


@dataclass(frozen=True, eq=False)
class Renders:
    source: str
    """`ict`, `own`, or `scan`."""
    ict: str | None
    seed: int
    max_yaw: float
    items: tuple[Render, ...]
    missed: tuple[tuple[int, int], ...]
    """(person, take) of photos in which the face was not found."""
    truths: tuple[Truth, ...]
    """By person."""
    mean: Truth | None
    """The source's mean head, vertex by vertex as in `truths`; None where people are no draws from a model."""
    visible_units: tuple[int, ...]
    shown: bool = False
    """Whether the takes are the expressions SHOWN, in one and the same scene."""
    names: tuple[str, ...] = ()
    """Of the people, where they have names."""

    @property
    def people(self) -> int:
        return len(self.truths)

    def picture(self, item: Render) -> Image:
        """The photo itself, for fits that look at it."""
        if item.file is not None:
            from tronie.io.images import read_photo

            return read_photo(item.file).image
        return photo_of(self.ict, self.seed, self.scene(item))

    def scene(self, item: Render) -> Scene:
        return draw_scene(self.seed, item.person, item.take, max_yaw=self.max_yaw, shown=self.shown)


def photo_of(ict: str | None, seed: int, scene: Scene) -> Image:
    """The picture of a scene; the same arguments give the same bytes."""
    from benchmarks.accuracy.paint import picture

    source = heads(ict)
    return picture(source, source.vertices(source.identity(seed, scene.person), scene.expression), scene)


def _observe(job: tuple[str | None, int, int, int, float, bool]) -> dict[str, Any]:
    """One photo through detector and landmark net -> plain values; `found` is False when there is no face."""
    ict, seed, person, take, max_yaw, shown = job
    scene = draw_scene(seed, person, take, max_yaw=max_yaw, shown=shown)
    source = heads(ict)
    vertices = source.vertices(source.identity(seed, person), scene.expression)
    middle = source.landmarks(vertices)[17:].mean(axis=0)
    pose = scene.head_to_camera
    seen = face_at(photo_of(ict, seed, scene), scene.camera.project(pose[:3, :3] @ middle + pose[:3, 3]))
    return arrays_of(seen) | {
        "person": person,
        "take": take,
        "pose": pose,
        "focal": scene.camera.focal,
        "size": np.array(scene.camera.size),
        "expression": scene.expression,
        "face_px": scene.face_px,
        "angles": np.array([scene.yaw, scene.pitch, scene.roll]),
        "light": LIGHTS.index(scene.light),
        "equivalent": scene.equivalent,
    }


def cache_path(
    ict: str | None, seed: int, people: int, takes: int, max_yaw: float, folder: Path = CACHE, *, shown: bool = False
) -> Path:
    """The file's name tells all it depends on: also the nets, by the start of their hash."""
    source = ("own" if ict is None else "ict") + ("-shown" if shown else "")
    return folder / f"{source}-seed{seed}-{people}x{takes}-yaw{max_yaw:g}-v{VERSION}-{nets()}.npz"


def make_renders(
    path: Path,
    ict: str | None,
    *,
    people: int,
    takes: int,
    seed: int = 0,
    max_yaw: float = 40.0,
    workers: int = 2,
    shown: bool = False,
) -> Path:
    """Render, look, and write the file. With `shown` the takes are the expressions SHOWN."""
    takes = len(SHOWN) if shown else takes
    jobs = [(ict, seed, person, take, max_yaw, shown) for person in range(people) for take in range(takes)]
    if workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            rows = list(pool.map(_observe, jobs, chunksize=max(takes, 4)))
    else:
        rows = [_observe(job) for job in jobs]
    source = heads(ict)
    shapes = [source.vertices(source.identity(seed, person)) for person in range(people)]
    mean = source.vertices(np.zeros(0))
    row = np.full(len(mean), -1)
    row[source.inner] = np.arange(len(source.inner))
    triangles = row[source.triangles]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        **stacked(rows),
        neutral=np.array([v[source.inner] for v in shapes], np.float32),
        points68=np.array([source.landmarks(v) for v in shapes], np.float32),
        mean_neutral=mean[source.inner],
        mean_points68=source.landmarks(mean),
        triangles=triangles[(triangles >= 0).all(axis=1)].astype(np.int32),
        counted=source.counted(),
        visible_units=np.array(source.visible_units()),
        source=source.name,
        ict=ict or "",
        seed=seed,
        max_yaw=max_yaw,
        shown=shown,
    )
    return path


def load_renders(path: str | Path) -> Renders:
    z = read(path)
    items, missed = [], []
    for k, found in enumerate(z["found"]):
        if not found:
            missed.append((int(z["person"][k]), int(z["take"][k])))
            continue
        width, height = (int(c) for c in z["size"][k])
        yaw, pitch, roll = (float(c) for c in z["angles"][k])
        camera = Camera(float(z["focal"][k]), (width / 2, height / 2), (width, height))
        items.append(
            Render(
                *seen_in(z, k),
                (width, height),
                camera.focal,
                int(z["person"][k]),
                int(z["take"][k]),
                camera,
                z["pose"][k],
                z["expression"][k],
                (yaw, pitch, roll),
                LIGHTS[int(z["light"][k])],
                float(z["equivalent"][k]),
                float(z["face_px"][k]),
            )
        )

    def truth(points: Array, points68: Array) -> Truth:
        return Truth(points, z["counted"], points68[list(IBUG)], IBUG, z["triangles"])

    return Renders(
        str(z["source"]),
        str(z["ict"]) or None,
        int(z["seed"]),
        float(z["max_yaw"]),
        tuple(items),
        tuple(missed),
        tuple(truth(v, p) for v, p in zip(z["neutral"], z["points68"], strict=True)),
        truth(z["mean_neutral"], z["mean_points68"]),
        tuple(int(k) for k in z["visible_units"]),
        bool(z["shown"]),
    )
