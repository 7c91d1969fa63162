"""Do real photos of one person agree? Without truth: a photo, its mirror image, crops and worse copies; several photos.

    python -m benchmarks.accuracy --photos FOLDER

Every picture in the folder is a person; a folder in it is a person with several photos. The heads at rest are compared
as they are, in millimetres over the inner face; the mirror image's head is mirrored back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import subject
from benchmarks.accuracy.cache import CACHE, arrays_of, nets, read, seen_in, stacked
from benchmarks.accuracy.methods import Method
from benchmarks.accuracy.observe import Observation, face_in
from benchmarks.accuracy.scan import PICTURES
from benchmarks.accuracy.spread import auc, within_between
from tronie.arrays import Image
from tronie.io.images import read_photo
from tronie.runtime.threads import single_blas_thread
from tronie.stages.fit.map_fit import head_shapes
from tronie.types import Fit

Array = NDArray[np.floating]
Box = tuple[float, float, float, float]

JPEG_QUALITY, SMALL, DARK = 20, 0.35, 1.6
"""Of the copies: JPEG's quality, the scale, the exponent of the tone curve."""


def _part(image: Image, box: Box, left: float, top: float, right: float, bottom: float) -> Image:
    """Cut out at so many shares of the box's size beyond its sides."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    rows = slice(int(max(y0 - top * h, 0)), int(min(y1 + bottom * h, len(image))))
    return image[rows, int(max(x0 - left * w, 0)) : int(min(x1 + right * w, image.shape[1]))]


def _worse(image: Image) -> Image:
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def _small(image: Image) -> Image:
    return np.asarray(cv2.resize(image, None, fx=SMALL, fy=SMALL, interpolation=cv2.INTER_AREA))


def _dark(image: Image) -> Image:
    return np.asarray(255 * (image / 255.0) ** DARK, np.uint8)


ORIGINAL, MIRROR = "photo", "mirror"
VARIANTS: dict[str, Callable[[Image, Box], Image]] = {
    ORIGINAL: lambda image, box: image,
    MIRROR: lambda image, box: image[:, ::-1],
    "tight crop": lambda image, box: _part(image, box, 0.15, 0.15, 0.15, 0.12),
    "one-sided crop": lambda image, box: _part(image, box, 0.1, 0.6, 1.5, 0.5),
    "jpeg": lambda image, box: _worse(image),
    "small": lambda image, box: _small(image),
    "dark": lambda image, box: _dark(image),
}
"""By name, from a photo and its face's box."""


@dataclass(frozen=True, eq=False)
class Look:
    person: int
    photo: int
    variant: str
    seen: Observation


def load_looks(folder: Path, cache: Path = CACHE, limit: int | None = None) -> list[Look]:
    """Every photo in all VARIANTS; the largest face of each. What the nets saw is kept in `cache`."""
    people = [p for p in sorted(folder.iterdir()) if p.is_dir() or p.suffix.lower() in PICTURES][:limit]
    looks, count = [], 0
    for person, entry in enumerate(people):
        files = [entry] if entry.is_file() else sorted(p for p in entry.iterdir() if p.suffix.lower() in PICTURES)
        for file in files:
            looks += [Look(person, count, name, seen) for name, seen in _seen(file, cache).items()]
            count += 1
    return looks


def _seen(file: Path, cache: Path) -> dict[str, Observation]:
    path = cache / f"photo-{sha256(file.read_bytes()).hexdigest()[:12]}-{nets()}.npz"
    if not path.exists():
        photo = read_photo(file)
        image, rows, sizes = np.ascontiguousarray(photo.image), [], []
        first = face_in(image, None)
        for make in VARIANTS.values():
            picture = None if first is None else np.ascontiguousarray(make(image, first.detection.box))
            rows.append(arrays_of(None if picture is None else face_in(picture, None)))
            sizes.append((0, 0) if picture is None else (picture.shape[1], picture.shape[0]))
        path.parent.mkdir(parents=True, exist_ok=True)
        if first is None:
            np.savez(path, found=np.zeros(len(rows), bool))
        else:
            np.savez(path, **stacked(rows), size=np.array(sizes))
    z = read(path)
    out = {}
    for k, name in enumerate(VARIANTS):
        if z["found"][k]:
            width, height = (int(n) for n in z["size"][k])
            out[name] = Observation(*seen_in(z, k), (width, height), None)
    return out


def face_of(fit: Fit, mirrored: bool) -> Array:
    """(n, 3) mm: the inner face at rest, mirrored back."""
    model = subject.model()
    v = head_shapes(model, fit)[1]
    if mirrored:
        v = v[model.mirror] * np.array([-1, 1, 1], v.dtype)
    return np.asarray(v[model.inner_face])


def agreement(method: Method, looks: list[Look]) -> dict[str, float]:
    """RMS distance of each variant's head from the photo's own; of two people's heads; spread within a photo's variants
    over that between people; how surely two heads of one are nearer to each other than two of different people."""
    with single_blas_thread():
        faces = np.array([face_of(method(look.seen), look.variant == MIRROR).ravel() for look in looks], np.float64)
    person, photo = np.array([look.person for look in looks]), np.array([look.photo for look in looks])
    variant = np.array([look.variant for look in looks])
    whole = variant == ORIGINAL
    own = {int(p): k for k, p in enumerate(photo) if whole[k]}

    def apart(a: Array, b: Array) -> float:
        return float(np.sqrt(((a - b) ** 2).mean() * 3))

    out = {}
    for name in VARIANTS:
        some = [k for k in np.flatnonzero(variant == name) if int(photo[k]) in own]
        if name != ORIGINAL and some:
            out[f"{name}, mm"] = float(np.mean([apart(faces[k], faces[own[int(photo[k])]]) for k in some]))
    rows = np.flatnonzero(whole)
    other = [apart(faces[a], faces[b]) for a in rows for b in rows if a < b and person[a] != person[b]]
    out["other people, mm"] = float(np.mean(other)) if other else float("nan")
    out["spread of copies"] = within_between(faces, photo)
    out["AUC of copies"] = auc(faces, photo)
    if len(np.unique(person[whole])) < whole.sum():
        out["spread of photos"] = within_between(faces[whole], person[whole])
        out["AUC of photos"] = auc(faces[whole], person[whole])
    return out


def run(
    folder: Path, methods: Mapping[str, Method], cache: Path = CACHE, limit: int | None = None
) -> dict[str, dict[str, float]]:
    looks = load_looks(folder, cache, limit)
    return {name: agreement(method, looks) for name, method in methods.items()}
