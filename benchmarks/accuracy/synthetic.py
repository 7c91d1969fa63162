"""Synthetic photos with truth, seen by the pipeline's own detector and landmark net, kept in a file.

The file holds everything a fit needs and everything it is judged by, so that fits are compared in seconds:

    python -m benchmarks.accuracy --ict ../shared/ict/ict_facekit.npz --people 60 --renders 5   # makes the file
    renders = load_renders(cache_path("../shared/ict/ict_facekit.npz", 0, 60, 5, 40.0))
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.heads import heads
from benchmarks.accuracy.observe import Observation, face_at
from benchmarks.accuracy.scene import LIGHTS, Scene, draw_scene
from tronie.arrays import Image
from tronie.geometry import Camera
from tronie.runtime import weights
from tronie.types import Detection, Landmarks

Array = NDArray[np.floating]

CACHE = Path("/tmp/accuracy_cache")
LANDMARKS = "landmarks."
"""What the names of the file's arrays begin with that hold a field of Landmarks."""
MIRRORED = "mirrored."
VERSION = 3
"""Of the renders; a change of pictures or truth wants a new one, so that old files are not taken."""


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


@dataclass(frozen=True, eq=False)
class Renders:
    source: str
    """`ict` or `own`."""
    ict: str | None
    seed: int
    max_yaw: float
    items: tuple[Render, ...]
    missed: tuple[tuple[int, int], ...]
    """(person, take) of photos in which the face was not found."""
    neutral: Array
    """(people, n, 3) float32 mm: the true inner faces at rest."""
    points68: Array
    """(people, 68, 3) on them."""
    mean_neutral: Array
    """(n, 3): inner face of the source's mean head."""
    mean_points68: Array
    """(68, 3)."""
    triangles: NDArray[np.int32]
    """(T, 3) over the n inner-face vertices."""
    counted: NDArray[np.bool_]
    """(n,) which inner-face vertices count; see `Heads.counted`."""
    visible_units: tuple[int, ...]

    @property
    def people(self) -> int:
        return len(self.neutral)


def photo_of(ict: str | None, seed: int, scene: Scene) -> Image:
    """The picture of a scene; the same arguments give the same bytes."""
    from benchmarks.accuracy.paint import picture

    source = heads(ict)
    return picture(source, source.vertices(source.identity(seed, scene.person), scene.expression), scene)


def _flat(marks: Landmarks, prefix: str) -> dict[str, Any]:
    """The fields by name, those of the mirror image too."""
    out: dict[str, Any] = {}
    for field in fields(Landmarks):
        value = getattr(marks, field.name)
        if isinstance(value, Landmarks):
            out |= _flat(value, f"{prefix}{field.name}.")
        elif value is not None:
            out[prefix + field.name] = value
    return out


def _marks(row: dict[str, Any]) -> Landmarks:
    """Inverse of `_flat`, the prefix taken off."""
    mirrored = {name.removeprefix(MIRRORED): value for name, value in row.items() if name.startswith(MIRRORED)}
    own = {name: value for name, value in row.items() if not name.startswith(MIRRORED)}
    own["presence"] = float(own["presence"])
    return Landmarks(**own, mirrored=_marks(mirrored) if mirrored else None)


def _observe(job: tuple[str | None, int, int, int, float]) -> dict[str, Any]:
    """One photo through detector and landmark net -> plain values; `found` is False when there is no face."""
    ict, seed, person, take, max_yaw = job
    scene = draw_scene(seed, person, take, max_yaw=max_yaw)
    source = heads(ict)
    vertices = source.vertices(source.identity(seed, person), scene.expression)
    middle = source.landmarks(vertices)[17:].mean(axis=0)
    pose = scene.head_to_camera
    seen = face_at(photo_of(ict, seed, scene), scene.camera.project(pose[:3, :3] @ middle + pose[:3, 3]))
    saw: dict[str, Any] = {}
    if seen is not None:
        d, m = seen.detection, seen.landmarks
        saw = {"box": np.array(d.box), "five": d.points, "score": d.score}
        saw |= _flat(m, LANDMARKS)
    return saw | {
        "person": person,
        "take": take,
        "found": seen is not None,
        "pose": pose,
        "focal": scene.camera.focal,
        "size": np.array(scene.camera.size),
        "expression": scene.expression,
        "face_px": scene.face_px,
        "angles": np.array([scene.yaw, scene.pitch, scene.roll]),
        "light": LIGHTS.index(scene.light),
        "equivalent": scene.equivalent,
    }


def cache_path(ict: str | None, seed: int, people: int, takes: int, max_yaw: float, folder: Path = CACHE) -> Path:
    """The file's name tells all it depends on: also the landmark nets, by the start of their hash."""
    nets = [weights.path(name).read_bytes() for name in ("face_landmarks", "face_shape")]
    net = sha256(b"".join(nets)).hexdigest()[:6]
    source = "own" if ict is None else "ict"
    return folder / f"{source}-seed{seed}-{people}x{takes}-yaw{max_yaw:g}-v{VERSION}-{net}.npz"


def make_renders(
    path: Path, ict: str | None, *, people: int, takes: int, seed: int = 0, max_yaw: float = 40.0, workers: int = 2
) -> Path:
    """Render, look, and write the file."""
    jobs = [(ict, seed, person, take, max_yaw) for person in range(people) for take in range(takes)]
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
    seen = [r for r in rows if r["found"]]
    if not seen:
        raise RuntimeError("no face was found in any photo")
    blank = {name: np.zeros_like(value) for name, value in seen[0].items()}
    np.savez(
        path,
        **{name: np.array([(blank | r)[name] for r in rows]) for name in seen[0]},
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
    )
    return path


def load_renders(path: str | Path) -> Renders:
    with np.load(path, allow_pickle=False) as file:
        z = {name: file[name] for name in file.files}
    if "counted" not in z:
        z["counted"] = heads(str(z["ict"]) or None).counted()
    items, missed = [], []
    for k, found in enumerate(z["found"]):
        if not found:
            missed.append((int(z["person"][k]), int(z["take"][k])))
            continue
        x0, y0, x1, y1 = (float(c) for c in z["box"][k])
        width, height = (int(c) for c in z["size"][k])
        yaw, pitch, roll = (float(c) for c in z["angles"][k])
        marks = {name.removeprefix(LANDMARKS): value[k] for name, value in z.items() if name.startswith(LANDMARKS)}
        camera = Camera(float(z["focal"][k]), (width / 2, height / 2), (width, height))
        items.append(
            Render(
                Detection((x0, y0, x1, y1), z["five"][k], float(z["score"][k])),
                _marks(marks),
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
    return Renders(
        str(z["source"]),
        str(z["ict"]) or None,
        int(z["seed"]),
        float(z["max_yaw"]),
        tuple(items),
        tuple(missed),
        z["neutral"],
        z["points68"],
        z["mean_neutral"],
        z["mean_points68"],
        z["triangles"],
        z["counted"],
        tuple(int(k) for k in z["visible_units"]),
    )
